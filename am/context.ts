/**
 * What a handler gets besides its payload, and what the world offers it; the names follow
 * upstream's traits.
 *
 * @module
 */

import type { ElementType, OneSidedMemoryRegion } from "../memregion/mod.ts";
import type { AmCall } from "./call.ts";
import type { Closure, ClosureResult, OriginClosure } from "./closure_value.ts";
import type { AmHandle, LaunchOptions, MultiAmHandle } from "./handle.ts";

/** Parameters of a closure without the context behind them. */
export type Captures<P extends readonly unknown[]> = P extends readonly [...infer C, AmContext] ? C
  : P;

/** Who and how many we are; of an object, relative to its team. */
export interface LamellarEnv {
  /** This PE. */
  readonly myPe: number;
  /** Number of PEs. */
  readonly numPes: number;
  /** Threads of a PE: a Worker is one. */
  readonly numThreadsPerPe: number;
  /** The world. */
  readonly world: ActiveMessaging & LamellarEnv;
  /** The team of the object. */
  readonly team: ActiveMessaging & LamellarEnv;
}

/** Something one can block on. */
export interface Blockable<T> {
  /** Blocks this PE until the value is there. */
  block(): T;
}

/** Launching and waiting. */
export interface ActiveMessaging {
  /** Runs an AM on one PE. */
  execAmPe<T>(pe: number, call: AmCall<T>, options?: LaunchOptions): AmHandle<T>;
  /** Runs an AM on every PE, this one included; results come in the order of the PEs. */
  execAmAll<T>(call: AmCall<T>, options?: LaunchOptions): MultiAmHandle<T>;
  /** Runs an AM on this PE, without copying its payload. */
  execAmLocal<T>(call: AmCall<T>, options?: LaunchOptions): AmHandle<T>;
  /** Runs a closure on one PE; it is called with the captures, and the context behind them. */
  execClosurePe<P extends readonly unknown[], R>(
    pe: number,
    fn: (...args: P) => R,
    captures: Captures<P>,
    options?: LaunchOptions,
  ): AmHandle<ClosureResult<R>>;
  /** Runs a closure on every PE. */
  execClosureAll<P extends readonly unknown[], R>(
    fn: (...args: P) => R,
    captures: Captures<P>,
    options?: LaunchOptions,
  ): MultiAmHandle<ClosureResult<R>>;
  /** Runs a closure on this PE. */
  execClosureLocal<P extends readonly unknown[], R>(
    fn: (...args: P) => R,
    captures: Captures<P>,
    options?: LaunchOptions,
  ): AmHandle<ClosureResult<R>>;
  /** Blocks until everything this PE launched is over. */
  waitAll(): void;
  /** As `waitAll`, for `await`. */
  awaitAll(): Promise<void>;
  /** Blocks until every PE is here. */
  barrier(): void;
  /** As `barrier`, for `await`. */
  asyncBarrier(): PromiseLike<void> & Blockable<void>;
  /** Runs a task on this PE, counted by `waitAll`. */
  spawn<T>(task: PromiseLike<T> | (() => T | PromiseLike<T>)): PromiseLike<T>;
  /** Blocks on a handle. */
  blockOn<T>(handle: Blockable<T>): T;
  /** Blocks on several handles; the results come in their order. */
  blockOnAll<T>(handles: Iterable<Blockable<T>>): T[];
}

/** Allocating memory on this PE. */
export interface RemoteMemoryRegion {
  /** Allocates a memory region on this PE, which others can read and write. */
  allocOneSidedMemRegion<E extends ElementType>(type: E, length: number): OneSidedMemoryRegion<E>;
}

/** The world as handlers see it. */
export interface HandlerWorld extends ActiveMessaging, LamellarEnv, RemoteMemoryRegion {}

/** A team as handlers see it; PEs are numbered within the team. */
export interface HandlerTeam extends ActiveMessaging, LamellarEnv {}

/** The second parameter of every handler, and the last of every closure. */
export interface AmContext {
  /** The PE the handler runs on. */
  readonly currentPe: number;
  /** Number of PEs of the world. */
  readonly numPes: number;
  /** The world. */
  readonly world: HandlerWorld;
  /** The team the AM was launched in, the world's if it was launched in the world. */
  readonly team: HandlerTeam;
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
