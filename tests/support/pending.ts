/**
 * What the program `programs/pending.ts` has under way when a PE fails.
 *
 * @module
 */

const OPERATIONS = ["put", "get", "add", "echo", "forever", "barrier", "finish"];

/** What each PE but the failed one writes behind its number: how these ended. */
export const ALL_FAILED: string = OPERATIONS.map((name) => `${name} PeFailedError`).join(", ");
