import { conformanceOver } from "./conformance/spread.ts";

conformanceOver("shm");
