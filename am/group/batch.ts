/**
 * Batches: many AMs for one PE in one payload. It begins with four 32-bit words: how many AMs there
 * are, which PE they come from, whether they have constants, and the bytes of these, which follow.
 * Then come runs of AMs of one definition and one length: the id of the definition, how many there
 * are, the length, an unused word, and the payloads. Everything begins at a multiple of 8.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import type { AmDefinition } from "../call.ts";
import { type Brought, dispose, type ReceivedHandles } from "../received.ts";
import { type Codec, payloadChanged } from "../codec.ts";
import { constantsOf, type Reader } from "../schema/constants.ts";
import { GrowingViews, padded } from "./growing_views.ts";

const HEAD_BYTES = 16;
const RUN_BYTES = 16;

/** Most AMs of a batch: their payloads may have no bytes. */
export const MEMBERS_MAX = 16_384;

/** Most bytes that AMs of a batch take because the constants take as many. */
const BYTES_MAX = 1 << 20;

/** Writes a batch. */
export class BatchWriter extends GrowingViews {
  /** How many AMs it has. */
  members = 0;
  readonly #origin: number;
  /** The run at the end: where its head is, what it runs, and the length of each payload. */
  #run = -1;
  #id = -1;
  #bytes = -1;
  /** How many AMs the batch had when that run began. */
  #before = 0;
  /** Where it ends when it is full. */
  #fullAt = 0;

  /**
   * @param origin This PE.
   */
  constructor(origin: number) {
    super();
    this.#origin = origin;
  }

  /**
   * Begins a batch.
   *
   * @param bytes How many bytes of AMs it takes: more if the constants are longer than that.
   * @param constants The constants of all of its AMs, if they have any.
   */
  begin(bytes: number, constants: GrowingViews | undefined): void {
    this.clear();
    this.members = 0;
    this.#run = this.#id = this.#bytes = -1;
    this.end = HEAD_BYTES;
    const length = constants?.end ?? 0;
    const at = this.reserve(padded(length));
    this.views.u32.set([0, this.#origin, constants ? 1 : 0, length]);
    if (constants) {
      this.views.u8.set(constants.views.u8.subarray(0, length), at);
      this.end += padded(length);
    }
    this.#fullAt = this.end + Math.max(bytes, Math.min(length, BYTES_MAX));
  }

  /** Whether it is time to send it. */
  get isFull(): boolean {
    return this.end >= this.#fullAt || this.members >= MEMBERS_MAX;
  }

  /**
   * Adds an AM. The handles in its payload, in `found`, have to be told at once.
   *
   * @param id Its definition.
   * @param codec The codec of its payload.
   * @param value The payload.
   * @throws {TypeError} If the payload cannot be sent; then nothing is added.
   */
  add(id: number, codec: Codec<unknown>, value: unknown): void {
    const length = codec.size(value);
    if (id !== this.#id || length !== this.#bytes) this.#beginRun(id, length);
    const at = this.reserve((length + 7) & ~7);
    if (codec.write(value, this.views, at, length, this.found) !== length) throw payloadChanged();
    this.members++;
    this.end = at + ((length + 7) & ~7);
  }

  /**
   * Adds an AM whose payload is written already, and whose handles are told elsewhere.
   *
   * @param id Its definition.
   * @param payload The payload.
   */
  addWritten(id: number, payload: GrowingViews): void {
    const length = payload.end;
    if (id !== this.#id || length !== this.#bytes) this.#beginRun(id, length);
    const at = this.reserve(padded(length));
    this.views.u8.set(payload.views.u8.subarray(0, length), at);
    this.members++;
    this.end = at + padded(length);
  }

  /** Writes how many AMs there are: the batch is ready to be sent. */
  seal(): void {
    this.#endRun();
    this.views.u32[0] = this.members;
  }

  /** A run that has no AM, because a payload could not be written, is used for the next. */
  #beginRun(id: number, length: number): void {
    const isEmpty = this.#run >= 0 && this.members === this.#before;
    if (isEmpty) this.end = this.#run;
    else this.#endRun();
    const at = this.reserve(RUN_BYTES);
    this.#run = at;
    this.#id = id;
    this.#bytes = length;
    this.#before = this.members;
    this.end = at + RUN_BYTES;
  }

  #endRun(): void {
    if (this.#run < 0) return;
    const words = this.views.u32;
    const run = this.#run >>> 2;
    words[run] = this.#id;
    words[run + 1] = this.members - this.#before;
    words[run + 2] = this.#bytes;
    words[run + 3] = 0;
  }
}

/** AMs of one definition and length in a batch, which are not read yet. */
export interface Run {
  readonly definition: AmDefinition;
  readonly reader: Reader;
  /** Where the first payload begins. */
  readonly at: number;
  readonly count: number;
  /** The length of each payload. */
  readonly bytes: number;
  /** From one payload to the next. */
  readonly stride: number;
}

/**
 * A batch as it arrived. Its payloads are read in place, before that memory is used again. What
 * they bring is kept until the batch is answered; if it never runs, they are read to give that
 * back.
 */
export class Batch implements Disposable {
  /** The PE that it came from. */
  readonly origin: number;
  /** How many AMs there are. */
  readonly members: number;
  readonly runs: readonly Run[];
  readonly #views: MemoryViews;
  /** For handles in payloads. */
  readonly #context: unknown;
  readonly #received: ReceivedHandles;
  #brought: Brought[] = [];
  /** Whether it runs. */
  #runs = false;

  /**
   * @param origin The PE that it came from.
   * @param members How many AMs there are.
   * @param runs Where they are.
   * @param views The memory that holds them.
   * @param context For handles in payloads.
   * @param received The handles of the payload that is being read.
   */
  constructor(
    origin: number,
    members: number,
    runs: readonly Run[],
    views: MemoryViews,
    context: unknown,
    received: ReceivedHandles,
  ) {
    this.origin = origin;
    this.members = members;
    this.runs = runs;
    this.#views = views;
    this.#context = context;
    this.#received = received;
  }

  /**
   * Reads a payload.
   *
   * @param run The run that it is in.
   * @param index Its place in the run.
   * @returns The payload.
   * @throws What refuses something that it brings.
   */
  read({ at, bytes, reader, stride }: Run, index: number): unknown {
    this.#runs = true;
    const received = this.#received;
    received.begin();
    const self = reader.read(this.#views, at + index * stride, bytes, this.#context);
    const brought = received.take();
    if (brought !== undefined) this.#brought.push(brought);
    return self;
  }

  /** Gives back what the payloads brought. */
  [Symbol.dispose](): void {
    if (!this.#runs) this.#drop();
    for (const brought of this.#brought.splice(0)) dispose(brought);
  }

  #drop(): void {
    for (const run of this.runs) {
      for (let i = 0; i < run.count; i++) {
        try {
          this.read(run, i);
        } catch (error) {
          if (error instanceof ProtocolError) throw error;
          this.#received.drop();
        }
      }
    }
  }
}

/**
 * Reads a batch but for the payloads.
 *
 * @param definitions The AMs of the program by id.
 * @param received The handles of the payload that is being read: the batch is one of them.
 * @param views The memory that holds it.
 * @param at Its address.
 * @param bytes Its length.
 * @param context For handles in payloads.
 * @returns The batch.
 * @throws {ProtocolError} If it is none.
 */
export function readBatch(
  definitions: readonly AmDefinition[],
  received: ReceivedHandles,
  views: MemoryViews,
  at: number,
  bytes: number,
  context: unknown,
): Batch {
  const words = views.u32;
  const word = at >>> 2;
  const end = at + bytes;
  if (bytes < HEAD_BYTES) throw malformed(`a head of ${bytes} bytes`);
  const members = words[word]!;
  const flag = words[word + 2]!;
  const constantBytes = words[word + 3]!;
  let next = at + HEAD_BYTES + padded(constantBytes);
  if (members > MEMBERS_MAX || flag > 1 || next > end) throw malformed("a wrong head");
  // The constants are read once, since handles among them came once.
  const readers = new Map<AmDefinition, Reader | undefined>();
  const readerOf = (definition: AmDefinition): Reader | undefined => {
    if (flag === 0) return definition.codec;
    if (!readers.has(definition)) {
      const parts = constantsOf(definition);
      readers.set(definition, parts?.reader(views, at + HEAD_BYTES, constantBytes, context));
    }
    return readers.get(definition);
  };
  const runs: Run[] = [];
  let left = members;
  while (next < end) {
    if (end - next < RUN_BYTES) throw malformed("a run that is cut");
    const run = next >>> 2;
    const count = words[run + 1]!;
    const bytes = words[run + 2]!;
    const stride = padded(bytes);
    next += RUN_BYTES;
    left -= count;
    if (left < 0 || count * stride > end - next) throw malformed(`${count} AMs of ${bytes} bytes`);
    const definition = definitions[words[run]!];
    const reader = definition && readerOf(definition);
    if (!reader) throw malformed(`AM number ${words[run]}`);
    runs.push({ definition, reader, at: next, count, bytes, stride });
    next += count * stride;
  }
  if (left !== 0) throw malformed(`${members - left} AMs of ${members}`);
  const batch = new Batch(words[word + 1]!, members, runs, views, context, received);
  received.add(batch);
  return batch;
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(`Cannot read a batch of AMs: there is ${what}`);
}
