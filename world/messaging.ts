/**
 * What a world and a team do alike: launching and waiting.
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
  TeamWork,
} from "../am/mod.ts";
import { checkLaunchOptions, MultiAmHandle } from "../am/mod.ts";
import { ClosedError } from "../internal/errors.ts";
import type { Collectives, Lamella, Progress } from "../lamellae/mod.ts";
import type { RegionSpace } from "../memregion/mod.ts";
import { BarrierHandle } from "./barrier.ts";
import { LamellarTask } from "./task.ts";
import type { TeamParent, Teams } from "./teams.ts";

/** What every object of a world shares. */
export interface WorldCore {
  readonly lamella: Lamella;
  readonly progress: Progress;
  readonly collectives: Collectives;
  readonly engine: AmEngine;
  readonly regions: RegionSpace;
  /** The teams this PE knows. */
  readonly teams: Teams;
  /** The world as the parent of teams. */
  readonly root: TeamParent;
  /** Whether the world is closed. */
  closed: boolean;
}

/** Launching and waiting: over all PEs of the world, unless a class says something else. */
export abstract class Messaging implements ActiveMessaging {
  /**
   * What every object of the world shares.
   *
   * @internal
   */
  protected readonly core: WorldCore;
  /**
   * What was launched in this team, undefined for the world's.
   *
   * @internal
   */
  protected readonly work: TeamWork | undefined;

  /**
   * Programs get a world from a builder.
   *
   * @internal
   * @param core What every object of the world shares.
   * @param work What was launched in this team, undefined for the world's.
   */
  constructor(core: WorldCore, work?: TeamWork) {
    this.core = core;
    this.work = work;
  }

  /** This PE, by its number in the team. */
  get myPe(): number {
    return this.core.lamella.pe;
  }

  /** Number of PEs of the team. */
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
    const target = this.target(pe, "execAmPe", options);
    return this.core.engine.launch(target, call, options, this.work);
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
    this.target(this.myPe, "execAmLocal", options);
    return this.core.engine.launchLocal(call, options, this.work);
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
    const target = this.target(pe, "execClosurePe", options);
    const handle = this.core.engine.launchClosure(target, fn, captures, options, this.work);
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
    this.checkOpen("waitAll");
    this.core.engine.waitAll(this.work);
  }

  /** As `waitAll`, for `await`. */
  async awaitAll(): Promise<void> {
    this.checkOpen("awaitAll");
    await this.core.engine.awaitAll(this.work);
  }

  /**
   * Blocks until every PE is here. AMs run meanwhile; those under way are not waited for.
   *
   * @throws {CollectiveMismatchError} If another PE called a different collective.
   */
  barrier(): void {
    this.checkOpen("barrier");
    this.core.engine.outbox.flush();
    this.core.collectives.barrier();
  }

  /**
   * Enters a barrier without waiting.
   *
   * @returns A handle: await it or block on it.
   */
  asyncBarrier(): BarrierHandle {
    this.checkOpen("asyncBarrier");
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
    this.checkOpen("spawn");
    const promise = typeof task === "function" ? Promise.try(task) : Promise.resolve(task);
    const handle = new LamellarTask<T>(promise as Promise<T>);
    this.core.engine.track(promise, () => handle.observed, this.work);
    return handle;
  }

  /**
   * Blocks on a handle. A promise cannot be blocked on: it needs the event loop.
   *
   * @param handle A handle of an AM, a barrier, or an operation on a region.
   * @returns Its value.
   */
  blockOn<T>(handle: Blockable<T>): T {
    this.checkOpen("blockOn");
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

  #onAll<T>(launch: (pe: number) => AmHandle<T>): MultiAmHandle<T> {
    return new MultiAmHandle(Array.from({ length: this.numPes }, (_, pe) => launch(pe)));
  }

  /**
   * Checks a launch.
   *
   * @internal
   * @param pe A PE of the team.
   * @param op What the user called.
   * @param options When to stop waiting.
   * @returns Its number in the world.
   * @throws {RangeError} If there is no such PE.
   * @throws {ClosedError} If the world is closed.
   */
  protected target(pe: number, op: string, options: LaunchOptions | undefined): number {
    if (options) checkLaunchOptions(options, op);
    if (this.core.closed) this.checkOpen(op);
    if (pe >= 0 && pe < this.core.lamella.numPes && Number.isInteger(pe)) return pe;
    throw new RangeError(
      `Cannot call ${op} for PE ${pe}: the world has PEs 0 to ${this.numPes - 1}`,
    );
  }

  /**
   * Refuses what a closed world does not do.
   *
   * @internal
   * @param op What the user called.
   * @throws {ClosedError} If the world is closed.
   */
  protected checkOpen(op: string): void {
    const { pe } = this.core.lamella;
    if (this.core.closed) {
      throw new ClosedError(`Cannot call ${op}: the world is closed`, { pe, op });
    }
  }
}
