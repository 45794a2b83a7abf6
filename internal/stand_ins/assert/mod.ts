/**
 * A thin stand-in for `jsr:@std/assert` over `node:assert` and `node:util`, linked by deno.json
 * where JSR cannot be reached. It covers the assertions that this project uses.
 *
 * @module
 */

import { AssertionError as DiffError } from "node:assert";
import { inspect, isDeepStrictEqual } from "node:util";

// deno-lint-ignore no-explicit-any -- any argument list of a constructor
type AnyArgs = any[];
// deno-lint-ignore no-explicit-any -- abstract classes have no callable constructor type otherwise
type AnyClass = abstract new (...args: any[]) => any;
type ErrorClass<E extends Error> = abstract new (...args: AnyArgs) => E;

/** Thrown by every assertion that does not hold. */
export class AssertionError extends Error {
  /**
   * @param message What does not hold
   * @param options The cause, if any
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

function show(value: unknown): string {
  return inspect(value, { depth: 6, maxArrayLength: 64, maxStringLength: 2000 });
}

function tail(message: string | undefined): string {
  return message === undefined ? "." : `: ${message}`;
}

/** Asserts that `value` is truthy. */
export function assert(value: unknown, message = ""): asserts value {
  if (!value) throw new AssertionError(message);
}

/** Asserts that `value` is falsy. */
export function assertFalse(value: unknown, message?: string): asserts value is false {
  if (value) throw new AssertionError(`Expected value to be falsy${tail(message)}`);
}

/** Fails in any case. */
export function fail(message?: string): never {
  throw new AssertionError(`Failed assertion${tail(message)}`);
}

/** Marks a place that is never reached. */
export function unreachable(message = "Unreachable"): never {
  throw new AssertionError(message);
}

/**
 * -0 equals 0 and a typed array equals another of the same class, as in the package stood for.
 * `isDeepStrictEqual` tells -0 from 0, so the numbers at the top are compared first.
 */
function equal(actual: unknown, expected: unknown): boolean {
  return actual === expected || isDeepStrictEqual(actual, expected);
}

/** Asserts that two values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  if (equal(actual, expected)) return;
  const difference = new DiffError({ actual, expected, operator: "deepStrictEqual" }).message;
  throw new AssertionError(
    `Values are not equal${tail(message)}\n\n${difference.replace(/^.*\n/, "")}`,
  );
}

/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(
    `Expected actual: ${show(actual)} not to be: ${show(expected)}${tail(message)}`,
  );
}

/** Asserts that two values are the same, by `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  throw new AssertionError(
    `Values are not strictly equal${tail(message)}\n\n  actual:   ${show(actual)}` +
      `\n  expected: ${show(expected)}`,
  );
}

/** Asserts that two values are not the same, by `Object.is`. */
export function assertNotStrictEquals<T>(actual: T, expected: T, message?: string): void {
  if (!Object.is(actual, expected)) return;
  throw new AssertionError(
    `Expected "actual" to not be strictly equal to: ${show(expected)}${tail(message)}`,
  );
}

/** Asserts that two numbers differ by at most `tolerance`. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  message?: string,
): void {
  if (Object.is(actual, expected)) return;
  const limit = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  const delta = Math.abs(expected - actual);
  if (delta <= limit) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to be close to "${expected}": delta "${delta}" is greater than ` +
      `"${limit}"${tail(message)}`,
  );
}

function compare(holds: boolean, what: string, args: readonly unknown[], message?: string): void {
  if (holds) return;
  throw new AssertionError(`Expect ${show(args[0])} ${what} ${show(args[1])}${tail(message)}`);
}

/** Asserts that `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  compare(actual > expected, ">", [actual, expected], message);
}

/** Asserts that `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  compare(actual >= expected, ">=", [actual, expected], message);
}

/** Asserts that `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  compare(actual < expected, "<", [actual, expected], message);
}

/** Asserts that `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  compare(actual <= expected, "<=", [actual, expected], message);
}

/** Asserts that a value is neither null nor undefined. */
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw new AssertionError(
    `Expected actual: ${actual} to not be null or undefined${tail(message)}`,
  );
}

/** Asserts that a value is an instance of a class. */
export function assertInstanceOf<T extends AnyClass>(
  actual: unknown,
  expectedClass: T,
  message?: string,
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedClass) return;
  const name = expectedClass.name;
  const got = typeof actual === "object" && actual !== null
    ? actual.constructor?.name ?? "Object"
    : typeof actual;
  throw new AssertionError(
    `Expected object to be an instance of "${name}" but was "${got}"${tail(message)}`,
  );
}

/** Asserts that a text matches a pattern. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (expected.test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to match: "${expected}"${tail(message)}`,
  );
}

/** Asserts that a text does not match a pattern. */
export function assertNotMatch(actual: string, expected: RegExp, message?: string): void {
  if (!expected.test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to not match: "${expected}"${tail(message)}`,
  );
}

/** Asserts that a text contains another. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to contain: "${expected}"${tail(message)}`,
  );
}

/** Asserts that an array-like contains every one of the expected items. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  message?: string,
): void {
  const missing = Array.from(expected).filter((want) =>
    !Array.from(actual).some((got) => equal(got, want))
  );
  if (missing.length === 0) return;
  throw new AssertionError(
    `Expected actual: ${show(actual)} to include: ${show(expected)}, missing: ${show(missing)}` +
      tail(message),
  );
}

/** Asserts that an error is of a class and that its message contains a text. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  // deno-lint-ignore no-explicit-any -- any argument list of a constructor
  ErrorClass?: abstract new (...args: any[]) => E,
  msgMatches?: string | RegExp,
  message?: string,
): asserts error is E {
  const end = tail(message);
  if (!(error instanceof Error)) {
    throw new AssertionError(`Expected "error" to be an Error object${end}`);
  }
  if (ErrorClass !== undefined && !(error instanceof ErrorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${ErrorClass.name}", but was ` +
        `"${error.constructor?.name}"${end}`,
      { cause: error },
    );
  }
  const holds = msgMatches === undefined ||
    (typeof msgMatches === "string"
      ? error.message.includes(msgMatches)
      : msgMatches.test(error.message));
  if (holds) return;
  throw new AssertionError(
    `Expected error message to include ${show(msgMatches)}, but got ${show(error.message)}${end}`,
    { cause: error },
  );
}

/** Asserts that a function throws, and returns what it threw. */
export function assertThrows(fn: () => unknown, message?: string): unknown;
/** Asserts that a function throws an error of a class, and returns the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  message?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  classOrMessage?: ErrorClass<E> | string,
  msgIncludes?: string,
  message?: string,
): unknown {
  try {
    fn();
  } catch (error) {
    return checkThrown(error, classOrMessage, msgIncludes, message);
  }
  throw notThrown("throw", classOrMessage, message);
}

/** Asserts that a promise rejects, and returns the reason. */
export function assertRejects(fn: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
/** Asserts that a promise rejects with an error of a class, and returns the error. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  message?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  classOrMessage?: ErrorClass<E> | string,
  msgIncludes?: string,
  message?: string,
): Promise<unknown> {
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
    await promise;
  } catch (error) {
    if (promise === undefined) {
      throw new AssertionError("Function throws when expected to reject", { cause: error });
    }
    return checkThrown(error, classOrMessage, msgIncludes, message);
  }
  throw notThrown("reject", classOrMessage, message);
}

function checkThrown<E extends Error>(
  error: unknown,
  classOrMessage: ErrorClass<E> | string | undefined,
  msgIncludes: string | undefined,
  message: string | undefined,
): unknown {
  if (typeof classOrMessage === "function") {
    if (!(error instanceof Error)) {
      throw new AssertionError(`A non-Error object was thrown or rejected: ${show(error)}`);
    }
    assertIsError(error, classOrMessage, msgIncludes, message);
  }
  return error;
}

function notThrown(
  verb: string,
  classOrMessage: unknown,
  message: string | undefined,
): AssertionError {
  const text = typeof classOrMessage === "string" ? classOrMessage : message;
  return new AssertionError(`Expected function to ${verb}${tail(text)}`);
}
