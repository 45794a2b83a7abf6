/**
 * What a world and a team have in common: launching and waiting.
 *
 * @module
 */

import type {
  ActiveMessaging,
  AmCall,
  AmHandle,
  Blockable,
  ClosureArguments,
  ClosureResult,
  FinishOptions,
  HandlerWorld,
  LamellarEnv,
  LaunchOptions,
  TeamWork,
} from "../am/mod.ts";
import { blockInOrder, checkLaunchOptions, MultiAmHandle } from "../am/mod.ts";
import { ClosedError } from "../internal/errors.ts";
import { type BarrierHandle, barrierHandle, type PeGroup } from "../lamellae/mod.ts";
import type { WorldCore } from "./core.ts";
import { RegionCalls } from "./region_calls.ts";
import { isObserved, LamellarTask } from "./task.ts";
import { nothing, type TeamParent } from "./teams.ts";

/** What an object that was made in a world or a team needs of it. */
export interface Inside {
  readonly core: WorldCore;
  readonly pes: TeamParent;
  readonly work: TeamWork | undefined;
  target(pe: number, op: string, options: LaunchOptions | undefined): number;
  targets(op: string, options: LaunchOptions | undefined): readonly number[];
  checkOpen(op: string): void;
  checkCollective(op: string): void;
  /** The group of the team, if this PE may call a collective there. */
  group(op: string): PeGroup;
}

/** What is inside a world or a team. */
export let insideOf: (messaging: Messaging) => Inside;

/**
 * Launching and waiting, for all PEs of the world or of a team.
 *
 * @category World
 */
export abstract class Messaging extends RegionCalls implements ActiveMessaging, LamellarEnv {
  /** The world. */
  abstract readonly world: ActiveMessaging & LamellarEnv;
  /** Its team. */
  abstract readonly team: ActiveMessaging & LamellarEnv;
  /**
   * What was launched in this team, undefined for the world's.
   *
   * @ignore
   */
  protected readonly work: TeamWork | undefined;

  /**
   * Programs get a world from a builder.
   *
   * @ignore
   * @param core What every object of the world shares.
   * @param pes The PEs of the team.
   * @param work What was launched in this team, undefined for the world's.
   */
  constructor(core: WorldCore, pes: TeamParent, work?: TeamWork) {
    super(core, pes);
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

  /** Number of threads of this PE: 1, because a PE is one Worker. */
  get numThreadsPerPe(): number {
    return 1;
  }

  /**
   * Runs an AM on one PE. It is under way when this returns. The handler gets a copy of the payload
   * as it is now, and the caller gets a copy of the result, also if the PE is this one.
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
   * Runs an AM on every PE, including this one. Its payload is encoded once, before any PE gets it:
   * if it cannot be sent, the AM runs nowhere.
   *
   * @param call The AM with its payload.
   * @param options When to stop waiting.
   * @returns A handle for the results, in the order of the PEs.
   * @throws {RangeError} If a field of the payload is out of range.
   * @throws {TypeError} If the payload cannot be sent.
   */
  execAmAll<T>(call: AmCall<T>, options?: LaunchOptions): MultiAmHandle<T> {
    const targets = this.targets("execAmAll", options);
    return new MultiAmHandle(this.core.engine.launchAll(targets, call, options, this.work));
  }

  /**
   * Runs an AM on this PE without copying: the handler gets the payload itself, and the caller gets
   * the result itself; neither is checked. If the handler throws, the thrown value itself is the
   * cause of the `RemoteError`.
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
   * Runs a closure on one PE. Its source travels, so it may use only its parameters, its own
   * variables, and globals, also if the PE is this one. It gets copies of the captures as they are
   * now.
   *
   * @param pe Where it runs, 0 to `numPes - 1`.
   * @param fn The function; it gets the captures. If it has more parameters than there are
   * captures, the last one gets the context of handlers, unless it has a default or is a rest
   * parameter.
   * @param given The captures, which may be left out if the function has no parameters, and options
   * that say when to stop waiting.
   * @returns A handle for what the function returns.
   * @throws {TypeError} If the function uses variables that its source does not carry; the error
   * names all of them.
   * @throws {FeatureLevelError} If the world was built without closures.
   */
  execClosurePe<P extends readonly unknown[], R>(
    pe: number,
    fn: (...args: P) => R,
    ...[captures, options]: ClosureArguments<P>
  ): AmHandle<ClosureResult<R>> {
    const target = this.target(pe, "execClosurePe", options);
    const handle = this.core.engine.launchClosure(target, fn, captures, options, this.work);
    return handle as AmHandle<ClosureResult<R>>;
  }

  /**
   * Runs a closure on every PE, including this one. The captures are encoded once, before any PE
   * gets them.
   *
   * @param fn The function.
   * @param given The captures, which may be left out if the function has no parameters, and options
   * that say when to stop waiting.
   * @returns A handle for the results, in the order of the PEs.
   * @throws {TypeError} If the function uses variables that its source does not carry, or a capture
   * cannot be sent.
   * @throws {FeatureLevelError} If the world was built without closures.
   */
  execClosureAll<P extends readonly unknown[], R>(
    fn: (...args: P) => R,
    ...[captures, options]: ClosureArguments<P>
  ): MultiAmHandle<ClosureResult<R>> {
    const targets = this.targets("execClosureAll", options);
    const { engine } = this.core;
    const handles = engine.launchClosureAll(targets, fn, captures, options, this.work);
    return new MultiAmHandle(handles as AmHandle<ClosureResult<R>>[]);
  }

  /**
   * Runs a closure on this PE, with the captures themselves instead of copies. It still runs from
   * its source.
   *
   * @param fn The function.
   * @param given The captures, which may be left out if the function has no parameters, and options
   * that say when to stop waiting.
   * @returns A handle for what the function returns.
   */
  execClosureLocal<P extends readonly unknown[], R>(
    fn: (...args: P) => R,
    ...[captures, options]: ClosureArguments<P>
  ): AmHandle<ClosureResult<R>> {
    this.target(this.myPe, "execClosureLocal", options);
    const handle = this.core.engine.launchClosureLocal(fn, captures, options, this.work);
    return handle as AmHandle<ClosureResult<R>>;
  }

  /**
   * Blocks until everything that this PE launched is over. To wait for all PEs, call `waitAll()`
   * and then `barrier()`.
   *
   * @throws {RemoteError} If an AM whose handle was ignored failed; an `AggregateError` if several
   * did.
   */
  waitAll(): void {
    this.checkOpen("waitAll");
    this.core.engine.waitAll(this.work);
  }

  /** Like `waitAll`, for `await`. */
  async awaitAll(): Promise<void> {
    this.checkOpen("awaitAll");
    await this.core.engine.awaitAll(this.work);
  }

  /**
   * Blocks until every PE of the team has called it. AMs run meanwhile, but the barrier does not
   * wait for them. On a PE that is not a member it returns at once.
   *
   * @throws {CollectiveMismatchError} If another PE called a different collective.
   */
  barrier(): void {
    this.checkCollective("barrier");
    this.core.engine.outbox.flush();
    const { group } = this.pes;
    if (group) group.barrier();
    else this.core.progress.refuseBlocking("barrier");
  }

  /**
   * Enters a barrier of the PEs of the team without waiting.
   *
   * @returns A handle: await it or block on it. On a PE that is not a member it is done at once.
   */
  asyncBarrier(): BarrierHandle {
    this.checkCollective("asyncBarrier");
    this.core.engine.outbox.flush();
    return barrierHandle(this.pes.group?.call("barrier") ?? nothing(this.core.progress));
  }

  /**
   * Runs a task on this PE. The task goes on whether or not the program waits for it; `awaitAll`
   * covers it.
   *
   * @param task A promise, or a function that is called at once.
   * @returns A handle for its value.
   */
  spawn<T>(task: PromiseLike<T> | (() => T | PromiseLike<T>)): LamellarTask<T> {
    this.checkOpen("spawn");
    const start = typeof task === "function" ? task : (): PromiseLike<T> => task;
    const { engine, progress } = this.core;
    const promise = engine.track(start, () => isObserved(handle), this.work);
    const handle: LamellarTask<T> = new LamellarTask<T>(progress, promise);
    return handle;
  }

  /**
   * Runs a function that launches, and waits for the end of everything: of what it launches and
   * spawns through the scope it gets, and of what the handlers of that launch and spawn in turn
   * through their `lamellar.world` and `lamellar.team`, on any PE. What goes through another
   * object, such as the world, is not covered. Only this PE calls it. Finishes nest, run in async
   * handlers, and several can be under way at once. `awaitAll` covers a finish as it covers a task.
   *
   * A handle that the program or a handler awaits before the end gives its own error. All other
   * errors reject the finish, once everything is over.
   *
   * @param body Launches through the scope; it may be async. The scope launches as the object of
   * which the finish was called.
   * @param options When to stop. The finish then fails at once. Handlers that have begun go on but
   * launch nothing more, and no other handler of the finish begins; other PEs learn it a moment
   * later. Errors that come afterwards are lost.
   * @returns A handle for what the function returns: await it. If the function throws, or AMs or
   * tasks fail, it fails with an `AggregateError` of all these errors, which are `RemoteError`s but
   * for that of the function; of more than 1000 it has the first 1000. When the time is over, it
   * fails with a `TimeoutError`, and when the signal is aborted, with a `LamellarError` of the code
   * `ERR_FINISH_STOPPED` whose cause is the signal's reason; both say what is left and what has
   * failed. If the signal is aborted already, the function is not called, and the error is the
   * signal's reason.
   * @example
   * ```ts
   * import { type AmContext, LamellarWorldBuilder } from "../mod.ts";
   *
   * await using world = await new LamellarWorldBuilder().build();
   * if (world.myPe === 0) {
   *   await world.finish((scope) => {
   *     scope.execClosureAll((lamellar: AmContext) => {
   *       const next = (lamellar.currentPe + 1) % lamellar.numPes;
   *       lamellar.world.execClosurePe(next, () => console.log("launched by a handler"));
   *     });
   *   });
   *   console.log("every PE has written its line");
   * }
   * ```
   */
  finish<T>(
    body: (scope: HandlerWorld) => T | PromiseLike<T>,
    options?: FinishOptions,
  ): LamellarTask<T> {
    return this.core.runFinish(this, body, options);
  }

  /**
   * Blocks on a handle. You cannot block on a promise, because it needs the event loop.
   *
   * @param handle A handle of an AM, a barrier, or an operation on a region.
   * @returns Its value.
   */
  blockOn<T>(handle: Blockable<T>): T {
    this.checkOpen("blockOn");
    checkBlockable(handle);
    return handle.block();
  }

  /**
   * Blocks on several handles. If one fails, its error is thrown, and the errors of the others
   * count as seen.
   *
   * @param handles Any number of handles.
   * @returns Their values, in their order.
   */
  blockOnAll<T>(handles: Iterable<Blockable<T>>): T[] {
    this.checkOpen("blockOnAll");
    const all = [...handles];
    all.forEach(checkBlockable);
    return blockInOrder(all);
  }

  /**
   * Checks a launch on all PEs.
   *
   * @ignore
   * @param op What the user called.
   * @param options When to stop waiting.
   * @returns The PEs of the team, by their numbers in the world.
   * @throws {ClosedError} If the world is closed.
   */
  protected targets(op: string, options: LaunchOptions | undefined): readonly number[] {
    if (options) checkLaunchOptions(options, op);
    this.checkOpen(op);
    return this.core.root.pes;
  }

  /**
   * Checks a launch.
   *
   * @ignore
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
      `Cannot call ${op} for PE ${Deno.inspect(pe)}: the world has PEs 0 to ${this.numPes - 1}`,
    );
  }

  /**
   * Checks that a collective may be called.
   *
   * @ignore
   * @param op What the user called.
   * @throws {ClosedError} If the world is closed.
   */
  protected override checkCollective(op: string): void {
    this.checkOpen(op);
  }

  /**
   * Refuses what a closed world does not do.
   *
   * @ignore
   * @param op What the user called.
   * @throws {ClosedError} If the world is closed.
   */
  protected override checkOpen(op: string): void {
    const { pe } = this.core.lamella;
    if (this.core.closed) {
      throw new ClosedError(`Cannot call ${op}: the world is closed`, { pe, op });
    }
  }

  static {
    insideOf = (one) => ({
      core: one.core,
      pes: one.pes,
      work: one.work,
      target: (pe, op, options) => one.target(pe, op, options),
      targets: (op, options) => one.targets(op, options),
      checkOpen: (op) => one.checkOpen(op),
      checkCollective: (op) => one.checkCollective(op),
      group: (op) => one.collectiveGroup(op),
    });
  }
}

function checkBlockable(handle: unknown): void {
  if (typeof (handle as Partial<Blockable<unknown>> | null)?.block === "function") return;
  throw new TypeError("Cannot block on a value that is not a Lamellar handle: use await");
}
