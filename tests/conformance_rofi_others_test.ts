import { someConformanceOver } from "./conformance/spread.ts";

someConformanceOver("net");
someConformanceOver("udp");
