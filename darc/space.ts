/**
 * The Darcs of a PE: which ones it knows, and the messages about them.
 *
 * Whatever changes is only noted while a program or a handler runs, and sent in the next step of
 * the progress engine, together with what else there is for the same Darc.
 *
 * @module
 */

import { sendService, SERVICE } from "../am/mod.ts";
import { ProtocolError } from "../internal/errors.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import { startTimeLimit } from "../internal/time_limit.ts";
import { type Progress, WAIT_FOR, type WaitReason, WORLD_ID } from "../lamellae/mod.ts";
import { firstNumberOf, shownNumber } from "../internal/session_numbers.ts";
import type { Inside, LamellarTeam, TeamParent, WorldCore } from "../world/mod.ts";
import { LockHome, type LockMessage } from "./global_lock.ts";
import { GlobalLock, LocalLock } from "./lock.ts";
import {
  type DarcId,
  type DarcMessage,
  HEAD_BYTES,
  readMessage,
  textOf,
  writeMessage,
} from "./messages.ts";
import { control, type DarcHandle, type PendingHost } from "./pending.ts";
import { type Cell, DarcRecord, type RecordOptions, Reference } from "./record.ts";

const NO_REASON: WaitReason = { kind: WAIT_FOR.nothing, pe: -1 };

/** What waits inquires after this part of the time after which the watchdog reports. */
const INQUIRE_AFTER = 1 / 4;

/** Something that is looked at in each step. */
export interface Watched {
  /** Looks at it; returns whether it is not to be looked at any more. */
  look(): boolean;
  /** Another PE says how many handles it has. */
  held?(record: DarcRecord, pe: number, count: number, origins: string): void;
}

/** What a client has of a Darc. */
export interface Guest {
  /** Its PEs. */
  readonly pes: TeamParent;
  /** What stands for the instance. */
  readonly cell: Cell;
}

/** All Darcs of one PE. */
export class DarcSpace implements PendingHost {
  readonly core: WorldCore;
  readonly progress: Progress;
  readonly pending: Set<DarcHandle<unknown>> = new Set();
  readonly #watched = new Set<Watched>();
  /** By the id of the team and their numbers; those that are freed are not here. */
  readonly #teams = new Map<number, Map<number, DarcRecord>>();
  /** How many were created in each team. */
  readonly #created = new Map<number, number>();
  /** The number before the first. */
  readonly #numberBefore: number;
  #released: DarcRecord[] = [];
  readonly #acknowledging = new Set<DarcRecord>();
  #out: { readonly id: DarcId; readonly pe: number; readonly message: DarcMessage }[] = [];
  #isWatching = false;
  #inquireAt = 0;
  /** What a client does once it holds something no more. */
  readonly #left = new Map<DarcRecord, () => void>();

  /**
   * @param core What every object of the world shares.
   */
  constructor(core: WorldCore) {
    this.core = core;
    const { engine, progress } = core;
    this.progress = progress;
    this.#numberBefore = firstNumberOf(core.lamella.session) - 1;
    engine.services.add(SERVICE.darcs, (pe, views, at, bytes) => {
      this.#receive(pe, views, at, bytes);
    });
    progress.addPoller(() => this.#poll());
    progress.addReason(() => this.#reason());
    progress.onFailure((error) => {
      for (const handle of this.pending) control.reject(handle, error);
    });
    core.onClose(() => this.#close());
    core.regions.whenShort(() => this.#isAnyLeaving());
  }

  /** Whether this PE has given something up that is not free yet. */
  #isAnyLeaving(): boolean {
    if (this.#released.length > 0) return true;
    for (const records of this.#teams.values()) {
      for (const { freed, references } of records.values()) {
        if (!freed && references.state.held === 0) return true;
      }
    }
    return false;
  }

  /**
   * Gives the next number to a Darc of a team, and makes it known.
   *
   * @param kind What it is; kinds of Darcs with locks get theirs.
   * @param team What the program creates it in.
   * @param inside The same.
   * @param cell Where its instance is.
   * @returns The Darc, of which this PE has a reference that nobody counts yet.
   */
  add(
    kind: string,
    team: LamellarTeam,
    { core, pes }: Inside,
    cell: Cell,
  ): DarcRecord {
    const teamId = pes.group?.id ?? WORLD_ID;
    const number = (this.#created.get(teamId) ?? this.#numberBefore) + 1;
    this.#created.set(teamId, number);
    const { pe } = core.lamella;
    const record = this.#note({ kind, number, teamId, pes, team, cell, core });
    if (kind === "LocalRwDarc") record.lock = new LocalLock(pe);
    else if (kind === "GlobalRwDarc") record.lock = this.#globalLock(record, pe);
    return record;
  }

  #note(options: RecordOptions): DarcRecord {
    const { number, teamId } = options;
    const record = new DarcRecord(options, (record) => this.#acknowledging.add(record));
    let records = this.#teams.get(teamId);
    if (!records) this.#teams.set(teamId, records = new Map());
    records.set(number, record);
    return record;
  }

  /**
   * Makes a Darc known to a client, which holds it without being one of its PEs.
   *
   * @param id The Darc, and what it is.
   * @param guest What the client has of it.
   * @returns The Darc, of which the client has no reference yet.
   */
  addGuest(id: DarcId & { readonly kind: string }, { cell, pes }: Guest): DarcRecord {
    const { core } = this;
    return this.#note({ ...id, pes, cell, core, team: core.teamForClient!(pes) as LamellarTeam });
  }

  /**
   * Has a client do something once it holds a Darc no more.
   *
   * @param record The Darc.
   * @param left Called then.
   */
  whenLeft(record: DarcRecord, left: () => void): void {
    this.#left.set(record, left);
  }

  #globalLock(record: DarcRecord, pe: number): GlobalLock {
    const send = (to: number, message: LockMessage): void => {
      if (to === pe) this.#checked(pe, record, message);
      else this.post(record, to, message);
    };
    const home = record.home === pe ? new LockHome(record.pes, send) : undefined;
    return new GlobalLock(record.home, send, home);
  }

  /**
   * Makes the object that stands for a reference which was counted.
   *
   * @param record The Darc.
   * @param what What it is.
   * @returns The reference.
   */
  reference(record: DarcRecord, what: string): Reference {
    const origin = this.core.config.darcOrigins ? what : undefined;
    return new Reference(record, (record) => this.#release(record), origin);
  }

  /**
   * Counts one more reference to a Darc that this PE has one to.
   *
   * @param record The Darc.
   * @param what What it is.
   * @returns The reference.
   */
  take(record: DarcRecord, what: string): Reference {
    record.references.take();
    return this.reference(record, what);
  }

  /**
   * The last one is counted down in a step: a payload that is being encoded may have it, and tell
   * it only later where it goes.
   */
  #release(record: DarcRecord): void {
    const { references } = record;
    if (references.state.held > 1) references.release();
    else if (this.#released.push(record) === 1) this.progress.kick();
  }

  /**
   * Finds a Darc that travelled.
   *
   * @param id Which.
   * @returns The Darc; undefined if this PE does not know its team.
   * @throws {ProtocolError} If it is not there any more.
   */
  find({ teamId, number }: DarcId): DarcRecord | undefined {
    const record = this.#teams.get(teamId)?.get(number);
    if (record !== undefined || !this.#created.has(teamId)) return record;
    throw new ProtocolError(`Cannot read a Darc: number ${shownNumber(number)} is not there`);
  }

  /**
   * Has something looked at in each step, until it says that this is enough.
   *
   * @param watched What.
   */
  look(watched: Watched): void {
    this.#watched.add(watched);
    this.progress.kick();
  }

  /**
   * Sends a message in the next step.
   *
   * @param id The Darc.
   * @param pe The PE that gets it, another one.
   * @param message The message.
   */
  post(id: DarcId, pe: number, message: DarcMessage): void {
    if (this.#out.push({ id, pe, message }) === 1) this.progress.kick();
  }

  /** Does now what is due in the next step; not while a payload is encoded. */
  step(): void {
    this.#poll();
  }

  #poll(): number {
    let done = 0;
    while (this.#released.length > 0 || this.#acknowledging.size > 0) {
      done += this.#settleReferences();
    }
    if (this.#watched.size > 0) done += this.#lookAtAll();
    if (this.#isWatching && performance.now() >= this.#inquireAt) {
      const ms = this.core.config.deadlockWarningMs * INQUIRE_AFTER;
      this.#inquireAt += ms;
      this.#inquire(ms);
    }
    if (this.#out.length === 0) return done;
    const out = this.#out;
    this.#out = [];
    const { outbox } = this.core.engine;
    for (const { id, pe, message } of out) {
      const text = textOf(message);
      const bytes = HEAD_BYTES + text.length;
      sendService(outbox, pe, SERVICE.darcs, bytes, (views, at) => {
        writeMessage(views, at, id, message, text);
      });
    }
    outbox.flush();
    return done + out.length;
  }

  #lookAtAll(): number {
    let over = 0;
    for (const watched of this.#watched) {
      if (!watched.look()) continue;
      this.#watched.delete(watched);
      over++;
    }
    return over;
  }

  #settleReferences(): number {
    const released = this.#released;
    this.#released = [];
    for (const record of released) {
      record.references.release();
      this.#settle(record);
    }
    let done = released.length;
    for (const record of this.#acknowledging) {
      this.#acknowledging.delete(record);
      for (const [pe, count] of record.acknowledgements) {
        record.acknowledgements.delete(pe);
        this.#send(record, pe, { kind: "acknowledge", count });
        done++;
      }
    }
    return done;
  }

  /** As `post`, for any PE. */
  #send(record: DarcRecord, pe: number, message: DarcMessage): void {
    if (pe === this.core.lamella.pe) this.#checked(pe, record, message);
    else this.post(record, pe, message);
  }

  #settle(record: DarcRecord): void {
    if (record.isGuest) this.#forgetIfLeft(record);
    if (record.freed || !record.references.state.over) return;
    for (const pe of record.pes) this.#send(record, pe, { kind: "freed" });
  }

  /** A client that holds something no more is told nothing of it either. */
  #forgetIfLeft(record: DarcRecord): void {
    if (record.references.isMember || record.freed) return;
    record.freed = true;
    this.#teams.get(record.teamId)!.delete(record.number);
    this.#left.get(record)?.();
    this.#left.delete(record);
  }

  #free(record: DarcRecord): void {
    record.freed = true;
    this.#teams.get(record.teamId)!.delete(record.number);
    if (!record.isConverted && !record.isGuest) dropInstance(record.cell);
  }

  /** What lasts until the end of the world, its instances are given back then. */
  #close(): void {
    const records = [...this.#teams.values()].flatMap((team) => [...team.values()]);
    for (const record of records) if (!record.freed) this.#free(record);
  }

  #receive(pe: number, views: MemoryViews, at: number, bytes: number): void {
    const { id, message } = readMessage(views, at, bytes);
    const record = this.#teams.get(id.teamId)?.get(id.number);
    if (record !== undefined) return this.#checked(pe, record, message);
    // A lock may be on its way back when the home learns that nobody holds the Darc any more. How
    // many handles there are, somebody may still ask whose conversion is not over.
    const isPast = this.core.teamForClient !== undefined ||
      id.number <= (this.#created.get(id.teamId) ?? this.#numberBefore);
    if (isPast && message.kind === "askHeld") {
      return this.post(id, pe, { kind: "held", count: 0, origins: "" });
    }
    if (isPast && (message.kind === "leave" || message.kind === "held")) return;
    throw new ProtocolError(`a message about Darc ${shownNumber(id.number)}, which is not there`);
  }

  #checked(pe: number, record: DarcRecord, message: DarcMessage): void {
    if (record.mayHold(pe) && this.#handle(pe, record, message)) return;
    throw new ProtocolError(`a message "${message.kind}" about ${record.name}`);
  }

  /** Returns whether the message could come now. */
  #handle(pe: number, record: DarcRecord, message: DarcMessage): boolean {
    const { references } = record;
    switch (message.kind) {
      case "acknowledge": {
        const expected = references.acknowledged(message.count);
        this.#settle(record);
        return expected;
      }
      case "freed":
        if (pe !== record.home || references.state.held > 0) return false;
        this.#free(record);
        return true;
      case "askHeld": {
        const { state: { held: count } } = references;
        this.#send(record, pe, { kind: "held", count, origins: record.originsText });
        return true;
      }
      case "held":
        for (const watched of this.#watched) {
          watched.held?.(record, pe, message.count, message.origins);
        }
        return true;
      default:
        return record.lock instanceof GlobalLock && record.lock.receive(pe, message);
    }
  }

  #reason(): WaitReason {
    for (const handle of this.pending) return control.reasonOf(handle);
    return NO_REASON;
  }

  watch(): void {
    const { deadlockWarningMs } = this.core.config;
    if (this.#isWatching || deadlockWarningMs === 0) return;
    this.#isWatching = true;
    const ms = deadlockWarningMs * INQUIRE_AFTER;
    this.#inquireAt = performance.now() + ms;
    // A PE that blocks does not see the timer, one that awaits may not make a step.
    startTimeLimit(ms, () => {
      this.#isWatching = false;
      if (this.pending.size === 0) return;
      this.#inquire(ms);
      this.watch();
      this.progress.kick();
    }, { keepsAlive: false });
  }

  #inquire(ms: number): void {
    for (const handle of this.pending) control.inquireAfter(handle, ms);
  }
}

function dropInstance(cell: Cell): void {
  const { value } = cell;
  cell.value = undefined;
  (value as Partial<Disposable> | null | undefined)?.[Symbol.dispose]?.();
}
