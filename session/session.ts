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
  closuresRefused,
  definitionOf,
  type LaunchOptions,
  MultiAmHandle,
  payloadOf,
} from "../am/mod.ts";
import type { ElementType, ElementTypeLike } from "../internal/elements.ts";
import type { LamellarError } from "../internal/errors.ts";
import type { HostedPes } from "../lamellae/mod.ts";
import type { SharedMemoryRegion } from "../memregion/mod.ts";
import { type ClientWorld, type Inside, insideOf, type LamellarWorld } from "../world/mod.ts";
import { type CloseOptions, SessionLink, type SessionParts } from "./link.ts";
import { inTurn } from "./in_turn.ts";
import { type MapHost, type MapOptions, MapRun } from "./map.ts";
import type { SessionAms } from "./session_ams.ts";
import { ship, type Shipped } from "./shipping.ts";

/**
 * The parameters of a closure of a session: its captures, and after them the context of handlers.
 *
 * @category Sessions
 */
export type SessionParameters<C extends readonly unknown[]> = C extends readonly unknown[]
  ? [...C, AmContext]
  : never;

/**
 * The context of a closure that runs on all PEs: its world is that of a program, with collectives
 * and all else that PEs do together.
 *
 * @category Sessions
 */
export interface TogetherContext extends AmContext {
  /** The world. */
  readonly world: LamellarWorld;
}

/**
 * The parameters of a closure that runs on all PEs: its captures, and after them its context.
 *
 * @category Sessions
 */
export type TogetherParameters<C extends readonly unknown[]> = C extends readonly unknown[]
  ? [...C, TogetherContext]
  : never;

/** A closure as the engine takes it. */
type Sent<R> = (...args: readonly unknown[]) => R;

/**
 * PEs at the service of this program, which launches AMs and closures on them and reaches their
 * memory, and is none of them. Get one from {@linkcode startSession}.
 *
 * @category Sessions
 */
export class LamellarSession implements AsyncDisposable {
  readonly #ams: SessionAms;
  readonly #hosted: HostedPes;
  readonly #inside: Inside;
  readonly #link: SessionLink;
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
    const shipped = this.#shipped(call);
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
   * Runs an AM on every PE. Its payload is encoded once, before any PE gets it.
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
    const shipped = this.#shipped(call);
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
    const turn = this.closuresAllowed ? inTurn(fn, captures.length) : fn;
    return new MultiAmHandle(this.#launch<ClosureResult<R>>(targets, turn, captures, options));
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
    if (!this.closuresAllowed) throw closuresRefused("a closure");
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
    const { regions } = this.#link.core;
    const info = regions.check(type, length);
    let request = 0;
    const numbers = await this.#link.ask((number) => {
      request = number;
      return { kind: "allocate", request, type: info.type, length };
    });
    const region = regions.adoptShared(numbers, () => {
      if (!this.closed) this.#link.tell({ kind: "release", request });
    });
    return region as unknown as SharedMemoryRegion<E>;
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

  /** What goes to the PEs of an AM that they do not have. */
  #shipped(call: AmCall<unknown>): Shipped | undefined {
    const definition = definitionOf(call);
    if (!definition || this.#ams.idOf(definition) >= 0) return undefined;
    const ams = this.#ams;
    return ship(definition, payloadOf(call), {
      closuresAllowed: this.closuresAllowed,
      hasName: (name) => ams.hasName(name),
      decodeContext: this.#link.core.engine.decodeContext,
    });
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
