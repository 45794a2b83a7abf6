import { parseArgs } from "node:util";

/** A number that a program takes. */
export interface NumberArgument {
  /** What it is, in a message. */
  readonly words: string;
  readonly byDefault: number;
  /** The largest one; without it, any. */
  readonly max?: number;
}

/** Updates, or requests, that each PE makes. */
export const UPDATES: NumberArgument = { words: "updates", byDefault: 1000 };
/** How many of them travel in one AM, or are under way at once. */
export const BUFFER_SIZE: NumberArgument = { words: "buffer size", byDefault: 1000 };
/** Where the original takes the number of threads that launch AMs, only one can be given. */
export const LAUNCH_THREADS: NumberArgument = {
  words: "launch threads of a PE",
  byDefault: 1,
  max: 1,
};
/** Elements of each PE's part of a table. */
export const TABLE_LENGTH: NumberArgument = { words: "table length", byDefault: 1_000_000 };

/** What a benchmark program was asked to do. */
export interface ProgramArguments<V extends string, N extends string> {
  readonly numbers: Readonly<Record<N, number>>;
  readonly variants: readonly V[];
  /** How often each variant runs. */
  readonly iterations: number;
  /** Whether the rate is to be printed as a line of measurement too. */
  readonly metric: boolean;
}

const ITERATIONS: NumberArgument = { words: "iterations", byDefault: 1 };

/**
 * Reads the command line of a program: its numbers in their order or by name, such as `bufferSize`
 * by `--buffer-size N`; then `--variants a,b` (all without it), `--iterations N` and `--metric`.
 *
 * @param args the command line
 * @param known the variants that the program has
 * @param numbers the numbers that it takes
 * @throws {RangeError} when a number is not a whole number from 1 up to its largest, or given
 * twice, when a variant is unknown, or when there is an argument too many
 */
export function readArguments<V extends string, N extends string>(
  args: readonly string[],
  known: readonly V[],
  numbers: Readonly<Record<N, NumberArgument>>,
): ProgramArguments<V, N> {
  const names = Object.keys(numbers) as N[];
  const options = [...names.map(optionOf), "iterations", "variants"];
  const { texts, metric, positionals } = parse(args, options);
  if (positionals.length > names.length) {
    throw new RangeError(`Cannot use ${positionals.slice(names.length)}: it is one too many`);
  }
  const read = names.map((name, i) => {
    const [option, positional] = [texts[optionOf(name)], positionals[i]];
    if (option !== undefined && positional !== undefined) {
      throw new RangeError(`Cannot use both ${positional} and ${option}: give one of them`);
    }
    return [name, wholeNumber(option ?? positional, numbers[name])];
  });
  return {
    numbers: Object.fromEntries(read),
    variants: chosenVariants(texts.variants, known),
    iterations: wholeNumber(texts.iterations, ITERATIONS),
    metric,
  };
}

/** The texts of the options that have one, by name. */
function parse(
  args: readonly string[],
  names: readonly string[],
): { texts: Readonly<Record<string, string>>; metric: boolean; positionals: string[] } {
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { ...options, metric: { type: "boolean" } },
  });
  const { metric = false, ...texts } = values as Record<string, string> & { metric?: boolean };
  return { texts, metric, positionals };
}

function optionOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function wholeNumber(text: string | undefined, { words, byDefault, max }: NumberArgument): number {
  const value = text === undefined ? byDefault : Number(text);
  if (Number.isSafeInteger(value) && value >= 1 && value <= (max ?? value)) return value;
  const range = max === undefined ? "from 1 up" : max === 1 ? "1" : `from 1 to ${max}`;
  throw new RangeError(`Cannot use ${text} as ${words}: give a whole number, ${range}`);
}

function chosenVariants<V extends string>(text: string | undefined, known: readonly V[]): V[] {
  if (text === undefined) return [...known];
  return text.split(",").map((name) => {
    const variant = known.find((each) => each === name);
    if (variant !== undefined) return variant;
    throw new RangeError(`Cannot run the variant ${name}: there are ${known.join(", ")}`);
  });
}
