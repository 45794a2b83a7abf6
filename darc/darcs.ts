/**
 * The kinds of Darcs.
 *
 * @module
 */

import { shownNumber } from "../internal/session_numbers.ts";
import type { CollectiveHandle, WaitOptions } from "../lamellae/mod.ts";
import { insideOf } from "../world/mod.ts";
import type { LamellarEnv } from "../am/mod.ts";
import { create, DarcBase, open, referenceOf, spaceOf } from "./base.ts";
import { convert } from "./conversion.ts";
import {
  acquire,
  DarcReadGuard,
  DarcWriteGuard,
  LockClaim,
  takeIfFree,
  tryAcquire,
} from "./guards.ts";
import type { GlobalLock } from "./lock.ts";
import { control, DarcHandle } from "./pending.ts";
import type { DarcRecord, Reference } from "./record.ts";

/**
 * A distributed object with counted references: each PE of a team has an instance of its own, of
 * any type. Handles travel in active messages, and reach the instance of the PE they come to. The
 * instances are dropped once no PE has a handle any more; those that have a `[Symbol.dispose]`
 * method are disposed of then.
 *
 * ```ts
 * import { am, Darc, darc, LamellarWorldBuilder, u32 } from "../mod.ts";
 *
 * interface Counter {
 *   count: number;
 * }
 * const Add = am("Add", { counter: darc<Counter>(), n: u32 }, (self) => {
 *   self.counter.value.count += self.n;
 * });
 *
 * await using world = await new LamellarWorldBuilder().build();
 * using counter = await Darc.create(world, { count: 0 });
 * await world.execAmAll(Add({ counter, n: 2 }));
 * await world.asyncBarrier();
 * console.log(counter.value.count === 2 * world.numPes);
 * ```
 *
 * @category Darcs
 */
export class Darc<T> extends DarcBase {
  /**
   * Creates a Darc. Collective: every PE of the world or of the team calls it, each with an
   * instance of its own.
   *
   * @param team The world, a team, or what belongs to one, such as another Darc.
   * @param item The instance of this PE; it stays here.
   * @returns A handle for the Darc: await it or block on it.
   * @throws {IdError} If this PE is not a member of the team.
   */
  static create<T>(team: LamellarEnv, item: T): CollectiveHandle<Darc<T>> {
    return create(team, "Darc", item, (reference) => new Darc<T>(reference));
  }

  /** This PE's instance. Throws a `ClosedError` once the handle was given back. */
  get value(): T {
    return referenceOf(this).check("read").cell.value as T;
  }

  /**
   * Makes another handle, which is given back on its own. The handle that a handler gets in its
   * payload lasts until the handler is over, its async part included; a clone lasts longer.
   *
   * @returns The handle.
   * @throws {ClosedError} If this handle was given back.
   */
  clone(): Darc<T> {
    const { record, space } = open(this, "clone");
    return new Darc(space.take(record, "clone of a Darc"));
  }

  /**
   * Makes a handle that does not keep the instances.
   *
   * @returns The handle. It does not travel.
   * @throws {ClosedError} If this handle was given back.
   */
  downgrade(): WeakDarc<T> {
    const { record } = open(this, "downgrade");
    record.checkMember("downgrade");
    return new WeakDarc(record);
  }

  /**
   * Turns it into a Darc whose instances have a lock each. Collective over its team: every PE
   * converts its last handle. It waits until no PE has another one; after the time of
   * `LAMELLAR_DEADLOCK_WARNING_TIMEOUT` it reports which PE has how many.
   *
   * @returns A handle for the new Darc, which has the same instances. This one is given back.
   * @throws {ClosedError} If this handle was given back.
   */
  intoLocalRw(): DarcHandle<LocalRwDarc<T>> {
    return intoLocalRw(this);
  }

  /**
   * Turns it into a Darc whose instances share a lock, as `intoLocalRw` does.
   *
   * @returns A handle for the new Darc, which has the same instances. This one is given back.
   * @throws {ClosedError} If this handle was given back.
   */
  intoGlobalRw(): DarcHandle<GlobalRwDarc<T>> {
    return intoGlobalRw(this);
  }
}

/**
 * A handle of a Darc that does not keep the instances.
 *
 * @category Darcs
 */
export class WeakDarc<T> {
  readonly #record: DarcRecord;

  /**
   * Programs get it from `downgrade`.
   *
   * @ignore
   * @param record The Darc.
   */
  constructor(record: DarcRecord) {
    this.#record = record;
  }

  /**
   * Makes a handle that keeps the instances, if they are there and this PE knows it: as long as it
   * has a handle or a guard itself, or has sent one that is in use.
   *
   * @returns The handle, or undefined.
   */
  upgrade(): Darc<T> | undefined {
    const record = this.#record;
    if (!record.references.isMember) return undefined;
    const { core } = record;
    return core.closed ? undefined : new Darc(spaceOf(core).take(record, "upgraded WeakDarc"));
  }
}

/**
 * A Darc whose instances have a lock each: on every PE many can read its instance at once, or one
 * can write. Whoever asks first gets the lock first.
 *
 * ```ts
 * import { am, LamellarWorldBuilder, LocalRwDarc, localRwDarc, str } from "../mod.ts";
 *
 * const Append = am("Append", { text: localRwDarc<string>(), more: str }, async (self) => {
 *   using guard = await self.text.write();
 *   guard.value += self.more;
 * });
 *
 * await using world = await new LamellarWorldBuilder().build();
 * using text = await LocalRwDarc.create(world, "Hello");
 * if (world.myPe === 0) await world.execAmPe(world.numPes - 1, Append({ text, more: ", PE" }));
 * await world.asyncBarrier();
 * using guard = await text.read();
 * console.log(guard.value);
 * ```
 *
 * @category Darcs
 */
export class LocalRwDarc<T> extends DarcBase {
  /**
   * Creates a Darc whose instances have a lock each. Collective, as `Darc.create`.
   *
   * @param team The world, a team, or what belongs to one, such as another Darc.
   * @param item The instance of this PE; it stays here.
   * @returns A handle for the Darc: await it or block on it.
   * @throws {IdError} If this PE is not a member of the team.
   */
  static create<T>(team: LamellarEnv, item: T): CollectiveHandle<LocalRwDarc<T>> {
    return create(team, "LocalRwDarc", item, (reference) => new LocalRwDarc<T>(reference));
  }

  /**
   * Asks for this PE's instance to read it, together with others.
   *
   * @param options When to give it up.
   * @returns A handle for the guard: await it. You can block on it only if the lock is free: it is
   * this PE that has to give it back.
   * @throws {ClosedError} If this handle was given back.
   */
  read(options?: WaitOptions): DarcHandle<DarcReadGuard<T>> {
    return acquireRead<T>(this, "LocalRwDarc.read", options);
  }

  /**
   * Asks for this PE's instance to write it, alone.
   *
   * @param options When to give it up.
   * @returns A handle for the guard: await it. You can block on it only if the lock is free: it is
   * this PE that has to give it back.
   * @throws {ClosedError} If this handle was given back.
   */
  write(options?: WaitOptions): DarcHandle<DarcWriteGuard<T>> {
    return acquireWrite<T>(this, "LocalRwDarc.write", options);
  }

  /**
   * Takes this PE's instance to read it, if nobody writes it or waits for it.
   *
   * @returns The guard, or undefined.
   * @throws {ClosedError} If this handle was given back.
   */
  tryRead(): DarcReadGuard<T> | undefined {
    const op = "LocalRwDarc.tryRead";
    const { record, space } = open(this, op);
    return takeIfFree(space, record, { op, mode: "read", guard: readGuard<T> });
  }

  /**
   * Takes this PE's instance to write it, if nobody has it.
   *
   * @returns The guard, or undefined.
   * @throws {ClosedError} If this handle was given back.
   */
  tryWrite(): DarcWriteGuard<T> | undefined {
    const op = "LocalRwDarc.tryWrite";
    const { record, space } = open(this, op);
    return takeIfFree(space, record, { op, mode: "write", guard: writeGuard<T> });
  }

  /**
   * Makes another handle, as that of a Darc does.
   *
   * @returns The handle.
   * @throws {ClosedError} If this handle was given back.
   */
  clone(): LocalRwDarc<T> {
    const { record, space } = open(this, "clone");
    return new LocalRwDarc(space.take(record, "clone of a LocalRwDarc"));
  }

  /**
   * Turns it into a Darc without locks. Collective over its team, as `Darc.intoLocalRw`; guards
   * count as handles.
   *
   * @returns A handle for the new Darc, which has the same instances. This one is given back.
   * @throws {ClosedError} If this handle was given back.
   */
  intoDarc(): DarcHandle<Darc<T>> {
    return intoDarc(this);
  }

  /**
   * Turns it into a Darc whose instances share a lock. Collective over its team, as `intoDarc`.
   *
   * @returns A handle for the new Darc, which has the same instances. This one is given back.
   * @throws {ClosedError} If this handle was given back.
   */
  intoGlobalRw(): DarcHandle<GlobalRwDarc<T>> {
    return intoGlobalRw(this);
  }
}

/**
 * A Darc whose instances share one lock: anywhere in its team many can read, each the instance of
 * its PE, or one can write. Whoever asks first gets the lock first, on whichever PE.
 *
 * ```ts
 * import { GlobalRwDarc, LamellarWorldBuilder } from "../mod.ts";
 *
 * await using world = await new LamellarWorldBuilder().build();
 * using table = await GlobalRwDarc.create(world, new Map<string, number>());
 * {
 *   using guard = await table.write(); // nobody else has any of the instances
 *   guard.value.set("owner", world.myPe);
 * }
 * using guard = await table.collectiveWrite(); // all PEs have theirs together
 * guard.value.clear();
 * ```
 *
 * @category Darcs
 */
export class GlobalRwDarc<T> extends DarcBase {
  /**
   * Creates a Darc whose instances share one lock. Collective, as `Darc.create`.
   *
   * @param team The world, a team, or what belongs to one, such as another Darc.
   * @param item The instance of this PE; it stays here.
   * @returns A handle for the Darc: await it or block on it.
   * @throws {IdError} If this PE is not a member of the team.
   */
  static create<T>(team: LamellarEnv, item: T): CollectiveHandle<GlobalRwDarc<T>> {
    return create(team, "GlobalRwDarc", item, (reference) => new GlobalRwDarc<T>(reference));
  }

  /**
   * Asks for the lock to read this PE's instance, together with others on any PE.
   *
   * @param options When to give it up.
   * @returns A handle for the guard: await it, or block on it outside of handlers.
   * @throws {ClosedError} If this handle was given back.
   */
  read(options?: WaitOptions): DarcHandle<DarcReadGuard<T>> {
    return acquireRead<T>(this, "GlobalRwDarc.read", options);
  }

  /**
   * Asks for the lock to write this PE's instance, alone in the whole team.
   *
   * @param options When to give it up.
   * @returns A handle for the guard: await it, or block on it outside of handlers.
   * @throws {ClosedError} If this handle was given back.
   */
  write(options?: WaitOptions): DarcHandle<DarcWriteGuard<T>> {
    return acquireWrite<T>(this, "GlobalRwDarc.write", options);
  }

  /**
   * Asks for the lock to read, if nobody writes or waits. The PE that has the queue of the lock
   * answers.
   *
   * @returns A handle for the guard, or undefined.
   * @throws {ClosedError} If this handle was given back.
   */
  tryRead(): DarcHandle<DarcReadGuard<T> | undefined> {
    const op = "GlobalRwDarc.tryRead";
    const { record, space } = open(this, op);
    return tryAcquire(space, record, { op, mode: "read", guard: readGuard<T> });
  }

  /**
   * Asks for the lock to write, if nobody has it.
   *
   * @returns A handle for the guard, or undefined.
   * @throws {ClosedError} If this handle was given back.
   */
  tryWrite(): DarcHandle<DarcWriteGuard<T> | undefined> {
    const op = "GlobalRwDarc.tryWrite";
    const { record, space } = open(this, op);
    return tryAcquire(space, record, { op, mode: "write", guard: writeGuard<T> });
  }

  /**
   * Takes the lock for all PEs of the team together: each gets its own instance to write.
   * Collective: every PE of the team calls it. The lock is free for others again once all PEs have
   * given it back.
   *
   * @returns A handle for the guard: await it, or block on it outside of handlers.
   * @throws {ClosedError} If this handle was given back.
   */
  collectiveWrite(): DarcHandle<DarcWriteGuard<T>> {
    const op = "collectiveWrite";
    const { record, space } = open(this, op);
    const group = insideOf(record.team).group(op);
    space.progress.checkFailure();
    const collective = group.call(op, { args: String(shownNumber(record.number)) });
    const claim = new LockClaim(space, record, op, "write");
    const lock = record.lock as GlobalLock;
    const handle = new DarcHandle<DarcWriteGuard<T>>(space, claim);
    claim.ticket = lock.expectTogether(() => control.resolve(handle, writeGuard(claim)));
    DarcHandle.wait(handle, undefined);
    space.look({
      look() {
        const { done, error } = collective;
        if (error) control.reject(handle, error);
        else if (done) lock.home?.askTogether(claim.ticket);
        return done;
      },
    });
    return handle;
  }

  /**
   * Makes another handle, as that of a Darc does.
   *
   * @returns The handle.
   * @throws {ClosedError} If this handle was given back.
   */
  clone(): GlobalRwDarc<T> {
    const { record, space } = open(this, "clone");
    return new GlobalRwDarc(space.take(record, "clone of a GlobalRwDarc"));
  }

  /**
   * Turns it into a Darc without a lock. Collective over its team, as `Darc.intoLocalRw`; guards
   * count as handles.
   *
   * @returns A handle for the new Darc, which has the same instances. This one is given back.
   * @throws {ClosedError} If this handle was given back.
   */
  intoDarc(): DarcHandle<Darc<T>> {
    return intoDarc(this);
  }

  /**
   * Turns it into a Darc whose instances have a lock each. Collective over its team, as `intoDarc`.
   *
   * @returns A handle for the new Darc, which has the same instances. This one is given back.
   * @throws {ClosedError} If this handle was given back.
   */
  intoLocalRw(): DarcHandle<LocalRwDarc<T>> {
    return intoLocalRw(this);
  }
}

function intoDarc<T>(darc: DarcBase): DarcHandle<Darc<T>> {
  const { space } = open(darc, "intoDarc");
  const make = (reference: Reference): Darc<T> => new Darc(reference);
  return convert(space, referenceOf(darc), { op: "intoDarc", kind: "Darc", args: "" }, make);
}

function intoLocalRw<T>(darc: DarcBase): DarcHandle<LocalRwDarc<T>> {
  const { space } = open(darc, "intoLocalRw");
  const make = (reference: Reference): LocalRwDarc<T> => new LocalRwDarc(reference);
  return convert(
    space,
    referenceOf(darc),
    { op: "intoLocalRw", kind: "LocalRwDarc", args: "" },
    make,
  );
}

function intoGlobalRw<T>(darc: DarcBase): DarcHandle<GlobalRwDarc<T>> {
  const { space } = open(darc, "intoGlobalRw");
  const make = (reference: Reference): GlobalRwDarc<T> => new GlobalRwDarc(reference);
  return convert(
    space,
    referenceOf(darc),
    { op: "intoGlobalRw", kind: "GlobalRwDarc", args: "" },
    make,
  );
}

function acquireRead<T>(
  darc: DarcBase,
  op: string,
  options: WaitOptions | undefined,
): DarcHandle<DarcReadGuard<T>> {
  const { record, space } = open(darc, op);
  return acquire(space, record, { op, mode: "read", guard: readGuard<T>, options });
}

function acquireWrite<T>(
  darc: DarcBase,
  op: string,
  options: WaitOptions | undefined,
): DarcHandle<DarcWriteGuard<T>> {
  const { record, space } = open(darc, op);
  return acquire(space, record, { op, mode: "write", guard: writeGuard<T>, options });
}

function readGuard<T>(claim: LockClaim): DarcReadGuard<T> {
  return new DarcReadGuard(claim);
}

function writeGuard<T>(claim: LockClaim): DarcWriteGuard<T> {
  return new DarcWriteGuard(claim);
}
