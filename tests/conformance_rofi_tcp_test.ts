import { conformanceOver } from "./conformance/rofi.ts";

conformanceOver("tcp");
