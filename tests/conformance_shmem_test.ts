import { conformanceOfShmem } from "./conformance/spread.ts";

conformanceOfShmem();
