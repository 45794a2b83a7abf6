/**
 * Start-up of a job of several processes: which rank am I, how many are we, and what have the
 * others to say. What every means guarantees stands at the head of `bootstrap.ts`.
 *
 * @module
 */

export { type Bootstrap, type BootstrapMeans, EXCHANGE_TEXT_BYTES_MAX } from "./bootstrap.ts";
export * from "./hello.ts";
export type { BootstrapSettings } from "./means.ts";
export { startBootstrap } from "./start.ts";
