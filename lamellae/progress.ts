/**
 * The progress engine of a PE, used by `await` and by the blocking forms alike: it hands received
 * frames to their handler, runs what else makes progress, and when nothing came it waits.
 *
 * A PE in its program makes no progress until it awaits or calls a blocking form. While it awaits,
 * the *pump* runs as a chain of microtasks, so that a reply resumes the program without a turn of
 * the event loop; it looks a few times with short spins, takes a turn so that timers and I/O go on,
 * sleeps in the futex in short slices, and leaves the thread to the event loop for good once it has
 * been idle for long.
 *
 * @module
 */

import { LamellarError, TimeoutError } from "../internal/errors.ts";
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
import { Turns } from "./turns.ts";

/** Does a piece of work; returns how much, 0 if there was none. */
export type Poller = () => number;

/** What one waits for, for the watchdog: a kind of `WAIT_FOR` and the PE concerned, -1 if none. */
export interface WaitReason {
  readonly kind: number;
  readonly pe: number;
}

/**
 * Loads of a waiting PE before it offers its core, where every PE has one, and where several share
 * one.
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
/** Microtask turns with a short spin each before the pump takes a turn of the event loop. */
const HOPS = 12;
/** How many of them come before the core is offered with each, where others are processes. */
const HOPS_ALONE_FAR = 3;
/** Loads of the event counter in each of these. */
const HOP_SPINS = 60;
const HOP_SPINS_CROWDED = 10;
/** Sleep slices of the pump in milliseconds: how late timers and I/O may be. */
const SLICE_MS = 1;
/** Slices without work before the thread is left to the event loop. */
const SLICES = 20;

/** The progress engine of one PE. */
export class Progress {
  readonly lamella: Lamella;
  /** Whether other processes may have memory that is reached by the network only. */
  readonly #far: boolean;
  readonly #spins: number;
  readonly #hopSpins: number;
  /** Hops before the core is offered with each. */
  readonly #hopsAlone: number;
  #sink: FrameSink = (_source, _views, at) => at;
  #pollers: Poller[] = [];
  #onFailure: ((error: LamellarError) => void)[] = [];
  #reasons: (() => WaitReason)[] = [];
  #depth = 0;
  #failure: LamellarError | null = null;
  #closed = false;
  #pumping = false;
  /** Set while the pump has left the thread to the event loop; calling it starts the pump again. */
  #wake: (() => void) | undefined;
  #asyncWait: Promise<unknown> | undefined;
  readonly #turns = new Turns();
  #idle = 0;
  #serving = false;
  /** What `block` waits for. */
  #blockedFor: WaitReason | undefined;

  /**
   * @param lamella The provider.
   * @param crowded Whether more PEs than cores share the machine, so that spinning takes time from
   * those who work.
   * @param spins Loads before a waiting PE offers its core; undefined chooses.
   */
  constructor(lamella: Lamella, crowded: boolean, spins?: number) {
    this.lamella = lamella;
    this.#spins = spins ?? (crowded ? SPINS_CROWDED : SPINS);
    this.#hopSpins = crowded ? HOP_SPINS_CROWDED : HOP_SPINS;
    this.#far = lamella.operationBytesMax > 0;
    this.#hopsAlone = crowded ? 0 : this.#far ? HOPS_ALONE_FAR : HOPS;
  }

  /** Longest time between looks at a value that may be written without a ring, in milliseconds. */
  get valueSliceMs(): number {
    return this.#far ? FAR_WAIT_SLICE_MS : WAIT_SLICE_MS;
  }

  /** Whether a handler or a poller is running: blocking there would never end. */
  get inHandler(): boolean {
    return this.#depth > 0;
  }

  /**
   * Sets who handles frames, and who knows what the PE waits for.
   *
   * @param sink Handles frames.
   * @param reason Tells what the program waits for when it awaits.
   */
  setSink(sink: FrameSink, reason: () => WaitReason): void {
    this.#sink = sink;
    this.addReason(reason);
  }

  /**
   * Adds someone who knows what the program waits for when it awaits.
   *
   * @param reason Tells it; those added first are asked first.
   */
  addReason(reason: () => WaitReason): void {
    this.#reasons.push(reason);
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

  /**
   * Blocks until a condition holds, making progress meanwhile.
   *
   * @param done The condition; it changes by frames, pollers, or memory writes that ring this PE.
   * @param op What the user called, for messages.
   * @param reason What is waited for.
   * @param timeoutMs Longest wait in milliseconds; without it the watchdog is the limit.
   * @throws {LamellarError} If called inside a handler, or when the job fails.
   * @throws {TimeoutError} If the time is over.
   */
  block(done: () => boolean, op: string, reason: WaitReason, timeoutMs?: number): void {
    if (done()) return;
    this.refuseInHandler(op);
    const deadline = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
    const { lamella } = this;
    // Once a sleep brought nothing, looking hard before the next one would only burn the core.
    let eager = true;
    // A value may be written without a ring of the bell; for all else the slices are a safety net.
    const slices = reason.kind === WAIT_FOR.value
      ? new Slices(this.valueSliceMs, this.#far ? FAR_WAIT_SLICE_MS_MIN : WAIT_SLICE_MS)
      : new Slices(IDLE_SLICE_MS);
    const activity = deadline === Infinity ? ACTIVITY.blocked : ACTIVITY.limited;
    lamella.report(activity, reason.kind, reason.pe);
    this.#blockedFor = reason;
    try {
      for (;;) {
        const seen = lamella.events();
        const worked = this.step();
        if (done()) return;
        if (worked > 0) {
          // Work that never ends must not hide the end of the job, or of the time.
          this.checkFailure();
          if (deadline !== Infinity) checkTime(deadline, op);
          continue;
        }
        const sliceMs = slices.next(eager);
        const code = this.#waitBlocked(seen, eager, sliceMs, deadline, op);
        if (code === WAIT_FAILED) this.checkFailure();
        eager = code === WAIT_EVENT;
        // What ends far away may do so without a step, which looks at the network once more.
        if (eager && done()) return;
      }
    } finally {
      this.#blockedFor = undefined;
      lamella.report(ACTIVITY.running, WAIT_FOR.nothing, -1);
    }
  }

  /**
   * Waits in place for memory of another process. Only the network makes progress meanwhile and
   * nothing of the user's runs, so that this is possible inside a handler too.
   *
   * @param done The condition; it changes by tickets of the lamella.
   * @param pe The PE that has the memory.
   * @throws {LamellarError} When the job fails.
   */
  settle(done: () => boolean, pe: number): void {
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
        const code = this.#waitBlocked(seen, eager, slices.next(eager), Infinity, "");
        if (code === WAIT_FAILED) this.checkFailure();
        eager = code === WAIT_EVENT;
      }
    } finally {
      // A handler may run inside a wait.
      const outer = this.#blockedFor;
      if (outer) lamella.report(ACTIVITY.blocked, outer.kind, outer.pe);
      else lamella.report(ACTIVITY.running, WAIT_FOR.nothing, -1);
    }
  }

  #waitBlocked(
    seen: number,
    eager: boolean,
    sliceMs: number,
    deadline: number,
    op: string,
  ): number {
    const spins = eager ? this.#spins : 1;
    const yields = eager ? YIELDS : 0;
    if (deadline === Infinity) return this.lamella.wait(seen, spins, yields, sliceMs);
    const left = checkTime(deadline, op);
    return this.lamella.wait(seen, spins, yields, Math.min(left, sliceMs));
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
    lamella.report(ACTIVITY.blocked, WAIT_FOR.collective, partner);
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
      }
    } finally {
      lamella.report(ACTIVITY.running, WAIT_FOR.nothing, -1);
    }
  }

  /**
   * Refuses to block inside a handler.
   *
   * @param op What the user called.
   * @throws {LamellarError} If called inside a handler.
   */
  refuseInHandler(op: string): void {
    if (this.#depth === 0) return;
    throw new LamellarError(
      "ERR_BLOCKING_IN_HANDLER",
      `Cannot call ${op} inside a handler: nothing would make progress, use await`,
      { pe: this.lamella.pe, op },
    );
  }

  /**
   * Makes sure the pump runs, at full attention. Called whenever something is submitted or awaited.
   */
  kick(): void {
    this.#idle = 0;
    if (this.#wake) this.#wake();
    else if (!this.#pumping && !this.#closed) {
      this.#pumping = true;
      queueMicrotask(() => this.#pump().catch((error) => this.#pumpFailed(error)));
    }
  }

  /**
   * What a program is to wait for that awaits something which may be over already. Awaiting that
   * again and again would never let timers and I/O go on, nor end when the job fails.
   *
   * @param promise What it awaits.
   * @returns The same, after a turn of the event loop if the last was long ago; rejects if the job
   * has failed by then.
   */
  paced<T>(promise: Promise<T>): Promise<T> {
    this.kick();
    if (!this.#turns.step()) return promise;
    return Promise.all([promise, this.#turns.take()]).then(([value]) => {
      this.checkFailure();
      return value;
    });
  }

  /** Tells that the program has ended and this PE only serves the others. */
  serve(): void {
    this.#serving = true;
  }

  /** Stops the pump. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async #pump(): Promise<void> {
    const { lamella } = this;
    const turns = this.#turns;
    turns.note();
    while (!this.#closed) {
      const seen = lamella.events();
      if (this.step() > 0) {
        this.#idle = 0;
        await undefined;
        if (!turns.step()) continue;
        this.checkFailure();
        await turns.take();
        continue;
      }
      const idle = this.#idle++;
      if (idle < HOPS) {
        lamella.wait(seen, this.#hopSpins, idle < this.#hopsAlone ? 0 : 1, 0);
        await undefined;
      } else if (idle === HOPS) {
        // After a turn no microtask of the program is left: sleeping takes no time from it.
        const paced = turns.isUnderWay;
        await turns.take();
        // Who waited for it, too, is next to run.
        if (paced) this.#idle = 0;
      } else if (idle < HOPS + SLICES) {
        this.#reportWaiting();
        const yields = idle === HOPS + 1 ? YIELDS : 0;
        const code = lamella.wait(seen, this.#spins, yields, SLICE_MS);
        if (code === WAIT_FAILED) this.checkFailure();
        lamella.report(ACTIVITY.running, WAIT_FOR.nothing, -1);
        await (turns.isLate ? turns.take() : undefined);
      } else {
        await this.#sleep(seen);
        turns.note();
      }
    }
    this.#pumping = false;
  }

  #reportWaiting(): void {
    const activity = this.#serving ? ACTIVITY.serving : ACTIVITY.idle;
    for (let i = 0; i < this.#reasons.length; i++) {
      const { kind, pe } = this.#reasons[i]!();
      if (kind !== WAIT_FOR.nothing) return this.lamella.report(activity, kind, pe);
    }
    this.lamella.report(activity, WAIT_FOR.nothing, -1);
  }

  /** Leaves the thread to the event loop until something happens. */
  async #sleep(seen: number): Promise<void> {
    this.checkFailure();
    this.#reportWaiting();
    const waiting = this.lamella.waitAsync(seen);
    if (waiting) await this.#untilWoken(waiting);
    // Whatever happened, the program may be next to run.
    this.lamella.report(ACTIVITY.running, WAIT_FOR.nothing, -1);
  }

  async #untilWoken(waiting: Promise<unknown>): Promise<void> {
    // The lamella keeps one waiter on the bell until someone rings, so it may be an old one.
    if (waiting !== this.#asyncWait) {
      this.#asyncWait = waiting;
      waiting.then(() => {
        this.#asyncWait = undefined;
        this.#wake?.();
      });
    }
    await new Promise<void>((resolve) => this.#wake = resolve);
    this.#wake = undefined;
  }

  #pumpFailed(error: unknown): void {
    this.#pumping = false;
    const failure = this.lamella.failure();
    if (failure) this.#fail(failure);
    else this.lamella.fail(error);
  }

  #fail(error: LamellarError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#closed = true;
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

/** Throws if the time is over; returns how much of it is left, in milliseconds. */
function checkTime(deadline: number, op: string): number {
  const left = deadline - performance.now();
  if (left <= 0) throw new TimeoutError(`Cannot finish ${op}: its time is over`, { op });
  return left;
}
