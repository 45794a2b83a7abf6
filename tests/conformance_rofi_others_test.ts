import { someConformanceOver } from "./conformance/rofi.ts";

someConformanceOver("net");
someConformanceOver("udp");
