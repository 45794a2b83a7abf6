/**
 * Foreign functions. The only room that names `Deno.dlopen` and its kin.
 *
 * @module
 */

export { adviseHugePages, schedYield } from "./libc.ts";
export { Pmix, PMIX_CONSTANTS, PMIX_LAYOUT } from "./pmix.ts";
