/**
 * Operations on arrays in steps, of which one follows the other: a step is done when the lock of
 * its part is there, if it needs one, and the lock is given back before the next is asked for.
 *
 * @module
 */

import { AmHandle, outcomeOf } from "../am/mod.ts";
import { control, DarcHandle, type DarcRecord, type PendingWork, spaceOf } from "../darc/mod.ts";
import type { Reference, Watched } from "../darc/mod.ts";
import { type Handle, type Progress, WAIT_FOR, type WaitLimit } from "../lamellae/mod.ts";
import type { ArrayLocks } from "./lock/array_locks.ts";
import { FarCall } from "./lock/far_lock.ts";
import type { Lock, LockClaim } from "./lock/lock.ts";
import type { LockMode } from "./lock/shared_lock.ts";

/** What is done at one part. */
export interface WorkStep {
  /** The part whose lock has to be held, if one has to. */
  readonly part: number | undefined;
  /** Whether the PE of the part takes the lock, and does it. */
  readonly isThere?: boolean;
  /** Does it; tells when it is over, if its PE does it. */
  readonly run: (tell: () => void) => Handle<unknown> | FarCall;
  /** Gets what it gave, while the lock is held. */
  readonly done?: (value: unknown) => void;
}

/** An operation in steps. */
export interface WorkCall<T> {
  readonly op: string;
  readonly mode: LockMode;
  readonly steps: readonly WorkStep[];
  /** The part whose lock is held for all steps, in place of theirs. */
  readonly hold?: number | undefined;
  /** Called when it is over, or has failed. */
  readonly over?: () => void;
  /** Makes the result of what the last step gave. */
  readonly give: (last: unknown) => T;
}

/** A handle that knows whether somebody sees its error. */
class WorkHandle<T> extends DarcHandle<T> {
  observed = false;

  protected override promised(): Promise<T> {
    this.observed = true;
    return super.promised();
  }

  protected override blocked(limit: WaitLimit | undefined): T {
    this.observed = true;
    return super.blocked(limit);
  }
}

/** What a handle gives that is done; steps are also taken inside handlers. */
function takenFrom(handle: Handle<unknown> | FarCall): unknown {
  if (handle instanceof FarCall) return handle.result();
  if (handle instanceof AmHandle) return outcomeOf(handle);
  if (!(handle instanceof WorkHandle)) return handle.block();
  handle.observed = true;
  return control.outcomeOf(handle);
}

/** An operation, and how far it is. */
export class ArrayWork<T> implements PendingWork, Watched {
  readonly op: string;
  readonly waitKind: number = WAIT_FOR.lock;
  readonly #record: DarcRecord;
  readonly #locks: ArrayLocks | undefined;
  readonly #call: WorkCall<T>;
  /** Those who wait for a lock or another PE are told. */
  readonly #tell = (): void => {
    if (!this.look()) spaceOf(this.#record.core).look(this);
  };
  #at = 0;
  #lock: Lock | undefined;
  #claim: LockClaim | undefined;
  /** What is under way while the lock is held. */
  #running: Handle<unknown> | FarCall | undefined;
  #last: unknown;
  #isOver = false;
  #handle: WorkHandle<T> | undefined;
  #reference: Reference | undefined;

  /**
   * @param record The array.
   * @param locks Its locks, if it has any.
   * @param call What is done.
   */
  constructor(record: DarcRecord, locks: ArrayLocks | undefined, call: WorkCall<T>) {
    this.op = call.op;
    this.#record = record;
    this.#locks = locks;
    this.#call = call;
  }

  /**
   * Does what can be done at once.
   *
   * @param given Makes the handle of a result that is there.
   * @returns A handle for the result.
   * @throws What the operation throws before it has to wait.
   */
  start(given: (value: T) => Handle<T>): Handle<T> {
    if (this.#begin()) return given(this.#call.give(this.#last));
    const space = spaceOf(this.#record.core);
    const { engine, progress } = this.#record.core;
    this.#checkFailure(progress);
    this.#reference = space.take(this.#record, this.op);
    const handle = new WorkHandle<T>(space, this);
    this.#handle = handle;
    engine.begin();
    DarcHandle.wait(handle, undefined);
    if (this.#needsLooks) space.look(this);
    return handle;
  }

  /** Nobody answers in a job that fails. */
  #checkFailure(progress: Progress): void {
    try {
      progress.checkFailure();
    } catch (error) {
      this.#claim?.withdraw();
      this.#release();
      this.#call.over?.();
      throw error;
    }
  }

  #begin(): boolean {
    let isOver = true;
    try {
      return isOver = this.#go();
    } finally {
      if (isOver) this.#call.over?.();
    }
  }

  /** Goes on as far as it can; returns whether it is over. */
  #go(): boolean {
    const { hold, steps } = this.#call;
    for (; this.#at < steps.length; this.#at++) {
      const { done, isThere, run } = steps[this.#at]!;
      if (!isThere && !this.#isLocked()) return false;
      try {
        const running = this.#running ??= run(this.#tell);
        if (!running.done) return false;
        this.#last = takenFrom(running);
        done?.(this.#last);
      } catch (error) {
        this.#release();
        throw error;
      }
      this.#running = undefined;
      if (hold === undefined) this.#release();
    }
    this.#release();
    return true;
  }

  /** Whether the lock of the next step is held; if not, it has been asked for. */
  #isLocked(): boolean {
    const lock = this.#wanted();
    if (lock === undefined || this.#lock !== undefined) return true;
    if (this.#claim !== undefined) return false;
    const { mode } = this.#call;
    if (lock.take(mode)) {
      this.#lock = lock;
      return true;
    }
    this.#claim = lock.ask(mode, () => {
      this.#claim = undefined;
      this.#lock = lock;
      // At once: the program may compute for long before the next step, and others want the lock.
      this.#tell();
    });
    return false;
  }

  /** The lock of the next step. */
  #wanted(): Lock | undefined {
    const part = this.#call.hold ?? this.#call.steps[this.#at]?.part;
    return part === undefined ? undefined : this.#locks?.of(part);
  }

  #release(): void {
    this.#lock?.release(this.#call.mode);
    this.#lock = undefined;
    this.#running = undefined;
  }

  /** Whether nobody tells that what is under way is over. */
  get #needsLooks(): boolean {
    return this.#running !== undefined && !(this.#running instanceof FarCall);
  }

  look(): boolean {
    if (this.#isOver) return true;
    try {
      if (!this.#go()) return !this.#needsLooks;
      const { give } = this.#call;
      this.#end();
      control.resolve(this.#handle!, give(this.#last));
    } catch (error) {
      this.#end();
      const handle = this.#handle!;
      this.#record.core.engine.keepFailure(error, () => handle.observed);
      control.reject(handle, error);
    }
    return true;
  }

  #end(): void {
    this.#isOver = true;
    this.#call.over?.();
    this.#reference?.giveBack("it is over");
    this.#record.core.engine.countDone(1);
  }

  get needsEventLoop(): boolean {
    return this.#lock === undefined && (this.#wanted()?.excludes(this.#call.mode) ?? false);
  }

  text(): string {
    const wanted = this.#wanted();
    if (wanted === undefined || this.#lock !== undefined) {
      return `${this.op} of ${this.#record.name}`;
    }
    return wanted.text(this.#call.mode);
  }

  pe(): number {
    return this.#wanted()?.pe() ?? -1;
  }

  inquire(): void {}

  /** What has begun goes on: only a lock can be given up. */
  withdraw(): void {}
}
