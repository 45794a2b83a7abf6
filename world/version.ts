/**
 * The version of the library; the gate compares it with `deno.json`.
 *
 * @module
 */

/** Version of this library. */
export const VERSION = "0.1.0";
