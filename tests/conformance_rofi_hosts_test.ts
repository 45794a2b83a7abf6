import { conformanceOfHosts } from "./conformance/spread.ts";

conformanceOfHosts("tcp");
