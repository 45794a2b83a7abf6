/**
 * What a world and a team do alike: launching, waiting and allocating.
 *
 * @module
 */

import type {
  ActiveMessaging,
  AmCall,
  AmEngine,
  AmHandle,
  Blockable,
  Captures,
  ClosureResult,
  LaunchOptions,
} from "../am/mod.ts";
import { checkLaunchOptions, MultiAmHandle } from "../am/mod.ts";
import { ClosedError } from "../internal/errors.ts";
import type { Collectives, Lamella, Progress } from "../lamellae/mod.ts";
import type {
  AllocationResult,
  ElementType,
  OneSidedMemoryRegion,
  RegionHandle,
  RegionSpace,
  SharedMemoryRegion,
} from "../memregion/mod.ts";
import { BarrierHandle } from "./barrier.ts";
import { LamellarTask } from "./task.ts";

/** What every object of a world shares. */
export interface WorldCore {
  readonly lamella: Lamella;
  readonly progress: Progress;
  readonly collectives: Collectives;
  readonly engine: AmEngine;
  readonly regions: RegionSpace;
  /** Whether the world is closed. */
  closed: boolean;
}

/** Launching, waiting and allocating over all PEs of the world. */
export abstract class Messaging implements ActiveMessaging {
  /**
   * What every object of the world shares.
   *
   * @internal
   */
  protected readonly core: WorldCore;

  /**
   * Programs get a world from a builder.
   *
   * @internal
   * @param core What every object of the world shares.
   */
  constructor(core: WorldCore) {
    this.core = core;
  }

  /** This PE. */
  get myPe(): number {
    return this.core.lamella.pe;
  }

  /** Number of PEs. */
  get numPes(): number {
    return this.core.lamella.numPes;
  }

  /** Threads of a PE: a Worker is one. */
  get numThreadsPerPe(): number {
    return 1;
  }

  /**
   * Runs an AM on one PE. It is under way when this returns.
   *
   * @param pe Where it runs, 0 to `numPes - 1`.
   * @param call The AM with its payload.
   * @param options When to stop waiting.
   * @returns A handle: await it, block on it, or ignore it.
   * @throws {RangeError} If there is no such PE, or a field of the payload is out of range.
   * @throws {TypeError} If the payload cannot be sent.
   */
  execAmPe<T>(pe: number, call: AmCall<T>, options?: LaunchOptions): AmHandle<T> {
    this.#check(pe, "execAmPe", options);
    return this.core.engine.launch(pe, call, options);
  }

  /**
   * Runs an AM on every PE, this one included.
   *
   * @param call The AM with its payload.
   * @param options When to stop waiting.
   * @returns A handle of the results in the order of the PEs.
   */
  execAmAll<T>(call: AmCall<T>, options?: LaunchOptions): MultiAmHandle<T> {
    return this.#onAll((pe) => this.execAmPe(pe, call, options));
  }

  /**
   * Runs an AM on this PE; its payload is handed over without a copy.
   *
   * @param call The AM with its payload.
   * @param options When to stop waiting.
   * @returns A handle.
   */
  execAmLocal<T>(call: AmCall<T>, options?: LaunchOptions): AmHandle<T> {
    this.#check(this.myPe, "execAmLocal", options);
    return this.core.engine.launchLocal(call, options);
  }

  /**
   * Runs a closure on one PE. It travels by its source, so it may use only its parameters, its own
   * variables, and globals.
   *
   * @param pe Where it runs, 0 to `numPes - 1`.
   * @param fn The function; it gets the captures, and the context of handlers behind them.
   * @param captures What it is called with.
   * @param options When to stop waiting.
   * @returns A handle of what the function returns.
   * @throws {TypeError} If the function uses what its source does not carry, naming all of it.
   * @throws {FeatureLevelError} If the world was built without closures.
   */
  execClosurePe<P extends readonly unknown[], R>(
    pe: number,
    fn: (...args: P) => R,
    captures: Captures<P>,
    options?: LaunchOptions,
  ): AmHandle<ClosureResult<R>> {
    this.#check(pe, "execClosurePe", options);
    const handle = this.core.engine.launchClosure(pe, fn, captures, options);
    return handle as AmHandle<ClosureResult<R>>;
  }

  /**
   * Runs a closure on every PE, this one included.
   *
   * @param fn The function.
   * @param captures What it is called with.
   * @param options When to stop waiting.
   * @returns A handle of the results in the order of the PEs.
   */
  execClosureAll<P extends readonly unknown[], R>(
    fn: (...args: P) => R,
    captures: Captures<P>,
    options?: LaunchOptions,
  ): MultiAmHandle<ClosureResult<R>> {
    return this.#onAll((pe) => this.execClosurePe(pe, fn, captures, options));
  }

  /**
   * Runs a closure on this PE.
   *
   * @param fn The function.
   * @param captures What it is called with.
   * @param options When to stop waiting.
   * @returns A handle of what the function returns.
   */
  execClosureLocal<P extends readonly unknown[], R>(
    fn: (...args: P) => R,
    captures: Captures<P>,
    options?: LaunchOptions,
  ): AmHandle<ClosureResult<R>> {
    return this.execClosurePe(this.myPe, fn, captures, options);
  }

  /**
   * Blocks until everything this PE launched is over. For all PEs: `waitAll()`, then `barrier()`.
   *
   * @throws {RemoteError} If an AM whose handle was ignored failed; an `AggregateError` if several
   * did.
   */
  waitAll(): void {
    this.#checkOpen("waitAll");
    this.core.engine.waitAll();
  }

  /** As `waitAll`, for `await`. */
  async awaitAll(): Promise<void> {
    this.#checkOpen("awaitAll");
    await this.core.engine.awaitAll();
  }

  /**
   * Blocks until every PE is here. AMs run meanwhile; those under way are not waited for.
   *
   * @throws {CollectiveMismatchError} If another PE called a different collective.
   */
  barrier(): void {
    this.#checkOpen("barrier");
    this.core.engine.outbox.flush();
    this.core.collectives.barrier();
  }

  /**
   * Enters a barrier without waiting.
   *
   * @returns A handle: await it or block on it.
   */
  asyncBarrier(): BarrierHandle {
    this.#checkOpen("asyncBarrier");
    this.core.engine.outbox.flush();
    return new BarrierHandle(this.core.collectives.call("barrier"));
  }

  /**
   * Runs a task on this PE. It goes on whether or not somebody waits for it; `awaitAll` covers it.
   *
   * @param task A promise, or a function that is called at once.
   * @returns A handle of its value.
   */
  spawn<T>(task: PromiseLike<T> | (() => T | PromiseLike<T>)): LamellarTask<T> {
    this.#checkOpen("spawn");
    const promise = typeof task === "function" ? Promise.try(task) : Promise.resolve(task);
    const handle = new LamellarTask<T>(promise as Promise<T>);
    this.core.engine.track(promise, () => handle.observed);
    return handle;
  }

  /**
   * Blocks on a handle. A promise cannot be blocked on: it needs the event loop.
   *
   * @param handle A handle of an AM, a barrier, or an operation on a region.
   * @returns Its value.
   */
  blockOn<T>(handle: Blockable<T>): T {
    this.#checkOpen("blockOn");
    if (typeof (handle as Partial<Blockable<T>>)?.block !== "function") {
      throw new TypeError("Cannot block on what is no handle of the runtime: use await");
    }
    return handle.block();
  }

  /**
   * Blocks on several handles.
   *
   * @param handles Any number of handles.
   * @returns Their values, in their order.
   */
  blockOnAll<T>(handles: Iterable<Blockable<T>>): T[] {
    return Array.from(handles, (handle) => this.blockOn(handle));
  }

  /**
   * Allocates a memory region with a part on every PE. Collective: every PE calls it with the same
   * arguments.
   *
   * @param type The element type, such as `"f64"`.
   * @param length Elements on each PE, all 0 at first.
   * @returns A handle for the region: await it or block on it. It fails on every PE with an
   * `OutOfMemoryError` if one of them has no room.
   * @throws {RangeError} If the length is no integer from 1.
   */
  allocSharedMemRegion<E extends ElementType>(
    type: E,
    length: number,
  ): RegionHandle<SharedMemoryRegion<E>> {
    this.#checkOpen("allocSharedMemRegion");
    return this.core.regions.allocShared(type, length);
  }

  /**
   * As `allocSharedMemRegion`, with a result that tells whether there was room.
   *
   * @param type The element type, such as `"f64"`.
   * @param length Elements on each PE, all 0 at first.
   * @returns A handle for the result.
   */
  tryAllocSharedMemRegion<E extends ElementType>(
    type: E,
    length: number,
  ): RegionHandle<AllocationResult<SharedMemoryRegion<E>>> {
    this.#checkOpen("tryAllocSharedMemRegion");
    return this.core.regions.tryAllocShared(type, length);
  }

  /**
   * Allocates a memory region on this PE only. Its handle can travel in AMs, and whoever has it can
   * read and write the memory.
   *
   * @param type The element type, such as `"f64"`.
   * @param length Its elements, all 0 at first.
   * @returns The region.
   * @throws {OutOfMemoryError} If this PE has no room.
   * @throws {RangeError} If the length is no integer from 1.
   */
  allocOneSidedMemRegion<E extends ElementType>(
    type: E,
    length: number,
  ): OneSidedMemoryRegion<E> {
    this.#checkOpen("allocOneSidedMemRegion");
    return this.core.regions.allocOneSided(type, length);
  }

  /**
   * As `allocOneSidedMemRegion`, with a result that tells whether there was room.
   *
   * @param type The element type, such as `"f64"`.
   * @param length Its elements, all 0 at first.
   * @returns The result.
   */
  tryAllocOneSidedMemRegion<E extends ElementType>(
    type: E,
    length: number,
  ): AllocationResult<OneSidedMemoryRegion<E>> {
    this.#checkOpen("tryAllocOneSidedMemRegion");
    return this.core.regions.tryAllocOneSided(type, length);
  }

  #onAll<T>(launch: (pe: number) => AmHandle<T>): MultiAmHandle<T> {
    return new MultiAmHandle(Array.from({ length: this.numPes }, (_, pe) => launch(pe)));
  }

  #check(pe: number, op: string, options: LaunchOptions | undefined): void {
    if (options) checkLaunchOptions(options, op);
    if (this.core.closed) this.#checkOpen(op);
    if (!(pe >= 0 && pe < this.core.lamella.numPes && Number.isInteger(pe))) {
      throw new RangeError(
        `Cannot call ${op} for PE ${pe}: the world has PEs 0 to ${this.numPes - 1}`,
      );
    }
  }

  #checkOpen(op: string): void {
    if (!this.core.closed) return;
    throw new ClosedError(`Cannot call ${op}: the world is closed`, { pe: this.myPe, op });
  }
}
