/**
 * The locks of one array, seen from one PE: one for each part.
 *
 * @module
 */

import { type DarcRecord, spaceOf } from "../../darc/mod.ts";
import type { ElementType, Span } from "../../memregion/mod.ts";
import { FarLock, type LockSay } from "./far_lock.ts";
import type { Lock, LockClaim } from "./lock.ts";
import type { LockSpace } from "./lock_space.ts";
import type { LockMessage } from "./messages.ts";
import { NearLock } from "./near_lock.ts";
import { Together } from "./together.ts";

/** The locks of an array. */
export class ArrayLocks {
  readonly #space: LockSpace;
  readonly #record: DarcRecord;
  readonly #span: Span<ElementType>;
  readonly #locks: (NearLock | FarLock | undefined)[] = [];
  #together: Together | undefined;
  /** Claims of far PEs at the lock of this PE's part, by PE and ticket. */
  readonly #claims = new Map<string, LockClaim | "held">();

  /**
   * @param space All locks of this PE.
   * @param record The array.
   * @param span Its elements, behind which the locks are.
   */
  constructor(space: LockSpace, record: DarcRecord, span: Span<ElementType>) {
    this.#space = space;
    this.#record = record;
    this.#span = span;
  }

  /**
   * @param part A part.
   * @returns Its lock.
   */
  of(part: number): Lock {
    return this.#locks[part] ??= this.#make(part);
  }

  /**
   * @param part A part that this PE does not reach directly.
   * @returns Its lock.
   */
  far(part: number): FarLock {
    return this.of(part) as FarLock;
  }

  /** The part whose lock stands for the whole array: not the same for all arrays. */
  get wholePart(): number {
    return this.#record.pes.indexOf(this.#record.home);
  }

  #make(part: number): NearLock | FarLock {
    const { isGuest, kind, name, number, pes, teamId } = this.#record;
    const at = this.#span.extraAt(part);
    const what = kind === "GlobalLockArray" ? name : `PE ${part}'s part of ${name}`;
    // A client is none of those that wait in the memory of a lock.
    if (at >= 0 && !isGuest) return new NearLock(this.#space, at, pes, what);
    const pe = pes[part]!;
    const say: LockSay = (said) => this.#space.send(pe, { ...said, teamId, number });
    return new FarLock(say, pe, what, () => this.#keep());
  }

  /** Does an operation for a far PE while the lock is held, and gives the lock back. */
  #perform(lock: Lock, pe: number, message: LockMessage): void {
    let answer: Pick<LockMessage, "kind" | "body">;
    try {
      answer = { kind: "result", body: this.#span.tools.calls.perform(message.body!) };
    } catch (error) {
      answer = { kind: "failure", body: new TextEncoder().encode(String(error)) };
    }
    lock.release(message.mode);
    this.#space.send(pe, { ...message, ...answer });
  }

  #keep(): () => void {
    const kept = spaceOf(this.#record.core).take(this.#record, "a lock on its way back");
    return () => kept.giveBack();
  }

  /** The lock of the whole array, held by all PEs together. */
  get together(): Together {
    const { me, number, pes, teamId } = this.#record;
    return this.#together ??= new Together({
      lock: this.of(this.wholePart),
      me,
      home: this.wholePart,
      count: pes.length,
      send: (to, message) => this.#space.send(pes[to]!, { ...message, teamId, number }),
      keep: () => this.#keep(),
    });
  }

  /**
   * Takes a message of a far PE.
   *
   * @param pe The PE.
   * @param message The message.
   * @returns Whether it could come now.
   */
  receive(pe: number, message: LockMessage): boolean {
    const { kind, mode, ticket } = message;
    const { me, pes } = this.#record;
    const place = pes.indexOf(pe);
    if (ticket < 0) return this.together.receive(place, message);
    if (kind === "grant" || kind === "left" || kind === "result" || kind === "failure") {
      const lock = this.#locks[place];
      if (!(lock instanceof FarLock)) return false;
      if (kind === "left") return lock.left(ticket);
      if (kind !== "grant") return lock.answered(message);
      lock.granted(ticket);
      return true;
    }
    const lock = this.of(me);
    const holder = place < 0 ? pes.length : place;
    if (kind === "call") {
      const perform = (): void => this.#perform(lock, pe, message);
      if (lock.take(mode, holder)) perform();
      else lock.ask(mode, perform, holder);
      return true;
    }
    const key = `${pe}, ${ticket}`;
    const claim = this.#claims.get(key);
    if (kind === "ask") {
      if (claim !== undefined) return false;
      const granted = (): void => {
        this.#claims.set(key, "held");
        this.#space.send(pe, { ...message, kind: "grant" });
      };
      if (lock.take(mode, holder)) granted();
      else this.#claims.set(key, lock.ask(mode, granted, holder));
      return true;
    }
    if (claim === undefined) return false;
    this.#claims.delete(key);
    if (claim === "held") lock.release(mode);
    else claim.withdraw();
    this.#space.send(pe, { ...message, kind: "left" });
    return true;
  }
}
