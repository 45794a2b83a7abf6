/**
 * Foreign functions. The only room that names `Deno.dlopen` and its kin.
 *
 * @module
 */

export { Fabric, type FabricMemory, type FabricWait } from "./fabric.ts";
export { FABRIC, FABRIC_HEADERS, FI } from "./fabric_abi.ts";
export { type FabricCalls, fabricCalls, type FabricCallsOptions } from "./fabric_calls.ts";
export { type FabricChoice, refusal } from "./fabric_choice.ts";
export { bitNames, type FabricInfo } from "./fabric_info.ts";
export { checkFabric, fabricError, type FabricErrorOptions } from "./fabric_library.ts";
export { discoverFabric, type FabricOptions, openFabric } from "./fabric_open.ts";
export { QueueWait, type WaitObject } from "./fabric_wait.ts";
export { type BellPage, createBell, HostBells, openBell } from "./host_bell.ts";
export { Futex, MemoryFile, networkPlace } from "./host.ts";
export { baseAddress, pointerOf } from "./native.ts";
export { Pmix, PMIX_CONSTANTS, PMIX_LAYOUT } from "./pmix.ts";
export { sweepShm } from "./shm_files.ts";
