/**
 * Collecting the AMs of a group: those for each PE go into a batch, which leaves when it is full,
 * so that a group keeps little however many AMs it gets.
 *
 * @module
 */

import { type AmCall, type AmDefinition, payloadOf } from "../call.ts";
import { type Codec, type FoundHandle, payloadChanged } from "../codec.ts";
import type { AmHandle } from "../handle.ts";
import { launchableHere } from "../launch_refusals.ts";
import { type ConstantParts, constantsOf } from "../schema/constants.ts";
import type { TeamWork } from "../team_work.ts";
import { BatchWriter } from "./batch.ts";
import type { Results } from "./batch_results.ts";
import { GrowingViews } from "./growing_views.ts";

/** A place in an order of members that is no PE: it goes to all. */
export const TO_ALL = -1;

const FIRST_MEMBERS = 64;
const NONE: readonly FoundHandle[] = [];
/** Most writers that are kept for the next batch. */
const SPARE_MAX = 4;

/** What a group needs of the engine. */
export interface CollectorHost {
  /** This PE. */
  readonly pe: number;
  /** Tells the sessions of a process apart; 0 without one. */
  readonly session: number;
  /** Bytes from which on a batch is full. */
  readonly batchBytes: number;
  /** The id of an AM on the PEs; refuses those that they lack. */
  numberOf(definition: AmDefinition): number;
  /** Launches a batch; `name` says what it is a group of. */
  launchBatch(
    pe: number,
    batch: BatchWriter,
    name: string | undefined,
    team: TeamWork | undefined,
  ): AmHandle<Results>;
}

/** A batch that was launched. */
export interface SentBatch {
  /** Where it went, as the group numbers PEs. */
  readonly pe: number;
  readonly members: number;
  readonly handle: AmHandle<Results>;
}

/** Who the AMs of a group are for, in the order in which they were added. */
export interface Order {
  /** How many there are. */
  readonly length: number;
  /** The PE of each, or `TO_ALL`; the list may be longer. */
  readonly pes: Int16Array;
}

/** The AMs of a group. */
export class AmCollector {
  readonly #host: CollectorHost;
  readonly #team: TeamWork | undefined;
  /** The PEs of the group by their numbers in the world. */
  readonly #pes: readonly number[];
  /** What all AMs of a typed group run. */
  readonly #only: AmDefinition | undefined;
  readonly #parts: ConstantParts | undefined;
  /** The constants of the first AM. */
  #constants: GrowingViews | undefined;
  /** The constants of the AM that is being added, and the handles in them. */
  readonly #scratch = new GrowingViews();
  readonly #writers: (BatchWriter | undefined)[] = [];
  readonly #spare: BatchWriter[] = [];
  readonly #sent: SentBatch[] = [];
  #length = 0;
  /** The PE of each AM, or `TO_ALL`. */
  #order = new Int16Array(FIRST_MEMBERS);
  /** What was added last, and its id: many in a row are of one type. */
  #last: AmDefinition | undefined;
  #lastId = -1;
  /** Whether a payload is being encoded: it may have getters. */
  #adding = false;

  /**
   * @param host The engine.
   * @param pes The PEs of the world or team by their numbers in the world.
   * @param team Counts what is launched, if that is not the world.
   * @param only What all AMs run, if the group is typed.
   */
  constructor(
    host: CollectorHost,
    pes: readonly number[],
    team: TeamWork | undefined,
    only?: AmDefinition,
  ) {
    this.#host = host;
    this.#pes = pes;
    this.#team = team;
    this.#only = only;
    this.#parts = only && constantsOf(only);
  }

  /** How many AMs were added; one for all PEs counts once. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds an AM for one PE.
   *
   * @param pe The PE, as the group numbers PEs.
   * @param call The AM.
   * @throws {TypeError} If it cannot be sent, or differs in a constant; then it is not added.
   */
  add(pe: number, call: AmCall<unknown>): void {
    const definition = this.#definitionOf(call);
    const id = this.#lastId;
    const payload = payloadOf(call);
    this.#adding = true;
    try {
      if (this.#parts !== undefined) this.#checkConstants(this.#parts, definition, payload);
      const writer = this.#writers[pe] ?? this.#begin(pe);
      if (writer.found.length > 0) writer.found.length = 0;
      writer.add(id, this.#parts?.rest ?? definition.codec!, payload);
      this.#tell(pe, writer, writer.found);
    } catch (error) {
      this.#takeBack();
      throw error;
    } finally {
      this.#adding = false;
    }
    this.#note(pe);
    this.#sendIfFull(pe);
  }

  /**
   * Adds an AM for all PEs. Its payload is encoded once.
   *
   * @param call The AM.
   * @throws {TypeError} If it cannot be sent, or differs in a constant; then it is not added.
   */
  addAll(call: AmCall<unknown>): void {
    const definition = this.#definitionOf(call);
    const id = this.#lastId;
    const payload = payloadOf(call);
    const one = new GrowingViews();
    this.#adding = true;
    try {
      if (this.#parts !== undefined) this.#checkConstants(this.#parts, definition, payload);
      encode(one, this.#parts?.rest ?? definition.codec!, payload);
    } catch (error) {
      this.#takeBack();
      throw error;
    } finally {
      this.#adding = false;
    }
    this.#note(TO_ALL);
    for (let pe = 0; pe < this.#pes.length; pe++) {
      const writer = this.#writers[pe] ?? this.#begin(pe);
      writer.addWritten(id, one);
      this.#tell(pe, writer, one.found);
    }
    for (let pe = 0; pe < this.#pes.length; pe++) this.#sendIfFull(pe);
  }

  /**
   * Sends what is left.
   *
   * @returns All batches, and who their AMs are for.
   */
  finish(): { readonly batches: readonly SentBatch[]; readonly order: Order } {
    for (let pe = 0; pe < this.#pes.length; pe++) {
      if ((this.#writers[pe]?.members ?? 0) > 0) this.#send(pe);
    }
    return { batches: this.#sent, order: { length: this.#length, pes: this.#order } };
  }

  #definitionOf(call: AmCall<unknown>): AmDefinition {
    if (this.#adding) {
      throw new TypeError("Cannot add an AM while the payload of another is encoded");
    }
    const definition = launchableHere(call);
    if (definition !== this.#last) this.#lastId = this.#host.numberOf(definition);
    this.#last = definition;
    if (this.#only !== undefined && this.#only !== definition) {
      throw new TypeError(
        `Cannot add AM "${definition.name}" to a group of AM "${this.#only.name}"`,
      );
    }
    return definition;
  }

  /** An AM could not be added: if it was the first, its constants do not count. */
  #takeBack(): void {
    if (this.#length > 0) return;
    this.#constants = undefined;
    this.#writers.length = 0;
  }

  /**
   * Tells handles where they go: now, because the program may dispose of them before the batch
   * leaves. Those among the constants are told once for each batch.
   */
  #tell(pe: number, { members }: BatchWriter, found: readonly FoundHandle[]): void {
    const constants = members === 1 ? this.#scratch.found : NONE;
    if (found.length === 0 && constants.length === 0) return;
    const target = this.#pes[pe]!;
    for (const { handle, kind } of [...constants, ...found]) {
      kind.sentTo(handle, target, this.#host.session);
    }
  }

  /** Keeps the constants of the first AM, and refuses an AM that has others. */
  #checkConstants(parts: ConstantParts, definition: AmDefinition, payload: unknown): void {
    encode(this.#scratch, parts.constant, payload);
    if (this.#constants === undefined) {
      this.#constants = new GrowingViews();
      this.#constants.reserve(this.#scratch.end);
      this.#constants.views.u8.set(this.#scratch.views.u8.subarray(0, this.#scratch.end));
      this.#constants.end = this.#scratch.end;
      return;
    }
    if (haveSameBytes(this.#constants, this.#scratch)) return;
    const names = parts.names.map((name) => `"${name}"`).join(", ");
    throw new TypeError(
      `Cannot add AM "${definition.name}" to the group: its static fields (${names}) must have ` +
        "the values of the first AM",
    );
  }

  #begin(pe: number): BatchWriter {
    const writer = this.#spare.pop() ?? new BatchWriter(this.#host.pe);
    writer.begin(this.#host.batchBytes, this.#constants);
    return this.#writers[pe] = writer;
  }

  #sendIfFull(pe: number): void {
    // Handlers run while a batch is sent, and may add to the group.
    if (this.#writers[pe]?.isFull === true) this.#send(pe);
  }

  #send(pe: number): void {
    const writer = this.#writers[pe]!;
    const { members } = writer;
    writer.seal();
    writer.found.length = 0;
    this.#writers[pe] = undefined;
    const handle = this.#host.launchBatch(this.#pes[pe]!, writer, this.#only?.name, this.#team);
    this.#sent.push({ pe, members, handle });
    if (this.#spare.length < SPARE_MAX) this.#spare.push(writer);
  }

  #note(pe: number): void {
    const at = this.#length++;
    if (at === this.#order.length) {
      const larger = new Int16Array(4 * at);
      larger.set(this.#order);
      this.#order = larger;
    }
    this.#order[at] = pe;
  }
}

/** Encodes a payload into memory of its own, where gaps are 0. */
function encode(to: GrowingViews, codec: Codec<unknown>, payload: unknown): void {
  to.clear();
  const length = codec.size(payload);
  to.reserve(length);
  to.views.u8.fill(0, 0, length);
  if (codec.write(payload, to.views, 0, length, to.found) !== length) throw payloadChanged();
  to.end = length;
}

function haveSameBytes(a: GrowingViews, b: GrowingViews): boolean {
  if (a.end !== b.end) return false;
  const [left, right] = [a.views.u8, b.views.u8];
  for (let i = 0; i < a.end; i++) {
    if (left[i] !== right[i]) return false;
  }
  return true;
}
