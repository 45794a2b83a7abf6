/**
 * Handles of what waits for other PEs to give something back: a lock, or their last references.
 *
 * @module
 */

import { LamellarError } from "../internal/errors.ts";
import { rejectAtAwaiter, takeStackFromHere } from "../internal/stacks.ts";
import {
  type Awaited,
  Handle,
  type Progress,
  startLimit,
  WaitLimit,
  type WaitOptions,
  type WaitReason,
} from "../lamellae/mod.ts";

/** What is waited for. */
export interface PendingWork {
  /** What the user called. */
  readonly op: string;
  /** A kind of `WAIT_FOR`. */
  readonly waitKind: number;
  /** In words that continue "waits for". */
  text(): string;
  /** The PE concerned, -1 if none is known. */
  pe(): number;
  /** Whether only this PE's event loop can end it, which does not run while the program blocks. */
  readonly needsEventLoop: boolean;
  /** The time has come to find out who it is that others wait for. */
  inquire(): void;
  /** Gives it up. */
  withdraw(): void;
}

/** Who knows all that a PE waits for. */
export interface PendingHost {
  readonly progress: Progress;
  /** What waits, in the order in which it began. */
  readonly pending: Set<DarcHandle<unknown>>;
  /** Makes sure that what waits for long inquires. */
  watch(): void;
}

/** What only this room may do with a handle. */
interface PendingControl {
  resolve<T>(handle: DarcHandle<T>, value: T): void;
  reject<T>(handle: DarcHandle<T>, error: unknown): void;
  /** What came of work that is over, also inside handlers; throws if it failed. */
  outcomeOf<T>(handle: DarcHandle<T>): T;
  /** Gives the work up if it is not over; the handle fails. */
  withdraw<T>(handle: DarcHandle<T>, error: unknown): void;
  /** Inquires, the first time that it has waited for so long. */
  inquireAfter<T>(handle: DarcHandle<T>, ms: number): void;
  reasonOf<T>(handle: DarcHandle<T>): WaitReason;
}

/** The control of these handles, which reaches what is private to them. */
export let control: PendingControl;

/**
 * A lock that was asked for, or a conversion that has begun. Await it or block on it. A lock that
 * is no longer wanted is given up by a `timeoutMs` or a `signal` of the call that asked for it;
 * those of `within` and `block` only end the wait.
 *
 * @category Darcs
 */
export class DarcHandle<T> extends Handle<T> {
  readonly #host: PendingHost;
  readonly #work: PendingWork;
  /** When it began to wait. */
  #began = 0;
  #outcome: (() => T) | undefined;
  #promise: Promise<T> | undefined;
  #settle: (() => void) | undefined;
  #unlimit: (() => void) | undefined;
  #limit: WaitLimit | undefined;
  #inquired = false;

  /**
   * Programs get handles from what they call.
   *
   * @ignore
   * @param host Who knows all that this PE waits for.
   * @param work What is waited for.
   */
  constructor(host: PendingHost, work: PendingWork) {
    super();
    this.#host = host;
    this.#work = work;
  }

  /** Whether it is over: the lock or the converted Darc is there, or an error. */
  get done(): boolean {
    return this.#outcome !== undefined;
  }

  /** @ignore */
  protected override promised(): Promise<T> {
    return this.#promise ??= this.#newPromise();
  }

  #newPromise(): Promise<T> {
    const outcome = this.#outcome;
    if (outcome === undefined) {
      this.#host.progress.kick();
      return new Promise((resolve) => this.#settle = () => settle(this.#outcome!, resolve));
    }
    return this.#host.progress.paced(new Promise<T>((resolve) => settle(outcome, resolve)));
  }

  /** @ignore */
  protected override blocked(limit: WaitLimit | undefined): T {
    const { progress } = this.#host;
    progress.refuseBlocking("block");
    if (this.#outcome === undefined) {
      const work = this.#work;
      const own = this.#limit;
      const both = own && limit
        ? new WaitLimit({}, () => this.awaited(), [own, limit])
        : own ?? limit;
      if (work.needsEventLoop && !both?.isFinite) {
        const { pe } = progress.lamella;
        const text = `Cannot block on ${work.text()} on PE ${pe}: this PE has to give it back, ` +
          "which needs its event loop; use await";
        throw new LamellarError("ERR_NEEDS_EVENT_LOOP", text, { pe, op: work.op });
      }
      try {
        const done = (): boolean => this.#outcome !== undefined;
        progress.block(done, work.op, reasonOf(work), both);
      } catch (error) {
        if (own?.isReached) control.withdraw(this, error);
        throw error;
      }
    }
    try {
      return this.#outcome!();
    } catch (error) {
      throw takeStackFromHere(error);
    }
  }

  /** @ignore */
  protected override awaited(): Awaited {
    const { op } = this.#work;
    const { pe } = reasonOf(this.#work);
    return { text: `for ${this.#work.text()}`, op, ...pe >= 0 && { pe } };
  }

  #end(outcome: () => T): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#host.pending.delete(this as DarcHandle<unknown>);
    this.#unlimit?.();
    this.#settle?.();
  }

  /**
   * Begins to wait, and gives the work up when a limit is reached.
   *
   * @ignore
   * @param handle The handle.
   * @param options When to give it up.
   */
  static wait<T>(handle: DarcHandle<T>, options: WaitOptions | undefined): void {
    if (handle.#outcome !== undefined) return;
    handle.#began = performance.now();
    handle.#host.pending.add(handle as DarcHandle<unknown>);
    handle.#host.watch();
    if (options === undefined) return;
    const { signal, timeoutMs } = options;
    if (signal?.aborted) return control.withdraw(handle, signal.reason);
    const awaited = (): Awaited => handle.awaited();
    if (timeoutMs !== undefined) handle.#limit = new WaitLimit({ timeoutMs }, awaited);
    handle.#unlimit = startLimit(options, awaited, (error) => control.withdraw(handle, error));
  }

  static {
    control = {
      resolve: (handle, value) => handle.#end(() => value),
      reject: (handle, error) =>
        handle.#end(() => {
          throw error;
        }),
      outcomeOf: (handle) => handle.#outcome!(),
      withdraw(handle, error) {
        if (handle.#outcome !== undefined) return;
        handle.#work.withdraw();
        control.reject(handle, error);
      },
      inquireAfter(handle, ms) {
        if (handle.#inquired || performance.now() - handle.#began < ms) return;
        handle.#inquired = true;
        handle.#work.inquire();
      },
      reasonOf: (handle) => reasonOf(handle.#work),
    };
  }
}

function reasonOf(work: PendingWork): WaitReason {
  return { kind: work.waitKind, pe: work.pe(), what: () => work.text() };
}

function settle<T>(outcome: () => T, resolve: (value: T | PromiseLike<T>) => void): void {
  let value: T;
  try {
    value = outcome();
  } catch (error) {
    return rejectAtAwaiter(resolve, error);
  }
  resolve(value);
}
