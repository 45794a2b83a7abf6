/**
 * What the test runner says at its end, read back from its output.
 *
 * @module
 */

/** How many tests went which way. */
export interface Counts {
  /** Tests that passed. */
  readonly passed: number;
  /** Tests that failed. */
  readonly failed: number;
  /** Tests that were not run; the suite counts them as failed. */
  readonly ignored: number;
}

/**
 * Reads the last summary line of `deno test`, such as `ok | 12 passed (3 steps) | 1 failed (31ms)`.
 *
 * A run that ends badly without a failed test, by an error outside the tests, a leak, or its limit,
 * counts as one failure.
 *
 * @param output What the runner wrote, without colours
 * @param code Its exit code
 * @returns The counts
 */
export function readSummary(output: string, code: number): Counts {
  const lines = output.match(/^(?:ok|FAILED) \| .*\d+ passed.*$/gm);
  const line = lines?.at(-1) ?? "";
  const count = (word: string): number =>
    Number(new RegExp(`\\b(\\d+) ${word}\\b`).exec(line)?.[1] ?? 0);
  const failed = count("failed");
  const ended = code === 0 && line !== "";
  return {
    passed: count("passed"),
    failed: ended ? failed : Math.max(1, failed),
    ignored: count("ignored"),
  };
}

/** How much is repeated of one suite's errors, in characters. */
const ERRORS_SHOWN = 6000;

/**
 * Reads what failed out of the output of `deno test`: its section of errors, or the end of the
 * output where it came to none. A reader who has only the end of a long log needs it there.
 *
 * @param output What the runner wrote, without colours
 * @returns The errors, shortened in the middle where they are long
 */
export function readErrors(output: string): string {
  const start = output.lastIndexOf("\n ERRORS \n");
  const end = output.indexOf("\n FAILURES \n", start);
  const errors = start >= 0 && end >= 0
    ? output.slice(start + "\n ERRORS \n".length, end).trim()
    : output.trim().slice(-ERRORS_SHOWN / 4);
  if (errors.length <= ERRORS_SHOWN) return errors;
  const half = ERRORS_SHOWN / 2;
  return `${errors.slice(0, half)}\n[…]\n${errors.slice(-half)}`;
}
