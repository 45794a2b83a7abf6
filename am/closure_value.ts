/**
 * Closures as values: a function and its captures, callable where they are, and fit to travel.
 *
 * @module
 */

import { FeatureLevelError } from "../internal/errors.ts";
import { analyseClosure, compileClosure } from "./closure_source.ts";
import { MsgpackCodec, registerExtension } from "./msgpack_codec.ts";

/** Extension type of closures in MessagePack. */
const EXTENSION_TYPE = 33;

const CLOSURE: unique symbol = Symbol("lamellar.closure");
const AT_ORIGIN: unique symbol = Symbol("lamellar.atOrigin");

/** The source of a closure with its captures. */
export class ClosureValue {
  readonly source: string;
  readonly captures: readonly unknown[];

  /**
   * @param source Text of the function.
   * @param captures What it is called with.
   */
  constructor(source: string, captures: readonly unknown[]) {
    this.source = source;
    this.captures = captures;
  }

  /**
   * Runs it on this PE.
   *
   * @param context Passed behind the captures.
   * @returns What the function returns.
   */
  run(context: unknown): unknown {
    return compileClosure(this.source)(...this.captures, context);
  }
}

/** A closure that travels as data: call it to run it. */
export interface Closure<R> {
  (): R;
  /**
   * What travels.
   *
   * @internal
   */
  readonly [CLOSURE]: ClosureValue;
}

/** A closure that runs at the origin when a handler returns it; the caller gets its value. */
export interface OriginClosure<R> extends Closure<R> {
  /**
   * Tells it from a closure that is data.
   *
   * @internal
   */
  readonly [AT_ORIGIN]: true;
}

/** What a caller gets from a closure that returns `R`. */
export type ClosureResult<R> = [Awaited<R>] extends [never] ? never
  : Awaited<R> extends OriginClosure<infer T> ? Awaited<T>
  : Awaited<R>;

/**
 * Makes a closure that can travel.
 *
 * @param fn The function; uses only its parameters, its own variables and globals.
 * @param captures What it is called with.
 * @returns A function that calls it.
 * @throws {TypeError} If the function uses what its source does not carry.
 */
export function makeClosure(
  // deno-lint-ignore ban-types -- the signatures of the context check that the captures fit
  fn: Function,
  captures: readonly unknown[],
): Closure<unknown> {
  return callable(new ClosureValue(analyseClosure(fn).source, captures));
}

/**
 * Makes a closure that runs at the origin when a handler returns it.
 *
 * @param fn The function; uses only its parameters, its own variables and globals.
 * @param captures What it is called with.
 * @returns What the handler has to return.
 * @throws {TypeError} If the function uses what its source does not carry.
 */
export function makeOriginClosure(
  // deno-lint-ignore ban-types -- the signatures of the context check that the captures fit
  fn: Function,
  captures: readonly unknown[],
): OriginClosure<unknown> {
  const closure = makeClosure(fn, captures);
  return Object.defineProperty(closure, AT_ORIGIN, { value: true }) as OriginClosure<unknown>;
}

function callable(value: ClosureValue): Closure<unknown> {
  const run = (): unknown => compileClosure(value.source)(...value.captures);
  return Object.defineProperty(run, CLOSURE, { value }) as unknown as Closure<unknown>;
}

/**
 * @param value Any value.
 * @returns What travels if it is a closure, or undefined.
 */
export function closureOf(value: unknown): ClosureValue | undefined {
  return typeof value === "function" ? (value as Partial<Closure<unknown>>)[CLOSURE] : undefined;
}

/**
 * @param value A closure.
 * @returns Whether it runs at the origin.
 */
export function atOrigin(value: unknown): boolean {
  return (value as Partial<OriginClosure<unknown>>)[AT_ORIGIN] === true;
}

/** What the decoder of a closure has to know of its world. */
export interface ClosurePolicy {
  readonly closuresAllowed: boolean;
}

/**
 * @param op What was called.
 * @returns The error of a world without closures.
 */
export function closuresRefused(op: string): FeatureLevelError {
  return new FeatureLevelError(
    `Cannot run ${op}: this world was built without closures, which run code from other PEs ` +
      "(LAMELLAR_CLOSURES=1 or withClosures(true) allows them)",
    { op },
  );
}

// Of its own: it encodes while the codec of what holds the closure does.
const closureCodec = new MsgpackCodec("captures");

registerExtension({
  type: EXTENSION_TYPE,
  match: (value) => closureOf(value) !== undefined,
  encode: (value) => {
    const { source, captures } = closureOf(value)!;
    return closureCodec.encode([source, captures]).slice();
  },
  decode: (bytes, context) => {
    if (!(context as ClosurePolicy).closuresAllowed) throw closuresRefused("a closure");
    const [source, captures] = closureCodec.decode(bytes, context) as [string, unknown[]];
    return callable(new ClosureValue(source, captures));
  },
});
