/**
 * What a handler gets besides its payload.
 *
 * @module
 */

import type { Captures, Closure, OriginClosure } from "./closure_value.ts";
import type { HandlerWorld } from "./traits.ts";

/** The second parameter of every handler, and the last of every closure. */
export interface AmContext {
  /** The PE the handler runs on. */
  readonly currentPe: number;
  /** Number of PEs of the world. */
  readonly numPes: number;
  /** The world. */
  readonly world: HandlerWorld;
  /** The team the AM was sent in. */
  readonly team: HandlerWorld;
  /** Makes a closure that can travel as data: returned, the caller gets a function to call. */
  closure<P extends readonly unknown[], R>(
    fn: (...args: P) => R,
    captures: Captures<P>,
  ): Closure<R>;
  /** Makes a closure that, returned by a handler, runs at the origin; the caller gets its value. */
  onReturn<P extends readonly unknown[], R>(
    fn: (...args: P) => R,
    captures: Captures<P>,
  ): OriginClosure<R>;
}
