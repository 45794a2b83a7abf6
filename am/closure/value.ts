/**
 * Closures as values: a function and its captures, callable where they are, and fit to travel.
 *
 * @module
 */

import { FeatureLevelError } from "../../internal/errors.ts";
import { analyseClosure, type ClosureSource, compileClosure } from "./source.ts";
import { MsgpackCodec, registerExtension } from "../msgpack/msgpack_codec.ts";

/** Extension type of closures in MessagePack. */
const EXTENSION_TYPE = 33;

const CLOSURE: unique symbol = Symbol("lamellar.closure");
const AT_ORIGIN: unique symbol = Symbol("lamellar.atOrigin");

/** The source of a closure with its captures. */
export class ClosureValue {
  readonly source: string;
  /** Which parameter gets the context if no capture does, -1 if none. */
  readonly contextAt: number;
  readonly captures: readonly unknown[];

  /**
   * @param of Text of the function, and which parameter is for the context.
   * @param captures What it is called with.
   */
  constructor(of: ClosureText, captures: readonly unknown[]) {
    this.source = of.source;
    this.contextAt = of.contextAt;
    this.captures = captures;
  }

  /**
   * Runs it on this PE.
   *
   * @param context Passed behind the captures, if there is a parameter for it.
   * @returns What the function returns.
   */
  run(context: unknown): unknown {
    const { captures, contextAt } = this;
    if (captures.length > contextAt) return this.call();
    const all = [...captures];
    // Parameters in between have no capture: their defaults hold.
    all.length = contextAt;
    return compileClosure(this.source)(...all, context);
  }

  /** Runs it on this PE with its captures alone, as what travels as data is called. */
  call(): unknown {
    return compileClosure(this.source)(...this.captures);
  }
}

/** A function as it travels. */
export type ClosureText = Pick<ClosureSource, "source" | "contextAt">;

/**
 * A closure that travels as data: call it to run it.
 *
 * @category Closures
 */
export interface Closure<R> {
  (): R;
  /**
   * What travels.
   *
   * @internal
   */
  readonly [CLOSURE]: ClosureValue;
}

/**
 * A closure that runs at the origin when a handler returns it; the caller gets its value.
 *
 * @category Closures
 */
export interface OriginClosure<R> extends Closure<R> {
  /**
   * Tells it from a closure that is data.
   *
   * @internal
   */
  readonly [AT_ORIGIN]: true;
}

/**
 * The result that a caller gets from a closure that returns `R`.
 *
 * @category Closures
 */
export type ClosureResult<R> = [Awaited<R>] extends [never] ? never
  : Awaited<R> extends OriginClosure<infer T> ? Awaited<T>
  : Awaited<R>;

/**
 * Makes a closure that can travel.
 *
 * @param fn The function; uses only its parameters, its own variables and globals.
 * @param captures What it is called with; without them nothing.
 * @returns A function that calls it.
 * @throws {TypeError} If the function uses what its source does not carry.
 */
export function makeClosure(
  // deno-lint-ignore ban-types -- the signatures of the context check that the captures fit
  fn: Function,
  captures: readonly unknown[] = [],
): Closure<unknown> {
  return callable(new ClosureValue(analyseClosure(fn), captures));
}

/**
 * Makes a closure that runs at the origin when a handler returns it.
 *
 * @param fn The function; uses only its parameters, its own variables and globals.
 * @param captures What it is called with; without them nothing.
 * @returns What the handler has to return.
 * @throws {TypeError} If the function uses what its source does not carry.
 */
export function makeOriginClosure(
  // deno-lint-ignore ban-types -- the signatures of the context check that the captures fit
  fn: Function,
  captures?: readonly unknown[],
): OriginClosure<unknown> {
  const closure = makeClosure(fn, captures);
  return Object.defineProperty(closure, AT_ORIGIN, { value: true }) as OriginClosure<unknown>;
}

function callable(value: ClosureValue): Closure<unknown> {
  const run = (): unknown => value.call();
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
  encode: (value, found) => {
    const { source, captures } = closureOf(value)!;
    return closureCodec.encode([source, captures], found).slice();
  },
  decode: (bytes, context) => {
    if (!(context as ClosurePolicy).closuresAllowed) throw closuresRefused("a closure");
    const [source, captures] = closureCodec.decode(bytes, context) as [string, unknown[]];
    // Any PE that has it calls it, without a context.
    return callable(new ClosureValue({ source, contextAt: -1 }, captures));
  },
});
