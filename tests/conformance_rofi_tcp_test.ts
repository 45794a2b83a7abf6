import { conformanceOver } from "./conformance/spread.ts";

conformanceOver("tcp");
