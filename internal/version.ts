/**
 * The version of the library, for every layer and for the launcher.
 *
 * @module
 */

/**
 * Version of this library.
 *
 * @category World
 */
export const VERSION = "0.1.0";
