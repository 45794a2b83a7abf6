/**
 * Foreign functions. The only room that names `Deno.dlopen` and its kin.
 *
 * @module
 */

export { schedYield } from "./libc.ts";
