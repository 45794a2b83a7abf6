/**
 * Collectives of a team other than the world's, by messages among its members, so that they need
 * nothing of a lamella but its frames. In round k a member sends to the one 2^k further on and
 * waits for the one 2^k before it; after ⌈log2 P⌉ rounds everyone has heard of everyone (Hensgen,
 * Finkel, Manber: Two algorithms for barrier synchronization, 1988). What members contribute
 * travels along, each message with all that its sender has gathered so far (Bruck, Ho, Kipnis,
 * Upfal, Weathersby: Efficient algorithms for all-to-all communications in multiport
 * message-passing systems, 1997).
 *
 * Messages carry the kind of the collective: members that call different ones fail at once, naming
 * both sides. A member can be one collective ahead of another, never two: it ends one only after
 * every other has entered it.
 *
 * @module
 */

import type { AmEngine } from "../am/mod.ts";
import { CollectiveMismatchError, ProtocolError } from "../internal/errors.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import { type Collective, type Progress, WAIT_FOR } from "../lamellae/mod.ts";

/** Names of the collectives; the index travels with every message. */
const KINDS = ["barrier", "createSubteamFromArch", "team close"] as const;

/** A kind of collective of a team. */
export type TeamCollectiveKind = typeof KINDS[number];

/** Words of a message behind the id of the team: sequence number, round, kind, contributions. */
const HEAD_WORDS = 4;
/** Bytes of the id and of these words. */
const MESSAGE_BYTES = 8 + 4 * HEAD_WORDS;

/** The members of a team, and which of them we are. */
export interface TeamMembers {
  /** How messages call it. */
  readonly name: string;
  /** The team as it is known on the wire. */
  readonly id: number;
  /** The members by their numbers in the world. */
  readonly pes: readonly number[];
  /** This PE in that list. */
  readonly me: number;
}

/** A message of a partner. */
interface Message {
  readonly kind: number;
  readonly contributions: readonly Uint8Array[];
}

/** One collective under way. */
interface Operation {
  readonly kind: TeamCollectiveKind;
  readonly code: number;
  /** What was gathered: ours, that of the member before us, and so on backwards. */
  readonly gathered: Uint8Array[];
  /** Whether members contribute bytes. */
  readonly gathers: boolean;
  sequence: number;
  round: number;
  /** Everyone's bytes once it is done. */
  result: Uint8Array[] | undefined;
  error: Error | undefined;
  settle: (() => void) | undefined;
}

/** The collectives of a team, seen from one of its members. */
export class TeamCollectives {
  readonly #engine: AmEngine;
  readonly #progress: Progress;
  readonly #members: TeamMembers;
  readonly #rounds: number;
  #sequence = 0;
  #queue: Operation[] = [];
  /** Messages that wait to be looked at, by round, for even and odd sequence numbers. */
  readonly #waiting: [(Message | undefined)[], (Message | undefined)[]] = [[], []];

  /**
   * @param engine Sends the messages.
   * @param progress The engine that waits.
   * @param members The members.
   */
  constructor(engine: AmEngine, progress: Progress, members: TeamMembers) {
    this.#engine = engine;
    this.#progress = progress;
    this.#members = members;
    this.#rounds = Math.ceil(Math.log2(members.pes.length));
  }

  /**
   * Calls a collective.
   *
   * @param kind Which.
   * @param own Bytes this member contributes, for the kinds in which all do.
   * @returns A handle to wait for it; it gives what each member contributed, in their order.
   */
  call(kind: TeamCollectiveKind, own?: Uint8Array): Collective {
    const operation = this.#enter(kind, own);
    this.#progress.kick();
    return {
      block: () => this.#block(operation),
      finished: () => this.#finished(operation),
    };
  }

  #enter(kind: TeamCollectiveKind, own: Uint8Array | undefined): Operation {
    this.#progress.checkFailure();
    const operation: Operation = {
      kind,
      code: KINDS.indexOf(kind),
      gathered: own ? [own] : [],
      gathers: own !== undefined,
      sequence: 0,
      round: 0,
      result: undefined,
      error: undefined,
      settle: undefined,
    };
    this.#queue.push(operation);
    if (this.#queue.length === 1) this.#begin(operation);
    this.#advance();
    return operation;
  }

  /** A blocking barrier. */
  barrier(): void {
    // Before anything is sent: a barrier that was entered cannot be left.
    this.#progress.refuseInHandler("barrier");
    this.#block(this.#enter("barrier", undefined));
  }

  /** The PE whose message the first collective of the queue lacks, -1 if none. */
  waitingFor(): number {
    const operation = this.#queue[0];
    return operation ? this.#partner(-(2 ** operation.round)) : -1;
  }

  /**
   * Takes a message of another PE.
   *
   * @param pe The PE.
   * @param views The memory it lies in.
   * @param at Its address.
   * @param bytes Its length.
   * @throws {ProtocolError} If it is none that could come now; the message says what was found.
   */
  receive(pe: number, views: MemoryViews, at: number, bytes: number): void {
    if (bytes < MESSAGE_BYTES) throw new ProtocolError(`a message of a team of ${bytes} bytes`);
    const word = (at + 8) >>> 2;
    const [sequence, round] = [views.i32[word]!, views.i32[word + 1]!];
    const { name } = this.#members;
    const ahead = (sequence - this.#sequence) | 0;
    const slots = this.#waiting[sequence & 1]!;
    const expected = round >= 0 && round < this.#rounds && pe === this.#partner(-(2 ** round)) &&
      (ahead === 1 || (ahead === 0 && this.#queue[0] !== undefined && round >= this.#round));
    if (!expected || slots[round]) {
      throw new ProtocolError(
        `a message of collective ${sequence} of ${name}, round ${round}, where ` +
          `${this.#sequence} was the last`,
      );
    }
    slots[round] = {
      kind: views.i32[word + 2]!,
      contributions: readContributions(views, at + MESSAGE_BYTES, bytes, views.i32[word + 3]!),
    };
    this.#advance();
  }

  /**
   * Ends everything, when the job fails.
   *
   * @param error Why.
   */
  fail(error: Error): void {
    for (const operation of this.#queue.splice(0)) {
      operation.error ??= error;
      operation.settle?.();
    }
  }

  get #round(): number {
    return this.#queue[0]?.round ?? 0;
  }

  #partner(distance: number): number {
    const { pes, me } = this.#members;
    return pes[(me + distance + pes.length) % pes.length]!;
  }

  #begin(operation: Operation): void {
    this.#sequence = (this.#sequence + 1) | 0;
    operation.sequence = this.#sequence;
    this.#send(operation);
  }

  /** Sends what was gathered to the partner of this round; handlers may run meanwhile. */
  #send({ sequence, round, code, gathered }: Operation): void {
    if (round >= this.#rounds) return;
    const count = Math.min(gathered.length, this.#members.pes.length - 2 ** round);
    const message = writeMessage(this.#members.id, sequence, round, code, gathered, count);
    this.#engine.sendCollective(this.#partner(2 ** round), message);
  }

  /** Goes as far as the messages allow. Sending may run handlers, and they this method. */
  #advance(): void {
    for (let first = this.#queue[0]; first; first = this.#queue[0]) {
      if (first.round === this.#rounds) {
        this.#finish(first);
        continue;
      }
      const slots = this.#waiting[first.sequence & 1]!;
      const message = slots[first.round];
      if (!message) return;
      slots[first.round] = undefined;
      if (message.kind !== first.code) return this.#mismatch(first, message.kind);
      this.#gather(first, message);
      first.round++;
      this.#send(first);
    }
  }

  #gather({ gathered, gathers, round, kind }: Operation, { contributions }: Message): void {
    const wanted = gathers ? Math.min(2 ** round, this.#members.pes.length - 2 ** round) : 0;
    if (contributions.length !== wanted) {
      throw new ProtocolError(
        `${contributions.length} contributions to ${kind} of ${this.#members.name}, not ${wanted}`,
      );
    }
    gathered.push(...contributions);
  }

  #finish(operation: Operation): void {
    const { length } = this.#members.pes;
    const { gathered } = operation;
    const { me } = this.#members;
    operation.result = gathered.map((_, pe) => gathered[(me - pe + length) % length]!);
    this.#queue.shift();
    const next = this.#queue[0];
    operation.settle?.();
    if (next) this.#begin(next);
  }

  #mismatch(operation: Operation, code: number): void {
    const partner = this.#partner(-(2 ** operation.round));
    const pe = this.#members.pes[this.#members.me]!;
    operation.error = new CollectiveMismatchError(
      `PE ${pe} called ${operation.kind} as collective number ${operation.sequence} of ` +
        `${this.#members.name} where PE ${partner} called ` +
        `${KINDS[code] ?? "an unknown collective"}: all members have to call the same ones in ` +
        "the same order",
      { pe: partner, op: operation.kind },
    );
    this.#queue.shift();
    this.#progress.lamella.fail(operation.error);
    operation.settle?.();
  }

  #block(operation: Operation): Uint8Array[] {
    const over = (): boolean => operation.result !== undefined || operation.error !== undefined;
    // For each partner anew, so that the watchdog can name the one that is missing.
    while (!over()) {
      const pe = this.waitingFor();
      this.#progress.block(
        () => over() || this.waitingFor() !== pe,
        `${operation.kind} of ${this.#members.name}`,
        { kind: WAIT_FOR.collective, pe },
      );
    }
    if (operation.error) throw operation.error;
    return operation.result!;
  }

  async #finished(operation: Operation): Promise<Uint8Array[]> {
    if (!operation.result && !operation.error) {
      await new Promise<void>((resolve) => {
        const others = operation.settle;
        operation.settle = () => {
          others?.();
          resolve();
        };
        this.#progress.kick();
      });
    }
    if (operation.error) throw operation.error;
    return operation.result!;
  }
}

/** Each contribution has its length in front and ends at a multiple of 4 bytes. */
function writeMessage(
  id: number,
  sequence: number,
  round: number,
  code: number,
  gathered: readonly Uint8Array[],
  count: number,
): Uint8Array {
  let bytes = MESSAGE_BYTES;
  for (let i = 0; i < count; i++) bytes += 4 + ((gathered[i]!.length + 3) & ~3);
  const buffer = new ArrayBuffer((bytes + 7) & ~7);
  const message = new Uint8Array(buffer, 0, bytes);
  const words = new Int32Array(buffer);
  new Float64Array(buffer, 0, 1)[0] = id;
  words[2] = sequence;
  words[3] = round;
  words[4] = code;
  words[5] = count;
  let at = MESSAGE_BYTES;
  for (let i = 0; i < count; i++) {
    const contribution = gathered[i]!;
    words[at >>> 2] = contribution.length;
    message.set(contribution, at + 4);
    at += 4 + ((contribution.length + 3) & ~3);
  }
  return message;
}

/** `bytes` is the length of the whole message, whose contributions begin at `at`. */
function readContributions(
  views: MemoryViews,
  at: number,
  bytes: number,
  count: number,
): Uint8Array[] {
  const end = at + bytes - MESSAGE_BYTES;
  const contributions: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const length = at + 4 <= end ? views.i32[at >>> 2]! : -1;
    if (length < 0 || at + 4 + length > end) {
      throw new ProtocolError(`contribution ${i} of ${count} in a message of ${bytes} bytes`);
    }
    contributions.push(views.u8.slice(at + 4, at + 4 + length));
    at += 4 + ((length + 3) & ~3);
  }
  if (at !== end) throw new ProtocolError(`${end - at} bytes behind the contributions`);
  return contributions;
}
