/**
 * The pump: what makes progress while a program awaits. It shares its thread with the event loop,
 * where timers, I/O and whatever else the program does go on.
 *
 * It is a chain of microtasks, so that a reply which comes at once resumes the program without a
 * turn of the event loop. After some looks in vain it takes a turn. If something of ours is under
 * way, and came soon the last time, a few longer looks with a turn after each follow, as long
 * together as it takes to wake. Then the thread belongs to the event loop, until somebody wakes it
 * this PE: that wakes it by `Atomics.waitAsync`, 10 µs later than a sleep in the futex would end
 * (which is no quicker if its timeout is short).
 *
 * @module
 */

import { ACTIVITY, type Lamella, WAIT_FOR } from "./lamella.ts";
import type { Turns } from "./turns.ts";

/** Microtask turns with a short spin each before the pump takes a turn of the event loop. */
const HOPS = 12;
/** How many of them come before the core is offered with each, where others are processes. */
const HOPS_ALONE_FAR = 3;
/** Loads of the event counter in each of these. */
const HOP_SPINS = 60;
const HOP_SPINS_CROWDED = 10;
/** Of as many awaits of what is there already, one makes progress. */
const GLANCES = 8;
/** A longer look: loads of the event counter, and offers of the core; some 10 µs. */
const LOOK_SPINS = 2000;
const LOOK_SPINS_CROWDED = 100;
const LOOK_YIELDS = 10;
/** Where PEs share cores, offers are the way to wait for PEs that work, in milliseconds. */
const LOOK_CROWDED_MS = 0.1;
/**
 * Where it takes longer to wake, in milliseconds, I/O gets on by turns that the thread wakes from
 * by itself.
 */
const WAKE_QUICK_MS = 0.05;
/**
 * There longer looks take several wakes: with both sides asleep, each would come too late for the
 * looks of the other. In between turns let I/O get on.
 */
const LOOK_WAKES = 5;
const LOOK_TURN_MS = 0.1;

/** What the pump needs of the engine. */
export interface PumpHost {
  readonly lamella: Lamella;
  /** Does what there is to do; returns how much, 0 if nothing. */
  step(): number;
  /** Throws if the job is failing. */
  checkFailure(): void;
  /** Whether anything is under way that the program may wait for. */
  awaits(): boolean;
  /** Tells the watchdog what the program waits for. */
  reportWaiting(): void;
  /** The pump has ended by an error. */
  pumpFailed(error: unknown): void;
}

/** The pump of one PE. */
export class Pump {
  readonly #host: PumpHost;
  readonly #turns: Turns;
  readonly #hopSpins: number;
  readonly #lookSpins: number;
  readonly #crowded: boolean;
  /** Whether some PEs are reached by a network only. */
  readonly #far: boolean;
  /** Hops before the core is offered with each. */
  readonly #hopsAlone: number;
  #running = false;
  #closed = false;
  #idle = 0;
  #glances = 0;
  /** Looks once, and offers the core where PEs share cores. */
  readonly #glance = (): void => {
    if (this.#closed) return;
    const { lamella } = this.#host;
    try {
      const seen = lamella.events();
      if (this.#host.step() > 0) this.kick();
      else if (this.#crowded) lamella.wait(seen, 1, 1, 0);
    } catch (error) {
      this.#host.pumpFailed(error);
    }
  };
  /** Whether it takes long to wake from the event loop. */
  readonly #wakesSlowly: boolean;
  /** How long longer looks are worth it, in milliseconds. */
  readonly #lookMs: number;
  /** Whether what was waited for came so soon the last time that they are worth it. */
  #eager = true;
  /** When they have to end. */
  #lookUntil = 0;
  /** Whether a turn is due that lets I/O and timers get on. */
  #due = false;
  /**
   * Set while the thread is left to the event loop; calling it starts the pump again, and says
   * whether the event loop was what woke it.
   */
  #wake: ((byEventLoop: boolean) => void) | undefined;
  #asyncWait: Promise<unknown> | undefined;
  #asleepSince = 0;

  /**
   * @param host The engine.
   * @param turns The turns of this thread.
   * @param crowded Whether more PEs than cores share the machine.
   */
  constructor(host: PumpHost, turns: Turns, crowded: boolean) {
    this.#host = host;
    this.#turns = turns;
    this.#hopSpins = crowded ? HOP_SPINS_CROWDED : HOP_SPINS;
    this.#lookSpins = crowded ? LOOK_SPINS_CROWDED : LOOK_SPINS;
    const { wakeMs } = host.lamella;
    this.#wakesSlowly = wakeMs > WAKE_QUICK_MS;
    const lookMs = this.#wakesSlowly ? LOOK_WAKES * wakeMs : wakeMs;
    this.#lookMs = crowded ? Math.max(lookMs, LOOK_CROWDED_MS) : lookMs;
    this.#crowded = crowded;
    this.#far = host.lamella.operationBytesMax > 0;
    this.#hopsAlone = crowded ? 0 : this.#far ? HOPS_ALONE_FAR : HOPS;
  }

  /** Makes sure that it runs, at full attention. */
  kick(): void {
    this.#idle = 0;
    if (this.#wake) this.#wake(false);
    else if (!this.#running && !this.#closed) {
      this.#running = true;
      queueMicrotask(() =>
        this.#run().catch((error) => {
          this.#running = false;
          this.#host.pumpFailed(error);
        })
      );
    }
  }

  /**
   * Makes progress now and then, without attention: a program that awaits what is there already
   * waits for nobody, but others may wait for this PE. A PE that looks at the network takes over to
   * read it, so there the pump has to run until it leaves that to others again.
   */
  glance(): void {
    if (this.#far) this.kick();
    else if (++this.#glances % GLANCES === 0) queueMicrotask(this.#glance);
  }

  /** Stops it. */
  close(): void {
    this.#closed = true;
    this.#wake?.(false);
  }

  async #run(): Promise<void> {
    const host = this.#host;
    const { lamella } = host;
    const turns = this.#turns;
    turns.note();
    while (!this.#closed) {
      const seen = lamella.events();
      if (host.step() > 0) {
        this.#idle = 0;
        await undefined;
        if (!turns.step()) continue;
        host.checkFailure();
        if (this.#wakesSlowly || turns.isOverdue) await turns.take();
        else this.#due = true;
        continue;
      }
      const idle = this.#idle++;
      if (this.#due) {
        // What is waited for comes in microseconds, and wakes the thread.
        await this.#sleep(seen);
      } else if (idle < HOPS) {
        lamella.wait(seen, this.#hopSpins, idle < this.#hopsAlone ? 0 : 1, 0);
        await undefined;
      } else if (idle === HOPS) {
        const paced = turns.isUnderWay;
        await turns.pass();
        // Who waited for a turn, too, is next to run.
        if (paced) this.#idle = 0;
        this.#lookUntil = performance.now() + this.#lookMs;
      } else if (this.#eager && performance.now() < this.#lookUntil && host.awaits()) {
        lamella.wait(seen, this.#lookSpins, LOOK_YIELDS, 0);
        await (turns.isLate(LOOK_TURN_MS) ? turns.take() : turns.pass());
      } else {
        await this.#sleep(seen);
      }
    }
    this.#running = false;
  }

  /** Leaves the thread to the event loop until something happens. */
  async #sleep(seen: number): Promise<void> {
    const host = this.#host;
    this.#due = false;
    host.checkFailure();
    host.reportWaiting();
    const { mustLook } = host.lamella;
    if (mustLook) await this.#turns.take();
    const waiting = mustLook ? null : host.lamella.waitAsync(seen);
    if (waiting) {
      // The program may have woken it before the event loop had the thread, and do so every time.
      if (await this.#untilWoken(waiting)) this.#turns.note();
      else this.#turns.excuse();
    }
    // Whatever happened, the program may be next to run.
    host.lamella.report(ACTIVITY.running, WAIT_FOR.nothing, -1);
  }

  /** Returns whether the event loop was what woke it. */
  async #untilWoken(waiting: Promise<unknown>): Promise<boolean> {
    this.#asleepSince = performance.now();
    // The lamella keeps one waiter on the bell until someone wakes it, so it may be an old one.
    if (waiting !== this.#asyncWait) {
      this.#asyncWait = waiting;
      waiting.then(() => {
        this.#asyncWait = undefined;
        if (!this.#wake) return;
        this.#eager = performance.now() - this.#asleepSince < 2 * this.#lookMs;
        this.#wake(true);
      });
    }
    const byEventLoop = await new Promise<boolean>((resolve) => this.#wake = resolve);
    this.#wake = undefined;
    return byEventLoop;
  }
}
