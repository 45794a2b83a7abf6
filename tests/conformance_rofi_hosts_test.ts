import { conformanceOfHosts, conformanceOfOneHost } from "./conformance/spread.ts";

conformanceOfHosts("tcp");
conformanceOfOneHost();
