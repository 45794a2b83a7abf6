/**
 * What errors of memory advise: programs with sessions set it by options, and not by the launcher.
 *
 * @module
 */

/** What messages of worlds say, and what is said in a session. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/lower LAMELLAR_HEAP_SIZE \(--heap\)/, "lower the option heapSize"],
  [/, or give each process fewer PEs \(--pes-per-process\)/, ", or start fewer PEs"],
  [/raise LAMELLAR_HEAP_SIZE/, "raise the option heapSize of startSession"],
];

/**
 * @param text A message of an error.
 * @returns The same, with the names of options.
 */
export function withOptions(text: string): string {
  return NAMES.reduce((changed, [from, to]) => changed.replace(from, to), text);
}

/**
 * @param error An error.
 * @returns The same, with the names of options in its message.
 */
export function inOptions(error: unknown): unknown {
  if (error instanceof RangeError) error.message = withOptions(error.message);
  return error;
}
