/**
 * Guards of the lock of a whole array that all of its PEs hold together.
 *
 * @module
 */

import {
  control,
  DarcHandle,
  type PendingWork,
  type Reference,
  spaceOf,
  wasGivenBack,
} from "../../darc/mod.ts";
import { WAIT_FOR } from "../../lamellae/mod.ts";
import type { AnyElement, Span } from "../../memregion/mod.ts";
import { insideOf } from "../../world/mod.ts";
import type { GuardHold } from "./guards.ts";
import type { Lock } from "./lock.ts";
import type { LockedArray } from "./locked_elements.ts";
import type { Together } from "./together.ts";

/** The claim of this PE, and the reference that keeps the array meanwhile. */
class TogetherHold<E extends AnyElement> implements PendingWork, GuardHold<E> {
  readonly op: string;
  readonly waitKind: number = WAIT_FOR.lock;
  readonly reference: Reference;
  readonly span: Span<E>;
  /** The number of the claim. */
  readonly ticket: number;
  readonly #lock: Lock;
  readonly #together: Together;
  #isHeld = false;

  constructor({ locks, record, span }: LockedArray<E>, op: string, granted: () => void) {
    this.op = op;
    this.span = span.ownPart(op);
    this.#lock = locks.of(locks.wholePart);
    this.#together = locks.together;
    this.reference = spaceOf(record.core).take(record, op);
    this.ticket = this.#together.call(() => {
      this.#isHeld = true;
      this.#lock.guard("write", 1);
      granted();
    });
  }

  giveBack(): void {
    if (!this.reference.isOpen || !this.#isHeld) return;
    wasGivenBack(this);
    this.#lock.guard("write", -1);
    this.#together.leave(this.ticket);
    this.reference.giveBack("its lock was given back");
  }

  /** It is collective: it goes on. */
  withdraw(): void {}

  get needsEventLoop(): boolean {
    return this.#lock.excludes("write");
  }

  text(): string {
    return this.#lock.text("write");
  }

  pe(): number {
    return this.#lock.pe();
  }

  inquire(): void {}
}

/**
 * Takes the lock of an array for all PEs together. Collective over its team.
 *
 * @param array The array.
 * @param guard Makes the guard of this PE.
 * @returns A handle for it.
 */
export function acquireTogether<E extends AnyElement, G>(
  array: LockedArray<E>,
  guard: (hold: GuardHold<E>) => G,
): DarcHandle<G> {
  const op = "collectiveWriteLock";
  const { locks, record } = array;
  const space = spaceOf(record.core);
  const group = insideOf(record.team).group(op);
  space.progress.checkFailure();
  const collective = group.call(op, { args: String(record.number) });
  const hold: TogetherHold<E> = new TogetherHold(
    array,
    op,
    () => control.resolve(handle, guard(hold)),
  );
  const handle = new DarcHandle<G>(space, hold);
  DarcHandle.wait(handle, undefined);
  space.look({
    look() {
      const { done, error } = collective;
      if (error) control.reject(handle, error);
      else if (done) locks.together.called(hold.ticket);
      return done;
    },
  });
  return handle;
}
