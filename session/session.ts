/**
 * A session: PEs at the service of a program.
 *
 * @module
 */

import {
  type AmCall,
  type AmContext,
  type AmHandle,
  type AmType,
  analyseClosure,
  type ClosureResult,
  type FinishOptions,
  type HandlerTeam,
  type HandlerWorld,
  type LamellarEnv,
  type LaunchOptions,
  MultiAmHandle,
} from "../am/mod.ts";
import type { ArrayKind } from "../array/mod.ts";
import type { DistributionKind } from "../internal/distribution.ts";
import type { ElementType, ElementTypeLike } from "../internal/elements.ts";
import type { LamellarError } from "../internal/errors.ts";
import type { HostedPes } from "../lamellae/mod.ts";
import type { AnyElement, SharedMemoryRegion } from "../memregion/mod.ts";
import { type ClientWorld, type Inside, insideOf } from "../world/mod.ts";
import { type CloseOptions, SessionLink, type SessionParts } from "./link.ts";
import { turnTaking } from "./in_turn.ts";
import { type MapHost, type MapOptions, MapRun } from "./map.ts";
import type { SessionParameters, TogetherParameters } from "./parameters.ts";
import type { SessionAms } from "./session_ams.ts";
import { type ArraysByName, type DarcsByName, SharedObjects } from "./shared_objects.ts";
import { ship } from "./shipping.ts";

/** A closure as the engine takes it. */
type Sent<R> = (...args: readonly unknown[]) => R;

/**
 * PEs at the service of this program, which launches AMs and closures on them and reaches their
 * memory, and is none of them. Get one from {@linkcode startSession}.
 *
 * @category Sessions
 */
export class LamellarSession implements LamellarEnv, AsyncDisposable {
  readonly #ams: SessionAms;
  readonly #hosted: HostedPes;
  readonly #inside: Inside;
  readonly #link: SessionLink;
  readonly #objects: SharedObjects;
  readonly #world: ClientWorld;

  /**
   * Programs get a session from `startSession`.
   *
   * @ignore
   * @param parts What it is made of.
   */
  constructor(parts: SessionParts) {
    this.#ams = parts.ams;
    this.#hosted = parts.hosted;
    this.#link = new SessionLink(parts);
    this.#world = parts.world;
    this.#inside = insideOf(parts.world);
    this.#objects = new SharedObjects(this.#link);
  }

  /**
   * Settles once all PEs are ready.
   *
   * @ignore
   * @param timeoutMs How long that may take.
   */
  ready(timeoutMs: number): Promise<void> {
    return this.#link.ready(timeoutMs);
  }

  /** Number of PEs. */
  get numPes(): number {
    return this.#world.numPes;
  }

  /** This program is no PE: -1. */
  get myPe(): number {
    return this.#world.myPe;
  }

  /** Number of threads of a PE: 1, because a PE is one Worker. */
  get numThreadsPerPe(): number {
    return 1;
  }

  /** The PEs, for groups of AMs and task groups: these ship nothing, and know no queue limit. */
  get world(): HandlerWorld {
    return this.#world;
  }

  /** The same as a team. */
  get team(): HandlerTeam {
    return this.#world;
  }

  /** Whether the session is closed or has failed. */
  get closed(): boolean {
    return this.#link.closed;
  }

  /** Why the session has failed, or null. */
  get failure(): LamellarError | null {
    return this.#link.failure;
  }

  /** Whether PEs run closures, and AMs that are shipped. */
  get closuresAllowed(): boolean {
    return this.#link.core.config.closures;
  }

  /** How many AMs and closures are under way. */
  get queued(): number {
    return this.#link.queued;
  }

  /**
   * Runs an AM on one PE. It is under way when this returns. An AM that no module of the session
   * defines is shipped as source, as closures are.
   *
   * @param pe Where it runs, 0 to `numPes - 1`.
   * @param call The AM with its payload.
   * @param options When to stop waiting; the handler goes on.
   * @returns A handle for the result: await it, or ignore it, and `close` tells its error.
   * @throws {RangeError} If there is no such PE, or a field of the payload is out of range.
   * @throws {TypeError} If the payload cannot be sent, or the AM cannot be shipped.
   * @throws {LamellarError} If too much is under way (`ERR_QUEUE_FULL`).
   */
  execAmPe<T>(pe: number, call: AmCall<T>, options?: LaunchOptions): AmHandle<T> {
    this.#link.check("execAmPe", 1);
    const shipped = ship(call, this.#ams, this.#link.core);
    if (!shipped) return this.#world.execAmPe(pe, call, options);
    const { handler, payload } = shipped;
    const targets = [this.#inside.target(pe, "execAmPe", options)];
    return this.#launch<T>(targets, handler, [payload], options)[0]!;
  }

  /**
   * Runs an AM on the PE that has least to do, as `execAmPe` does on one.
   *
   * @param call The AM with its payload.
   * @param options When to stop waiting; the handler goes on.
   * @returns A handle for the result.
   * @throws {RangeError} If a field of the payload is out of range.
   * @throws {TypeError} If the payload cannot be sent, or the AM cannot be shipped.
   * @throws {LamellarError} If too much is under way (`ERR_QUEUE_FULL`).
   */
  execAmAny<T>(call: AmCall<T>, options?: LaunchOptions): AmHandle<T> {
    return this.execAmPe(this.#link.core.engine.leastBusy, call, options);
  }

  /**
   * Runs an AM on every PE. Its payload is encoded once, before any PE gets it. Its handler calls
   * collectives by {@linkcode inTurn}.
   *
   * @param call The AM with its payload.
   * @param options When to stop waiting; the handlers go on.
   * @returns A handle for the results, in the order of the PEs.
   * @throws {RangeError} If a field of the payload is out of range.
   * @throws {TypeError} If the payload cannot be sent, or the AM cannot be shipped.
   * @throws {LamellarError} If too much is under way (`ERR_QUEUE_FULL`).
   */
  execAmAll<T>(call: AmCall<T>, options?: LaunchOptions): MultiAmHandle<T> {
    this.#link.check("execAmAll", this.numPes);
    const shipped = ship(call, this.#ams, this.#link.core);
    if (!shipped) return this.#world.execAmAll(call, options);
    const { handler, payload } = shipped;
    const targets = this.#inside.targets("execAmAll", options);
    return new MultiAmHandle(this.#launch<T>(targets, handler, [payload], options));
  }

  /**
   * Runs a closure on one PE. Its source travels, so it may use only its parameters, its own
   * variables, and globals.
   *
   * @param pe Where it runs, 0 to `numPes - 1`.
   * @param fn The function. It gets copies of the captures, and after them the context of handlers.
   * @param captures What it is called with.
   * @param options When to stop waiting; the function goes on.
   * @returns A handle for what the function returns.
   * @throws {RangeError} If there is no such PE.
   * @throws {TypeError} If the function uses what its source does not carry, naming all of it, or a
   * capture cannot be sent.
   * @throws {FeatureLevelError} If the session was started without closures.
   * @throws {LamellarError} If too much is under way (`ERR_QUEUE_FULL`).
   */
  runPe<C extends readonly unknown[] = [], R = unknown>(
    pe: number,
    fn: (...args: SessionParameters<C>) => R,
    captures: readonly [...C] = [] as unknown as [...C],
    options?: LaunchOptions,
  ): AmHandle<ClosureResult<R>> {
    this.#link.check("runPe", 1);
    this.#link.checkClosures("runPe");
    const targets = [this.#inside.target(pe, "runPe", options)];
    return this.#launch<ClosureResult<R>>(targets, fn, captures, options)[0]!;
  }

  /**
   * Runs a closure on the PE that has least to do, as `runPe` does on one.
   *
   * @param fn The function. It gets copies of the captures, and after them the context of handlers.
   * @param captures What it is called with.
   * @param options When to stop waiting; the function goes on.
   * @returns A handle for what the function returns.
   * @throws {TypeError} If the function uses what its source does not carry, or a capture cannot be
   * sent.
   * @throws {FeatureLevelError} If the session was started without closures.
   * @throws {LamellarError} If too much is under way (`ERR_QUEUE_FULL`).
   */
  runAny<C extends readonly unknown[] = [], R = unknown>(
    fn: (...args: SessionParameters<C>) => R,
    captures: readonly [...C] = [] as unknown as [...C],
    options?: LaunchOptions,
  ): AmHandle<ClosureResult<R>> {
    return this.runPe(this.#link.core.engine.leastBusy, fn, captures, options);
  }

  /**
   * Runs a closure on every PE. The calls of one session run one after the other on each PE, as
   * soon as that PE is done with those before: so the closure may call collectives of the world,
   * whatever else it awaits in between.
   *
   * @param fn The function. It gets copies of the captures, and after them the context of handlers.
   * @param captures What it is called with.
   * @param options When to stop waiting; the function goes on.
   * @returns A handle for the results, in the order of the PEs.
   * @throws {TypeError} If the function uses what its source does not carry, or a capture cannot be
   * sent.
   * @throws {FeatureLevelError} If the session was started without closures.
   * @throws {LamellarError} If too much is under way (`ERR_QUEUE_FULL`).
   */
  runAll<C extends readonly unknown[] = [], R = unknown>(
    fn: (...args: TogetherParameters<C>) => R,
    captures: readonly [...C] = [] as unknown as [...C],
    options?: LaunchOptions,
  ): MultiAmHandle<ClosureResult<R>> {
    this.#link.check("runAll", this.numPes);
    const targets = this.#inside.targets("runAll", options);
    this.#link.checkClosures("runAll");
    const sent = turnTaking(fn, captures.length);
    return new MultiAmHandle(this.#launch<ClosureResult<R>>(targets, sent, captures, options));
  }

  /**
   * Does the same with each of many items, on whichever PE has least to do. Items are taken as they
   * are needed, so they may be endless.
   *
   * @param items An iterable or async iterable of payloads.
   * @param work An AM whose payload is the item; or a closure.
   * @param options How many at once, in which order, and what to do with errors.
   * @returns The results, to be iterated with `for await`, or collected by `Array.fromAsync`.
   * Iterating begins the work. It fails with an {@linkcode ItemError}, which has the item.
   * @throws {RangeError} If the concurrency is not an integer of at least 1.
   * @throws {TypeError} If the items are not iterable, or the closure cannot be sent.
   * @example
   * ```ts
   * import { startSession } from "../mod.ts";
   *
   * await using session = await startSession({ pes: 2 });
   * for await (const length of session.map(["a", "bc", "def"], (text) => text.length)) {
   *   console.log(length);
   * }
   * ```
   */
  map<T, R>(
    items: Iterable<T> | AsyncIterable<T>,
    work: AmType<T, R>,
    options?: MapOptions<T>,
  ): AsyncGenerator<R, void, void>;
  /**
   * Does the same with each of many items by a closure.
   *
   * @param items An iterable or async iterable of what the closure gets first.
   * @param work A closure that gets an item and then the context of handlers.
   * @param options How many at once, in which order, and what to do with errors.
   * @returns The results.
   */
  map<T, R>(
    items: Iterable<T> | AsyncIterable<T>,
    work: (item: T, lamellar: AmContext) => R,
    options?: MapOptions<T>,
  ): AsyncGenerator<ClosureResult<R>, void, void>;
  /**
   * The implementation of both forms.
   *
   * @param items What there is to do.
   * @param work What does it.
   * @param options How.
   * @returns The results.
   */
  map<T>(
    items: Iterable<T> | AsyncIterable<T>,
    work: AmType<T, unknown> | ((item: T, lamellar: AmContext) => unknown),
    options: MapOptions<T> = {},
  ): AsyncGenerator<unknown, void, void> {
    this.#link.check("map", 0);
    const link = this.#link;
    const launch = this.#launcherOf(work);
    const host: MapHost<T, unknown> = {
      get stopped() {
        return link.stopped;
      },
      onStop: (listener) => link.onStop(listener),
      hasRoom: (then) => link.hasRoom(then),
      launch,
    };
    return new MapRun(items, host, 2 * this.numPes, options).results();
  }

  /** What begins the work of an item of `map`. */
  #launcherOf<T>(
    work: AmType<T, unknown> | ((item: T, lamellar: AmContext) => unknown),
  ): MapHost<T, unknown>["launch"] {
    if (typeof work !== "function") {
      throw new TypeError(`Cannot map by ${Deno.inspect(work)}: give a closure or an AM`);
    }
    if ("amName" in work) {
      const make = work as (payload: T) => AmCall<unknown>;
      return (item, options) => this.execAmAny(make(item), options);
    }
    this.#link.checkClosures("map");
    // Refused here rather than with each item.
    analyseClosure(work);
    return (item, options) => this.runAny(work as Sent<unknown>, [item], options);
  }

  /**
   * Allocates a memory region with a part on every PE. This program reads and writes it by the
   * one-sided methods, such as `get`, `put` and `batchAdd`, and has no part itself. Its PEs get it
   * by AMs and captures. Dispose of it to give the memory back.
   *
   * @param type The element type, such as `"f64"`, or the schema of that name.
   * @param length Number of elements on each PE, all 0 at first.
   * @returns The region.
   * @throws {OutOfMemoryError} If a PE has no room.
   * @throws {RangeError} If the length is not an integer of at least 1.
   * @throws {TypeError} If there is no such type.
   */
  async allocSharedMemRegion<E extends ElementType>(
    type: ElementTypeLike<E>,
    length: number,
  ): Promise<SharedMemoryRegion<E>> {
    this.#link.check("allocSharedMemRegion", 0);
    return await this.#objects.region(type, length);
  }

  /**
   * Creates an array whose elements are on the PEs. This program uses any of them by its index, and
   * has none itself: methods for the elements of a PE, and collectives such as conversions, refuse.
   * PEs get the array by AMs and captures. Dispose of it to give the memory back.
   *
   * @param kind The type of the array, such as `"AtomicArray"`.
   * @param type The element type, such as `"f64"`, or records that a module of the session defines.
   * @param length Number of elements on all PEs together, all 0 at first.
   * @param distribution `"block"` or `"cyclic"`.
   * @returns The array.
   * @throws {OutOfMemoryError} If a PE has no room.
   * @throws {RangeError} If the length is not an integer of at least 0.
   * @throws {TypeError} If there is no such type.
   * @example
   * ```ts
   * import { startSession } from "../mod.ts";
   *
   * await using session = await startSession({ pes: 2 });
   * using counts = await session.createArray("AtomicArray", "u64", 1000);
   * await session.runAll((into) => into.add(7, 1), [counts]);
   * console.log(await counts.get(7)); // 2
   * ```
   */
  async createArray<K extends ArrayKind, E extends AnyElement>(
    kind: K,
    type: ElementTypeLike<E>,
    length: number,
    distribution: DistributionKind = "block",
  ): Promise<ArraysByName<E>[K]> {
    this.#link.check("createArray", 0);
    return await this.#objects.array(kind, type, length, distribution);
  }

  /**
   * Creates a Darc: each PE has an instance, and this program a handle, which it sends to PEs in
   * AMs and captures. The instances are dropped once nobody has a handle any more.
   *
   * @param kind `"Darc"`, `"LocalRwDarc"` or `"GlobalRwDarc"`.
   * @param value A closure that gives the instance, and runs on every PE as those of `runAll` do.
   * @param captures What it is called with.
   * @returns The handle.
   * @throws {RemoteError} If the closure fails on a PE: then there is no Darc.
   * @throws {TypeError} If there is no such kind, or the closure cannot be sent.
   * @throws {FeatureLevelError} If the session was started without closures.
   * @example
   * ```ts
   * import { startSession } from "../mod.ts";
   *
   * await using session = await startSession({ pes: 2 });
   * using seen = await session.createDarc("Darc", () => new Set<string>());
   * await session.runPe(1, (darc, word) => void darc.value.add(word), [seen, "left"]);
   * const sizes = await session.runAll((darc) => darc.value.size, [seen]);
   * console.log(sizes); // [0, 1]
   * ```
   */
  async createDarc<
    K extends keyof DarcsByName<unknown>,
    C extends readonly unknown[] = [],
    T = unknown,
  >(
    kind: K,
    value: (...args: TogetherParameters<C>) => T,
    captures: readonly [...C] = [] as unknown as [...C],
  ): Promise<DarcsByName<Awaited<T>>[K]> {
    return await this.#objects.darc(kind, value, captures) as DarcsByName<Awaited<T>>[K];
  }

  /**
   * Waits until there is room for launches: until at most half of `queueLimit` is under way.
   *
   * @returns Settles then; rejects if the session fails.
   */
  async room(): Promise<void> {
    this.#link.check("room", 0);
    await this.#link.room();
  }

  /**
   * Waits until nothing that was launched is under way.
   *
   * @throws {RemoteError} If an AM or closure whose handle was ignored failed; an `AggregateError`
   * if several did.
   */
  async awaitAll(): Promise<void> {
    this.#link.check("awaitAll", 0);
    await this.#world.awaitAll();
  }

  /**
   * Runs a body, and waits until all that it launches through its scope is over, on every PE, with
   * whatever handlers launch in turn.
   *
   * @param body Gets what launches; it may be async.
   * @param options When to stop.
   * @returns What the body returns, once all is over.
   * @throws {AggregateError} If something that was launched failed.
   */
  async finish<T>(
    body: (scope: HandlerWorld) => T | PromiseLike<T>,
    options: FinishOptions = {},
  ): Promise<T> {
    this.#link.check("finish", 0);
    return await this.#world.finish(body, options);
  }

  /** Lets the process end although something is under way. */
  unref(): void {
    this.#hosted.unref();
  }

  /** Keeps the process alive while something is under way, as it does from the start. */
  ref(): void {
    this.#hosted.ref();
  }

  /**
   * Closes the session: waits for what is under way, and ends the PEs. Their memory goes when this
   * program has no views of it any more. If something is under way for long, a line on standard
   * error says what.
   *
   * @param options How long it may take.
   * @returns Settles when no PE is left.
   * @throws {RemoteError} If an AM or closure whose handle was ignored failed; an `AggregateError`
   * if several did.
   * @throws {PeFailedError} If a PE had failed, and nothing that was awaited has told it.
   * @throws {TimeoutError} If the time is over; the PEs are ended all the same. A PE that computes
   * cannot be stopped: the error names it, and its thread lives until its loop or the process ends.
   */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#link.close(options);
  }

  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #launch<T>(
    targets: readonly number[],
    fn: Parameters<Inside["core"]["engine"]["launchClosureAll"]>[1],
    captures: readonly unknown[],
    options: LaunchOptions | undefined,
  ): AmHandle<T>[] {
    const { engine } = this.#link.core;
    return engine.launchClosureAll(targets, fn, captures, options) as AmHandle<T>[];
  }
}
