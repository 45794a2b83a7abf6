/**
 * The version of the library.
 *
 * @module
 */

export { VERSION } from "../internal/version.ts";
