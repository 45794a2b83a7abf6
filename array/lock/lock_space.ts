/**
 * The locks of arrays of one PE: those that tasks wait for are looked at in each step, and messages
 * about those in the memory of other hosts come here.
 *
 * @module
 */

import { sendService, SERVICE } from "../../am/mod.ts";
import { type DarcRecord, spaceOf } from "../../darc/mod.ts";
import { ProtocolError } from "../../internal/errors.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { shownNumber } from "../../internal/session_numbers.ts";
import type { Lamella } from "../../lamellae/mod.ts";
import { addToWorld, type WorldCore } from "../../world/mod.ts";
import { type LockMessage, messageBytes, readMessage, writeMessage } from "./messages.ts";
import type { LockHost, NearLock } from "./near_lock.ts";

const spaces = new WeakMap<WorldCore, LockSpace>();

addToWorld((core: WorldCore) => void spaces.set(core, new LockSpace(core)));

/** What has locks, as the record of an array keeps it. */
export interface HasLocks {
  /** Its locks; undefined until this PE knows where it is. */
  locksOf(record: DarcRecord): LockReceiver | undefined;
}

/** Takes the messages about the locks of an array. */
export interface LockReceiver {
  /** Returns whether the message could come now. */
  receive(pe: number, message: LockMessage): boolean;
}

/** All locks of arrays of one PE. */
export class LockSpace implements LockHost {
  readonly lamella: Lamella;
  readonly #core: WorldCore;
  #busy: NearLock[] = [];
  #out: { readonly pe: number; readonly message: LockMessage }[] = [];
  /** Messages about arrays of which this PE has not yet heard that all have made them. */
  #early: { readonly pe: number; readonly message: LockMessage }[] = [];

  /**
   * @param core What every object of the world shares.
   */
  constructor(core: WorldCore) {
    this.#core = core;
    this.lamella = core.lamella;
    core.engine.services.add(SERVICE.arrayLocks, (pe, views, at, bytes) => {
      this.#receive(pe, views, at, bytes);
    });
    core.progress.addPoller(() => this.#poll());
  }

  /**
   * @param core What every object of a world shares.
   * @returns The locks of its PE.
   */
  static of(core: WorldCore): LockSpace {
    return spaces.get(core)!;
  }

  begin(lock: NearLock): void {
    if (!this.#busy.includes(lock)) this.#busy.push(lock);
  }

  kick(): void {
    this.#core.progress.kick();
  }

  /**
   * Sends a message in the next step.
   *
   * @param pe The PE that gets it, another one.
   * @param message The message.
   */
  send(pe: number, message: LockMessage): void {
    if (this.#out.push({ pe, message }) === 1) this.kick();
  }

  #poll(): number {
    let done = 0;
    if (this.#early.length > 0) {
      const early = this.#early;
      this.#early = [];
      for (const { pe, message } of early) this.#take(pe, message);
      done += early.length - this.#early.length;
    }
    if (this.#busy.length > 0) {
      for (const lock of [...this.#busy]) done += lock.advance();
      this.#busy = this.#busy.filter((lock) => lock.isBusy);
    }
    if (this.#out.length > 0) {
      const out = this.#out;
      this.#out = [];
      done += out.length;
      for (const { pe, message } of out) {
        sendService(
          this.#core.engine.outbox,
          pe,
          SERVICE.arrayLocks,
          messageBytes(message),
          (views, at) => {
            writeMessage(views, at, message);
          },
        );
      }
    }
    return done;
  }

  #receive(pe: number, views: MemoryViews, at: number, bytes: number): void {
    this.#take(pe, readMessage(views, at, bytes));
  }

  #take(pe: number, message: LockMessage): void {
    const record = spaceOf(this.#core).find(message);
    const value = record?.cell.value as Partial<HasLocks> | undefined;
    if (record === undefined || value?.locksOf === undefined) {
      throw new ProtocolError(`a message about the lock of array ${shownNumber(message.number)}`);
    }
    const locks = value.locksOf(record);
    if (locks === undefined) return void this.#early.push({ pe, message });
    if (record.mayHold(pe) && locks.receive(pe, message)) return;
    throw new ProtocolError(`a message "${message.kind}" about the lock of ${record.name}`);
  }
}
