/**
 * What is under way at far PEs, those whose memory another process has: each operation has tickets
 * of the lamella, and is over when all of them are done.
 *
 * @module
 */

import type { LamellarError } from "../../internal/errors.ts";
import { type Lamella, type Progress, WAIT_FOR, type WaitLimit } from "../../lamellae/mod.ts";

/** The most tickets that a PE may have open; to start another waits in place until one is done. */
const TICKETS_MAX = 128;

/** Who counts the work of a PE, for `waitAll`. */
export interface WorkCounter {
  /** Something was started. */
  begin(): void;
  /** As much of it is over. */
  countDone(count: number): void;
  /**
   * Something failed.
   *
   * @param error Why.
   * @param observed Whether someone else sees the error.
   */
  keepFailure(error: unknown, observed: () => boolean): void;
}

/** A ticket of an operation. */
interface Part {
  readonly ticket: number;
  /** What comes after it. */
  readonly done: (() => void) | undefined;
}

const OPEN = 0;
const DONE = 1;
const FAILED = 2;

/** Most operations have neither children nor others that they follow. */
const NONE: Pending<never>[] = [];

/** An operation at far PEs, that gives a value once it is over. */
export class Pending<V> {
  /** The PE it waits for, for the watchdog. */
  readonly pe: number;
  readonly #far: FarWork;
  readonly #parts: Part[] = [];
  #children: Pending<void>[] = NONE;
  /** What it has to wait for though it is not a part of it. */
  #behind: Pending<unknown>[] = NONE;
  /** Calls that go on when a child is over. */
  #parent: ((error: unknown) => void) | undefined;
  #finish: (() => V) | undefined;
  #state = OPEN;
  /** The first error; the operation is over when nothing of it is under way any more. */
  #broken = false;
  #error: unknown;
  #value: unknown;
  #observed = false;
  #promise: PromiseWithResolvers<unknown> | undefined;

  /**
   * @param far What is under way at this PE.
   * @param pe The PE whose memory it is.
   * @internal
   */
  constructor(far: FarWork, pe: number) {
    this.#far = far;
    this.pe = pe;
  }

  /**
   * Takes a part that was started.
   *
   * @param ticket Its ticket, not 0.
   * @param done What comes after it: may look at what it gave, throw, or start another part.
   */
  take(ticket: number, done?: () => void): void {
    this.#parts.push({ ticket, done });
    this.#far.tickets++;
  }

  /**
   * Ends it with an error, once nothing of it is under way any more.
   *
   * @param error Why.
   */
  break(error: unknown): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#error = error;
  }

  /**
   * Starts a part of it, unless another one failed.
   *
   * @param begin Starts it; returns a ticket, 0 if it is done.
   * @param done What comes after it: may look at what it gave, throw, or start another part.
   */
  start(begin: () => number, done?: () => void): void {
    if (this.#broken) return;
    try {
      const ticket = begin();
      if (ticket === 0) return this.#after(done);
      this.take(ticket, done);
    } catch (error) {
      this.break(error);
    }
  }

  /**
   * Makes another operation a part of it.
   *
   * @param child The operation, undefined if it is over.
   * @param done What comes after it, as in `start`.
   */
  adopt(child: Pending<void> | undefined, done?: () => void): void {
    if (child === undefined) return this.#after(done);
    child.#observed = true;
    const over = (error: unknown): void => {
      if (child.#state === FAILED) this.break(error);
      else this.#after(done);
    };
    if (child.#state !== OPEN) return over(child.#error);
    if (this.#children === NONE) this.#children = [];
    this.#children.push(child);
    child.#parent = (error) => {
      this.#children.splice(this.#children.indexOf(child), 1);
      over(error);
      this.#settleIfOver();
    };
  }

  /**
   * Makes it end no sooner than others, whose errors are not its own.
   *
   * @param others The other operations.
   */
  follow(others: Pending<unknown>[]): void {
    this.#behind = others;
  }

  /** Whether it still waits for operations that are not part of it. */
  get follows(): boolean {
    return this.#behind.length > 0;
  }

  /**
   * Tells that all parts but those that follow others have been started.
   *
   * @param finish Makes the value.
   * @returns This.
   */
  seal(finish: () => V): this {
    this.#finish = finish;
    this.#settleIfOver();
    return this;
  }

  /** Looks at its tickets; returns whether it is over. */
  advance(): boolean {
    for (let i = 0; i < this.#parts.length;) {
      const { ticket, done } = this.#parts[i]!;
      if (this.#isPending(ticket)) {
        i++;
        continue;
      }
      this.#parts.splice(i, 1);
      this.#far.tickets--;
      this.#after(done);
    }
    for (let i = this.#children.length - 1; i >= 0; i--) this.#children[i]?.advance();
    if (this.follows) this.#behind = this.#behind.filter((other) => !other.advance());
    this.#settleIfOver();
    return this.#state !== OPEN;
  }

  #isPending(ticket: number): boolean {
    try {
      return this.#far.lamella.isPending(ticket);
    } catch (error) {
      this.break(error);
      return false;
    }
  }

  #after(done: (() => void) | undefined): void {
    if (this.#broken) return;
    try {
      done?.();
    } catch (error) {
      this.break(error);
    }
  }

  #settleIfOver(): void {
    const finish = this.#finish;
    if (this.#state !== OPEN || !finish) return;
    if (this.#parts.length > 0 || this.#children.length > 0 || this.follows) return;
    if (!this.#broken) {
      try {
        this.#value = finish();
      } catch (error) {
        this.break(error);
      }
    }
    this.#settle();
  }

  #settle(): void {
    this.#state = this.#broken ? FAILED : DONE;
    if (this.#broken) this.#promise?.reject(this.#error);
    else this.#promise?.resolve(this.#value);
    const error = this.#broken ? { error: this.#error } : undefined;
    this.#far.remove(this, error, () => this.#observed);
    this.#parent?.(this.#error);
  }

  /**
   * Ends it because nothing more will come.
   *
   * @param error Why.
   */
  fail(error: LamellarError): void {
    if (this.#state !== OPEN) return;
    this.#far.tickets -= this.#parts.length;
    this.#parts.length = 0;
    this.#children = NONE;
    this.#behind = NONE;
    this.break(error);
    this.#settle();
  }

  /** A promise for its value. */
  promise(): Promise<V> {
    this.#observed = true;
    if (this.#promise === undefined) {
      this.#promise = Promise.withResolvers();
      if (this.#state === DONE) this.#promise.resolve(this.#value);
      else if (this.#state === FAILED) this.#promise.reject(this.#error);
    }
    return this.#promise.promise as Promise<V>;
  }

  /** Blocks until it is over, as an awaited handle would wait; in place inside a handler. */
  block(limit?: WaitLimit): V {
    const { progress } = this.#far;
    if (progress.inHandler) return this.wait(limit);
    this.#observed = true;
    const reason = { kind: WAIT_FOR.memory, pe: this.pe };
    if (!this.advance()) progress.block(() => this.advance(), "block", reason, limit);
    return this.#result();
  }

  /** Waits in place until it is over: nothing of the user's runs meanwhile. */
  wait(limit?: WaitLimit): V {
    this.#observed = true;
    this.#far.progress.blockInPlace(() => this.advance(), this.pe, limit);
    return this.#result();
  }

  #result(): V {
    if (this.#state === FAILED) throw this.#error;
    return this.#value as V;
  }
}

/** What is under way at far PEs. */
export class FarWork {
  /** The engine that looks at it. */
  readonly progress: Progress;
  /** The provider. */
  readonly lamella: Lamella;
  /** Tickets that are open. */
  tickets = 0;
  #open: Pending<unknown>[] = [];
  #fences: { readonly behind: Set<Pending<unknown>>; readonly run: () => void }[] = [];
  /** The last operation that `all` gave. */
  #all: Pending<void> | undefined;
  #counter: WorkCounter | undefined;
  #polled = false;
  /** The event counter at the last look. */
  #events = 0;
  /** Whether that left something out. */
  #unseen = true;

  /**
   * @param progress The engine that looks at it.
   */
  constructor(progress: Progress) {
    this.progress = progress;
    this.lamella = progress.lamella;
    progress.onFailure((error) => this.failAll(error));
    progress.addReason(() => {
      const [first] = this.#open;
      return first === undefined
        ? { kind: WAIT_FOR.nothing, pe: -1 }
        : { kind: WAIT_FOR.memory, pe: first.pe };
    });
  }

  /** How many operations are under way. */
  get pending(): number {
    return this.#open.length;
  }

  /**
   * Lets somebody count what is under way.
   *
   * @param counter Who.
   */
  countWith(counter: WorkCounter): void {
    this.#counter = counter;
  }

  /** Waits in place while too many tickets are open. */
  makeRoom(): void {
    if (this.tickets < TICKETS_MAX) return;
    const done = (): boolean => (this.#poll(), this.tickets < TICKETS_MAX);
    this.progress.blockInPlace(done, this.#open[0]!.pe);
  }

  /**
   * Begins an operation, which has to be sealed, after a wait in place for room if need be.
   *
   * @param pe The PE whose memory it is.
   * @returns The operation.
   */
  begin<V>(pe: number): Pending<V> {
    this.makeRoom();
    const operation = new Pending<V>(this, pe);
    this.#open.push(operation);
    this.#counter?.begin();
    if (!this.#polled) {
      // A world without far PEs never gets here, and is not to pay for it at each step.
      this.#polled = true;
      this.progress.addPoller(() => this.#open.length === 0 ? 0 : this.#poll());
      this.progress.addReason(() =>
        this.#open.length === 0
          ? { kind: WAIT_FOR.nothing, pe: -1 }
          : { kind: WAIT_FOR.memory, pe: this.#open[0]!.pe }
      );
    }
    this.progress.kick();
    return operation;
  }

  /**
   * Makes a value of something that is under way.
   *
   * @param rest What is left of it.
   * @param give Makes the value once it is over.
   * @returns The value if it is over, else what gives it.
   */
  after<V>(rest: Pending<void> | undefined, give: () => V): V | Pending<V> {
    if (rest === undefined) return give();
    const operation = this.begin<V>(rest.pe);
    operation.adopt(rest);
    return operation.seal(give);
  }

  /**
   * Removes an operation that is over.
   *
   * @param operation The operation.
   * @param failed Its error, if it failed.
   * @param observed Whether someone sees the error.
   */
  remove(
    operation: Pending<unknown>,
    failed: { readonly error: unknown } | undefined,
    observed: () => boolean,
  ): void {
    const at = this.#open.indexOf(operation);
    if (at < 0) return;
    if (at === 0) this.#open.shift();
    else this.#open.splice(at, 1);
    if (failed) this.#counter?.keepFailure(failed.error, observed);
    this.#counter?.countDone(1);
    if (this.#fences.length === 0) return;
    for (const { behind } of this.#fences) behind.delete(operation);
    const ready = this.#fences.filter(({ behind }) => behind.size === 0);
    this.#fences = this.#fences.filter(({ behind }) => behind.size > 0);
    for (const { run } of ready) run();
  }

  /**
   * Does something once everything that is under way now is over: memory must not be free while
   * something still moves to or from it.
   *
   * @param run What to do; it is not done if the job fails before.
   */
  fence(run: () => void): void {
    if (this.#open.length === 0) run();
    else this.#fences.push({ behind: new Set(this.#open), run });
  }

  /**
   * Everything that is under way now, as one operation: it is over once all of that is. Errors are
   * told by whatever failed.
   *
   * @returns The operation; nothing if nothing is under way.
   */
  all(): Pending<void> | undefined {
    const last = this.#open.at(-1);
    if (last === undefined) return undefined;
    if (last === this.#all) return this.#all;
    const all = this.begin<void>(last.pe);
    // Those that follow others need not be followed: these others are under way themselves.
    all.follow(this.#open.filter((other) => other !== all && !other.follows));
    return this.#all = all.seal(() => {});
  }

  /**
   * Waits in place until everything that was given to `fence` so far is done.
   *
   * @returns Whether there was anything.
   */
  passFences(): boolean {
    if (this.#fences.length === 0) return false;
    let passed = false;
    this.fence(() => passed = true);
    this.progress.blockInPlace(() => (this.#poll(), passed), this.#open[0]!.pe);
    return true;
  }

  /**
   * Looks at what is under way, if anything has happened. Most of it ends in the order in which it
   * began, so that looking at the oldest is enough as long as they end.
   */
  #poll(): number {
    const events = this.lamella.events();
    if (events === this.#events && !this.#unseen) return 0;
    this.#events = events;
    const before = this.#open.length;
    while (this.#open[0]?.advance());
    this.#unseen = this.#open.length < before;
    if (this.#unseen) return before - this.#open.length;
    for (let i = before - 1; i >= 0; i--) this.#open[i]?.advance();
    return Math.max(0, before - this.#open.length);
  }

  /**
   * Ends everything that is under way.
   *
   * @param error Why.
   */
  failAll(error: LamellarError): void {
    this.#fences = [];
    for (const operation of [...this.#open]) operation.fail(error);
  }
}
