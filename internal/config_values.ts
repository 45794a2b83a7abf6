/**
 * How the texts of environment variables are read and checked.
 *
 * @module
 */

/** Gives the value of an environment variable, or undefined if it is not set. */
export type Environment = (name: string) => string | undefined;

/** How the text of a variable is read. */
export type Kind =
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  | { readonly kind: "bytes"; readonly min: number; readonly max: number; readonly pow2?: true }
  | { readonly kind: "seconds"; readonly max: number }
  | { readonly kind: "boolean" }
  | { readonly kind: "text"; readonly what: string }
  | { readonly kind: "enum"; readonly words: readonly string[] };

/** One environment variable. */
export interface Variable {
  readonly name: string;
  readonly takes: Kind;
  /** What holds when it is not set, as the document says it. */
  readonly byDefault: string;
  readonly meaning: string;
}

/** Bytes of a kibibyte. */
export const KIB = 1024;
const MIB = 1024 * KIB;
/** Bytes of a gibibyte. */
export const GIB: number = 1024 * MIB;

/**
 * Reads the text of a variable.
 *
 * @param variable The variable.
 * @param env Where values come from.
 * @returns The text without spaces around it; undefined if there is none.
 */
export function valueOf(variable: Variable, env: Environment): string | undefined {
  const text = env(variable.name)?.trim();
  return text === "" ? undefined : text;
}

function complaint(variable: Variable, text: string): string {
  return `${variable.name} must be ${describe(variable.takes)}, got ${JSON.stringify(text)}`;
}

function checked(
  variable: Variable,
  text: string,
  value: number,
  min: number,
  max: number,
): number {
  if (value < min || value > max) throw new RangeError(complaint(variable, text));
  return value;
}

/**
 * Reads one of a few words.
 *
 * @param variable The variable.
 * @param env Where values come from.
 * @returns The word; undefined if the variable is not set.
 * @throws {TypeError} If the text is not what the variable takes.
 */
export function word<W extends string>(
  variable: Variable & { takes: { kind: "enum"; words: readonly W[] } },
  env: Environment,
): W | undefined {
  const text = valueOf(variable, env);
  if (text === undefined) return undefined;
  if (!(variable.takes.words as readonly string[]).includes(text)) {
    throw new TypeError(complaint(variable, text));
  }
  return text as W;
}

/**
 * Reads a whole number.
 *
 * @param variable The variable.
 * @param env Where values come from.
 * @returns The number; undefined if the variable is not set.
 * @throws {TypeError} If the text is not what the variable takes.
 * @throws {RangeError} If the number is outside its limits.
 */
export function integer(
  variable: Variable & { takes: { kind: "integer"; min: number; max: number } },
  env: Environment,
): number | undefined {
  const text = valueOf(variable, env);
  if (text === undefined) return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw new TypeError(complaint(variable, text));
  return checked(variable, text, Number(text), variable.takes.min, variable.takes.max);
}

const UNITS: Readonly<Record<string, number>> = { "": 1, K: KIB, M: MIB, G: GIB, T: 1024 * GIB };

/**
 * Reads a number of bytes, perhaps with a unit such as `M`.
 *
 * @param variable The variable.
 * @param env Where values come from.
 * @returns The bytes; undefined if the variable is not set.
 * @throws {TypeError} If the text is not what the variable takes.
 * @throws {RangeError} If the number is outside its limits.
 */
export function bytes(
  variable: Variable & { takes: { kind: "bytes"; min: number; max: number; pow2?: true } },
  env: Environment,
): number | undefined {
  const text = valueOf(variable, env);
  if (text === undefined) return undefined;
  const parts = /^(-?\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text);
  if (parts === null) throw new TypeError(complaint(variable, text));
  const size = Number(parts[1]) * (UNITS[parts[2]!.toUpperCase()] ?? 1);
  if (!Number.isInteger(size)) throw new RangeError(complaint(variable, text));
  checked(variable, text, size, variable.takes.min, variable.takes.max);
  if (variable.takes.pow2 === true && !Number.isInteger(Math.log2(size))) {
    throw new RangeError(complaint(variable, text));
  }
  return size;
}

/**
 * Reads a number of seconds.
 *
 * @param variable The variable.
 * @param env Where values come from.
 * @returns Milliseconds; undefined if the variable is not set.
 * @throws {TypeError} If the text is not what the variable takes.
 * @throws {RangeError} If the number is outside its limits.
 */
export function milliseconds(
  variable: Variable & { takes: { kind: "seconds"; max: number } },
  env: Environment,
): number | undefined {
  const text = valueOf(variable, env);
  if (text === undefined) return undefined;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) throw new TypeError(complaint(variable, text));
  return Math.round(1000 * checked(variable, text, Number(text), 0, variable.takes.max));
}

/**
 * Reads a choice.
 *
 * @param variable The variable.
 * @param env Where values come from.
 * @returns The choice; undefined if the variable is not set.
 * @throws {TypeError} If the text is not what the variable takes.
 */
export function boolean(
  variable: Variable & { takes: { kind: "boolean" } },
  env: Environment,
): boolean | undefined {
  const text = valueOf(variable, env);
  if (text === undefined) return undefined;
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new TypeError(complaint(variable, text));
}

/**
 * Says what a variable takes, as messages and the document do.
 *
 * @param takes How its text is read.
 * @returns A phrase without an article before it.
 */
export function describe(takes: Kind): string {
  switch (takes.kind) {
    case "integer":
      return `a whole number from ${takes.min} to ${takes.max}`;
    case "bytes":
      return `a number of bytes from ${shortBytes(takes.min)} to ${shortBytes(takes.max)}` +
        (takes.pow2 === true ? " that is a power of two" : "");
    case "seconds":
      return `a number of seconds from 0 to ${takes.max}`;
    case "boolean":
      return "1 or 0";
    case "enum":
      return `${takes.words.slice(0, -1).join(", ")} or ${takes.words.at(-1)}`;
    case "text":
      return takes.what;
  }
}

function shortBytes(size: number): string {
  for (const unit of ["T", "G", "M", "K"]) {
    const scale = UNITS[unit]!;
    if (size >= scale && size % scale === 0) return `${size / scale}${unit}`;
  }
  return String(size);
}
