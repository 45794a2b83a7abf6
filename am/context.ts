/**
 * What a handler gets besides its payload, and what the world offers it. The names are those of
 * Lamellar's traits.
 *
 * @module
 */

import type { Handle } from "../lamellae/mod.ts";
import type {
  ElementType,
  ElementTypeLike,
  OneSidedMemoryRegion,
  RmaHandle,
} from "../memregion/mod.ts";
import type { AmCall } from "./call.ts";
import type { Closure, ClosureResult, OriginClosure } from "./closure/value.ts";
import type { AmHandle, LaunchOptions } from "./handle.ts";
import type { MultiAmHandle } from "./multi_handle.ts";

/**
 * The captures of a closure: its parameters without the context after them. A parameter with a
 * default may be left out. An optional parameter without a default may not: if its capture were
 * missing, the last parameter would get the context.
 *
 * @category Closures
 */
export type Captures<P extends readonly unknown[]> = P extends readonly [...infer C, AmContext] ? C
  : P;

/**
 * The captures of a closure, as the last argument. They may be left out if its only parameter, if
 * any, is the one for the context.
 *
 * @category Closures
 */
export type ClosureCaptures<P extends readonly unknown[]> = Captures<P> extends readonly []
  ? [captures?: Captures<P>]
  : [captures: Captures<P>];

/**
 * The arguments after the closure in a launch: its captures, which may be left out if its only
 * parameter, if any, is the one for the context, and then the options.
 *
 * @category Closures
 */
export type ClosureArguments<P extends readonly unknown[]> = Captures<P> extends readonly []
  ? [captures?: Captures<P>, options?: LaunchOptions]
  : [captures: Captures<P>, options?: LaunchOptions];

/**
 * Which PE this is and how many there are, as numbered in the team of the object.
 *
 * @category World
 */
export interface LamellarEnv {
  /** This PE. */
  readonly myPe: number;
  /** Number of PEs. */
  readonly numPes: number;
  /** Number of threads of this PE: 1, because a PE is one Worker. */
  readonly numThreadsPerPe: number;
  /** The world. */
  readonly world: ActiveMessaging & LamellarEnv;
  /** The team of the object. */
  readonly team: ActiveMessaging & LamellarEnv;
}

/**
 * A handle that you can block on.
 *
 * @category Active messages
 */
export interface Blockable<T> {
  /** Blocks this PE until the value is there. */
  block(): T;
}

/**
 * Launching and waiting.
 *
 * @category Active messages
 */
export interface ActiveMessaging {
  /** Runs an AM on one PE, with a copy of its payload. */
  execAmPe<T>(pe: number, call: AmCall<T>, options?: LaunchOptions): AmHandle<T>;
  /** Runs an AM on every PE, including this one; results come in the order of the PEs. */
  execAmAll<T>(call: AmCall<T>, options?: LaunchOptions): MultiAmHandle<T>;
  /** Runs an AM on this PE, without copying its payload. */
  execAmLocal<T>(call: AmCall<T>, options?: LaunchOptions): AmHandle<T>;
  /**
   * Runs a closure on one PE, with copies of the captures. If it has more parameters than there are
   * captures, the last one gets the context, unless it has a default or is a rest parameter.
   */
  execClosurePe<P extends readonly unknown[], R>(
    pe: number,
    fn: (...args: P) => R,
    ...given: ClosureArguments<P>
  ): AmHandle<ClosureResult<R>>;
  /** Runs a closure on every PE. */
  execClosureAll<P extends readonly unknown[], R>(
    fn: (...args: P) => R,
    ...given: ClosureArguments<P>
  ): MultiAmHandle<ClosureResult<R>>;
  /** Runs a closure on this PE, without copying its captures. */
  execClosureLocal<P extends readonly unknown[], R>(
    fn: (...args: P) => R,
    ...given: ClosureArguments<P>
  ): AmHandle<ClosureResult<R>>;
  /** Blocks until everything this PE launched is over. */
  waitAll(): void;
  /** Like `waitAll`, for `await`. */
  awaitAll(): Promise<void>;
  /** Blocks until every PE has called it. */
  barrier(): void;
  /** Like `barrier`, for `await`. */
  asyncBarrier(): Handle<void>;
  /** Runs a task on this PE, counted by `waitAll`. */
  spawn<T>(task: PromiseLike<T> | (() => T | PromiseLike<T>)): Handle<T>;
  /**
   * Waits for all that the body launches through the scope it gets, and for what the handlers of
   * that launch in turn.
   */
  finish<T>(
    body: (scope: HandlerWorld) => T | PromiseLike<T>,
    options?: FinishOptions,
  ): Handle<T>;
  /** Blocks on a handle. */
  blockOn<T>(handle: Blockable<T>): T;
  /** Blocks on several handles; the results come in their order. */
  blockOnAll<T>(handles: Iterable<Blockable<T>>): T[];
}

/**
 * Options of a finish: when it stops.
 *
 * @category Active messages
 */
export interface FinishOptions {
  /** Stops the finish when it is aborted. */
  signal?: AbortSignal;
  /**
   * After how many milliseconds, 0 or more, the finish stops; without it, or with `Infinity`, there
   * is no limit.
   */
  timeoutMs?: number;
}

/**
 * The memory of this PE, and the operations of this PE on the memory of others.
 *
 * @category Memory regions
 */
export interface RemoteMemoryRegion {
  /** Allocates a memory region on this PE, which others can read and write. */
  allocOneSidedMemRegion<E extends ElementType>(
    type: ElementTypeLike<E>,
    length: number,
  ): OneSidedMemoryRegion<E>;
  /**
   * Orders the region operations that this PE started before those it starts once the handle is
   * done.
   */
  fence(): RmaHandle<void>;
  /**
   * Completes the region operations of this PE: the handle is done once all have reached their
   * targets.
   */
  quiet(): RmaHandle<void>;
}

/**
 * The world as handlers see it.
 *
 * @category Active messages
 */
export interface HandlerWorld extends ActiveMessaging, LamellarEnv, RemoteMemoryRegion {}

/**
 * A team as handlers see it; PEs are numbered within the team.
 *
 * @category Active messages
 */
export interface HandlerTeam extends ActiveMessaging, LamellarEnv {}

/**
 * The second parameter of every handler, and the last parameter of a closure that has one more than
 * its captures.
 *
 * @category Active messages
 */
export interface AmContext {
  /** The PE the handler runs on. */
  readonly currentPe: number;
  /** Number of PEs of the world. */
  readonly numPes: number;
  /** The world. */
  readonly world: HandlerWorld;
  /** The team in which the AM was launched; the world's team if it was launched in the world. */
  readonly team: HandlerTeam;
  /** Makes a closure that travels as data: if a handler returns it, the caller gets a function. */
  closure<P extends readonly unknown[], R>(
    fn: (...args: P) => R,
    ...given: ClosureCaptures<P>
  ): Closure<R>;
  /** Makes a closure that runs at the origin if a handler returns it; the caller gets its value. */
  onReturn<P extends readonly unknown[], R>(
    fn: (...args: P) => R,
    ...given: ClosureCaptures<P>
  ): OriginClosure<R>;
}
