/**
 * What processes of one host need to share memory; the door for modules that do without libfabric.
 *
 * @module
 */

export { Futex } from "./futex.ts";
export { networkPlace } from "./host_identity.ts";
export { MemoryFile } from "./memory_file.ts";
export { baseAddress } from "./native.ts";
export { type ProcFiles, procFiles } from "./proc_file.ts";
