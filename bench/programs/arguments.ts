import { parseArgs } from "node:util";

/** What a benchmark program was asked to do. */
export interface ProgramArguments<V extends string> {
  /** Updates, or requests, that each PE makes. */
  readonly updates: number;
  /** How many of them travel in one AM, or are under way at once. */
  readonly bufferSize: number;
  readonly variants: readonly V[];
  /** Whether the rate of the later variants is to be printed as a line of measurement too. */
  readonly metric: boolean;
}

/**
 * Reads `[updates a PE] [buffer size] [--variants a,b] [--metric]`, by default 1000, 1000
 * and all variants.
 *
 * @param args the command line
 * @param known the variants that the program has
 * @throws {RangeError} when a number is no whole number from 1 up, or a variant is unknown
 */
export function readArguments<V extends string>(
  args: readonly string[],
  known: readonly V[],
): ProgramArguments<V> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      variants: { type: "string", default: known.join(",") },
      metric: { type: "boolean", default: false },
    },
  });
  const number = (index: number, what: string) => {
    const value = Number(positionals[index] ?? 1000);
    if (Number.isSafeInteger(value) && value >= 1) return value;
    throw new RangeError(
      `Cannot use ${positionals[index]} as ${what}: give a whole number from 1 up`,
    );
  };
  const variants = values.variants.split(",").map((name) => {
    const variant = known.find((each) => each === name);
    if (variant !== undefined) return variant;
    throw new RangeError(`Cannot run the variant ${name}: there are ${known.join(", ")}`);
  });
  const { metric } = values;
  return { updates: number(0, "updates"), bufferSize: number(1, "buffer size"), variants, metric };
}
