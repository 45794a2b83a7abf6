/**
 * What processes of one host need to share memory; the door for who does without libfabric.
 *
 * @module
 */

export { Futex } from "./futex.ts";
export { MemoryFile } from "./memory_file.ts";
export { baseAddress } from "./native.ts";
