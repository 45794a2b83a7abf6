/**
 * The progress engine of a PE, used by `await` and by the blocking forms alike: it hands received
 * frames to their handler, runs what else makes progress, and when nothing came it waits.
 *
 * A PE in its program makes no progress until it awaits or calls a blocking form. While it awaits,
 * the pump (`pump.ts`) makes progress between turns of the event loop.
 *
 * @module
 */

import { CLIENT_NAME } from "../internal/node_names.ts";
import { LamellarError } from "../internal/errors.ts";
import {
  FAR_WAIT_SLICE_MS,
  FAR_WAIT_SLICE_MS_MIN,
  IDLE_SLICE_MS,
  WAIT_SLICE_MS,
} from "../internal/limits.ts";
import {
  ACTIVITY,
  type FrameSink,
  type Lamella,
  WAIT_EVENT,
  WAIT_FAILED,
  WAIT_FOR,
} from "./lamella.ts";
import { Pump, type PumpHost } from "./pump.ts";
import { Turns } from "./turns.ts";
import type { WaitLimit } from "./wait_limit.ts";

/** Does a piece of work; returns how much, 0 if there was none. */
export type Poller = () => number;

/** What one waits for, for the watchdog: a kind of `WAIT_FOR` and the PE concerned, -1 if none. */
export interface WaitReason {
  readonly kind: number;
  readonly pe: number;
  /** Says it more exactly than the kind does, to continue "waits for"; asked in long waits only. */
  readonly what?: () => string;
}

const NO_REASON: WaitReason = { kind: WAIT_FOR.nothing, pe: -1 };
const RUNNING = { activity: ACTIVITY.running, ...NO_REASON };

/**
 * How often a waiting PE loads the event counter before it offers its core: if each PE has its own
 * core, and if PEs share cores.
 */
const SPINS = 6000;
const SPINS_CROWDED = 100;
/** How often a waiting PE offers its core to others before it sleeps. */
const YIELDS = 100;
/** Looks at the network, with a short spin each, before a wait in place counts as one. */
const QUICK_LOOKS = 200;
const QUICK_SPINS = 10;
/** How many of them come before the core is offered with each. */
const QUICK_LOOKS_ALONE = 20;

/** The progress engine of one PE. */
export class Progress implements PumpHost {
  readonly lamella: Lamella;
  /** Whether other processes may have memory that is reached by the network only. */
  readonly #far: boolean;
  /** Whether this is no PE but a client. */
  readonly #isClient: boolean;
  readonly #spins: number;
  readonly #pump: Pump;
  #sink: FrameSink = (_source, _views, at) => at;
  #pollers: Poller[] = [];
  #onFailure: ((error: LamellarError) => void)[] = [];
  #reasons: (() => WaitReason)[] = [];
  #depth = 0;
  #failure: LamellarError | null = null;
  readonly #turns = new Turns();
  #serving = false;
  /** Tells what of others is under way on this PE, to continue "with … under way". */
  #underWay: () => string = () => "";
  /** What was reported of the wait that blocks the program. */
  #blocked: (WaitReason & { readonly activity: number }) | undefined;

  /**
   * @param lamella The provider.
   * @param crowded Whether more PEs than cores share the machine, so that spinning takes time from
   * those who work.
   * @param spins Loads before a waiting PE offers its core; undefined chooses.
   */
  constructor(lamella: Lamella, crowded: boolean, spins?: number) {
    this.lamella = lamella;
    this.#spins = spins ?? (crowded ? SPINS_CROWDED : SPINS);
    this.#far = lamella.operationBytesMax > 0;
    this.#isClient = lamella.pe >= lamella.numPes;
    this.#pump = new Pump(this, this.#turns, crowded);
  }

  /** Longest time between looks at a value that may be written without a wake, in milliseconds. */
  get valueSliceMs(): number {
    return this.#far ? FAR_WAIT_SLICE_MS : WAIT_SLICE_MS;
  }

  /** Whether a handler or a poller is running: blocking there would never end. */
  get inHandler(): boolean {
    return this.#depth > 0;
  }

  /** Whether nothing may block now: in a handler, and on the thread of a client at any time. */
  get mayNotBlock(): boolean {
    return this.#depth > 0 || this.#isClient;
  }

  /**
   * Sets what handles frames, and what knows what the PE waits for.
   *
   * @param sink Handles frames.
   * @param reason Tells what the program waits for when it awaits.
   */
  setSink(sink: FrameSink, reason: () => WaitReason): void {
    this.#sink = sink;
    this.addReason(reason);
  }

  /**
   * Adds a source that knows what the program waits for when it awaits.
   *
   * @param reason Tells it; those added first are asked first.
   */
  addReason(reason: () => WaitReason): void {
    this.#reasons.push(reason);
  }

  /**
   * @param underWay Tells the watchdog what else is under way on this PE; "" if nothing is.
   */
  tellUnderWay(underWay: () => string): void {
    this.#underWay = underWay;
  }

  /** Says in words what is waited for, once a wait has taken long. */
  #note({ kind, what }: WaitReason): void {
    this.lamella.note(kind, `${what?.() ?? ""}\n${this.#underWay()}`);
  }

  /**
   * Adds a poller, called at each step.
   *
   * @param poller Does a piece of work.
   */
  addPoller(poller: Poller): void {
    this.#pollers.push(poller);
  }

  /**
   * Adds a listener for the failure of the job.
   *
   * @param listener Called once, with the reason.
   */
  onFailure(listener: (error: LamellarError) => void): void {
    this.#onFailure.push(listener);
  }

  /**
   * One step: handles the frames of one source and runs every poller.
   *
   * @returns How much was done, 0 if nothing.
   */
  step(): number {
    let done = 0;
    this.#depth++;
    try {
      done = this.lamella.poll(this.#sink);
      for (let i = 0; i < this.#pollers.length; i++) done += this.#pollers[i]!();
    } catch (error) {
      this.lamella.fail(error);
      throw error;
    } finally {
      this.#depth--;
    }
    if (done > 0) this.lamella.countProgress();
    return done;
  }

  /** Throws if the job is failing. */
  checkFailure(): void {
    if (this.#failure) throw this.#failure;
    const failure = this.lamella.failure();
    if (failure) {
      this.#fail(failure);
      throw failure;
    }
  }

  /** Whether the program blocks, so that no microtask runs. */
  get blocks(): boolean {
    return this.#blocked !== undefined;
  }

  /**
   * Blocks until a condition holds, making progress meanwhile.
   *
   * @param done The condition; it changes by frames, pollers, or memory writes that wake this PE.
   * @param op What the user called, for messages.
   * @param reason What is waited for.
   * @param limit When to stop waiting; without it the watchdog is the limit.
   * @throws {LamellarError} If called inside a handler, or when the job fails.
   * @throws {TimeoutError} If the time is over; what aborted the wait, if something did.
   */
  block(done: () => boolean, op: string, reason: WaitReason, limit?: WaitLimit): void {
    this.refuseBlocking(op);
    if (done()) return;
    const { lamella } = this;
    // Once a sleep brought nothing, looking hard before the next one would only burn the core.
    let eager = true;
    // A value may be written without waking the PE; for all else the slices are a safety net.
    const slices = reason.kind === WAIT_FOR.value
      ? new Slices(this.valueSliceMs, this.#far ? FAR_WAIT_SLICE_MS_MIN : WAIT_SLICE_MS)
      : new Slices(IDLE_SLICE_MS);
    const activity = limit?.isFinite ? ACTIVITY.limited : ACTIVITY.blocked;
    lamella.report(activity, reason.kind, reason.pe);
    this.#blocked = { activity, ...reason };
    try {
      for (;;) {
        const seen = lamella.events();
        const worked = this.step();
        if (done()) return;
        if (worked > 0) {
          // Work that never ends must not hide the end of the job, or of the time.
          this.checkFailure();
          limit?.check();
          continue;
        }
        const sliceMs = slices.next(eager);
        const code = this.#waitBlocked(seen, eager, sliceMs, limit);
        if (code === WAIT_FAILED) this.checkFailure();
        eager = code === WAIT_EVENT;
        if (!eager) this.#note(reason);
        // What ends far away may do so without a step, which looks at the network once more.
        if (eager && done()) return;
      }
    } finally {
      this.#unblock();
    }
  }

  /**
   * Waits in place for memory of another process. Only the network makes progress meanwhile and
   * nothing of the user's runs, so that this is possible inside a handler too.
   *
   * @param done The condition; it changes by tickets of the lamella.
   * @param pe The PE that has the memory.
   * @param limit When to stop waiting.
   * @throws {LamellarError} When the job fails.
   * @throws {TimeoutError} If the time is over.
   */
  blockInPlace(done: () => boolean, pe: number, limit?: WaitLimit): void {
    const { lamella } = this;
    // A network answers in microseconds: looking often is quicker than telling the watchdog.
    for (let look = 0; look < QUICK_LOOKS; look++) {
      const seen = lamella.events();
      if (done()) return;
      const yields = look < QUICK_LOOKS_ALONE ? 0 : 1;
      if (lamella.wait(seen, QUICK_SPINS, yields, 0) === WAIT_FAILED) this.checkFailure();
    }
    let eager = true;
    const slices = new Slices(IDLE_SLICE_MS);
    lamella.report(ACTIVITY.blocked, WAIT_FOR.memory, pe);
    try {
      for (;;) {
        const seen = lamella.events();
        if (done()) return;
        const code = this.#waitBlocked(seen, eager, slices.next(eager), limit);
        if (code === WAIT_FAILED) this.checkFailure();
        eager = code === WAIT_EVENT;
      }
    } finally {
      // A handler may run inside a wait.
      const { activity, kind, pe } = this.#blocked ?? RUNNING;
      lamella.report(activity, kind, pe);
      lamella.countProgress();
    }
  }

  #waitBlocked(
    seen: number,
    eager: boolean,
    sliceMs: number,
    limit: WaitLimit | undefined,
  ): number {
    const spins = eager ? this.#spins : 1;
    const yields = eager ? YIELDS : 0;
    if (limit === undefined) return this.lamella.wait(seen, spins, yields, sliceMs);
    return this.lamella.wait(seen, spins, yields, Math.min(limit.check(), sliceMs));
  }

  /**
   * Blocks for a signal of a collective: as `block`, but watching its word, so that no step is
   * needed when the partner is quick.
   *
   * @param slot The slot the partner writes.
   * @param sequence The number it writes.
   * @param partner The partner.
   */
  blockForSignal(slot: number, sequence: number, partner: number): void {
    const { lamella } = this;
    lamella.waitSignal(slot, sequence, lamella.events(), this.#spins, YIELDS, 0);
    if (lamella.signalled(slot, sequence)) return;
    let eager = true;
    const slices = new Slices(IDLE_SLICE_MS);
    const reason = { kind: WAIT_FOR.collective, pe: partner, what: () => "a barrier" };
    lamella.report(ACTIVITY.blocked, reason.kind, partner);
    this.#blocked = { activity: ACTIVITY.blocked, ...reason };
    try {
      while (!lamella.signalled(slot, sequence)) {
        const seen = lamella.events();
        if (this.step() > 0) {
          this.checkFailure();
          continue;
        }
        const spins = eager ? this.#spins : 1;
        const yields = eager ? YIELDS : 0;
        const code = lamella.waitSignal(
          slot,
          sequence,
          seen,
          spins,
          yields,
          slices.next(eager),
        );
        if (code === WAIT_FAILED) this.checkFailure();
        eager = code === WAIT_EVENT;
        if (!eager) this.#note(reason);
      }
    } finally {
      this.#unblock();
    }
  }

  /** Takes note that the wait is over: what ended it may not have been a step. */
  #unblock(): void {
    this.#blocked = undefined;
    this.lamella.report(ACTIVITY.running, WAIT_FOR.nothing, -1);
    this.lamella.countProgress();
  }

  /**
   * Refuses to block inside a handler, and on the thread of a client.
   *
   * @param op What the user called.
   * @throws {LamellarError} If it may not block.
   */
  refuseBlocking(op: string): void {
    if (this.#isClient) {
      throw new LamellarError(
        "ERR_BLOCKING_IN_CLIENT",
        `Cannot call ${op} in ${CLIENT_NAME}: its thread has to stay free; use await`,
        { op },
      );
    }
    if (this.#depth === 0) return;
    throw new LamellarError(
      "ERR_BLOCKING_IN_HANDLER",
      `Cannot call ${op} inside a handler: nothing would make progress; use await`,
      { pe: this.lamella.pe, op },
    );
  }

  /**
   * Makes sure the pump runs, at full attention. Called whenever something is submitted or awaited.
   */
  kick(): void {
    this.#pump.kick();
  }

  /**
   * What a program is to wait for that awaits something which may be over already. Awaiting that
   * again and again would never let timers and I/O go on, nor end when the job fails.
   *
   * @param promise What it awaits.
   * @param over Whether it is known to be over.
   * @returns The same, after a turn of the event loop if the last was long ago; rejects if the job
   * has failed by then.
   */
  paced<T>(promise: Promise<T>, over = false): Promise<T> {
    if (over) this.#pump.glance();
    else this.kick();
    if (!this.#turns.step()) return promise;
    return Promise.all([promise, this.#turns.take()]).then(([value]) => {
      this.checkFailure();
      return value;
    });
  }

  /**
   * @param kind A kind of `WAIT_FOR`.
   * @returns Whether the program or a handler awaits something of that kind.
   */
  awaitsKind(kind: number): boolean {
    return this.#reasons.some((reason) => reason().kind === kind);
  }

  /** Tells that the program has ended and this PE only serves the others. */
  serve(): void {
    this.#serving = true;
  }

  /** Stops the pump. */
  close(): void {
    this.#pump.close();
  }

  awaits(): boolean {
    const { kind } = this.#waitReason();
    return kind !== WAIT_FOR.nothing && kind !== WAIT_FOR.task;
  }

  reportWaiting(): void {
    const reason = this.#waitReason();
    const activity = this.#serving ? ACTIVITY.serving : ACTIVITY.idle;
    this.lamella.report(activity, reason.kind, reason.pe);
    this.#note(reason);
  }

  #waitReason(): WaitReason {
    let found = NO_REASON;
    for (let i = 0; i < this.#reasons.length; i++) {
      const reason = this.#reasons[i]!();
      // What a task or an async handler waits for itself says more than that it is under way.
      if (reason.kind !== WAIT_FOR.nothing) found = reason;
      if (found.kind !== WAIT_FOR.nothing && found.kind !== WAIT_FOR.task) break;
    }
    return found;
  }

  pumpFailed(error: unknown): void {
    const failure = this.lamella.failure();
    if (failure) this.#fail(failure);
    else this.lamella.fail(error);
  }

  #fail(error: LamellarError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#pump.close();
    for (const listener of this.#onFailure) listener(error);
  }
}

/** Lengths of the sleeps of a wait: they double while nothing happens. */
class Slices {
  readonly #longest: number;
  readonly #shortest: number;
  #length: number;

  constructor(longest: number, shortest = WAIT_SLICE_MS) {
    this.#longest = longest;
    this.#shortest = shortest;
    this.#length = shortest;
  }

  next(eager: boolean): number {
    this.#length = Math.min(eager ? this.#shortest : 2 * this.#length, this.#longest);
    return this.#length;
  }
}
