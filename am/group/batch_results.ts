/**
 * The results of a batch on the wire: nothing, if no AM gave one; numbers, if all gave one; or each
 * by itself, with a word for its form and the AM or closure that this names, and its length. A head
 * of four 32-bit words tells which of these, how many there are, and which PE they come from.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { AmCall, type AmDefinition, definitionOf, payloadOf } from "../call.ts";
import { atOrigin, closureOf, ClosureValue } from "../closure/value.ts";
import type { ClosureTable } from "../closure/table.ts";
import type { Codec } from "../codec.ts";
import { type Brought, keep, type ReceivedHandles } from "../received.ts";
import { capturesCodec, resultCodec } from "../msgpack/value_codec.ts";
import { FORM } from "../wire/frames.ts";
import { GrowingViews, padded } from "./growing_views.ts";

const HEAD_BYTES = 16;
const ENTRY_BYTES = 8;

/** Which results there are. */
const KIND = { none: 0, numbers: 1, each: 2 } as const;

/** Forms of a result, besides `FORM.schema` and `FORM.value`. */
const RETURNED_AM = 16;
const RETURNED_CLOSURE = 17;

/** The results of the AMs of a batch, in their order; nothing if none gave one. */
export type Results = ArrayLike<unknown> | undefined;

/** What encoding and reading results needs of the engine. */
export interface ResultHost {
  /** This PE. */
  readonly pe: number;
  readonly numPes: number;
  readonly closures: ClosureTable;
  /** The handles of the payload that is being read. */
  readonly received: ReceivedHandles;
  /** The AM of an id. */
  definitionOf(id: number): AmDefinition | undefined;
}

/** Results that are ready to travel. */
export class EncodedResults extends GrowingViews {
  /** Whether some are AMs or closures that have to run at the origin. */
  hasReturned = false;

  /**
   * @param host The engine.
   * @param kind Which results there are.
   * @param count How many AMs there are.
   */
  constructor(host: ResultHost, kind: number, count: number) {
    super();
    this.views.u32.set([kind, count, host.pe, 0]);
    this.end = HEAD_BYTES;
  }

  /**
   * Adds one of several results.
   *
   * @param form How it is written.
   * @param detail The AM or the source of a closure that belongs to the form.
   * @param codec Its codec.
   * @param value The result.
   */
  add(form: number, detail: number, codec: Codec<unknown>, value: unknown): void {
    const length = codec.size(value);
    const at = this.reserve(ENTRY_BYTES + padded(length));
    const handles = this.found.length;
    try {
      codec.write(value, this.views, at + ENTRY_BYTES, length, this.found);
    } catch (error) {
      this.found.length = handles;
      throw error;
    }
    this.views.u32[at >>> 2] = form | (detail << 8);
    this.views.u32[(at >>> 2) + 1] = length;
    this.end = at + ENTRY_BYTES + padded(length);
  }
}

/**
 * @param host The engine.
 * @param count How many AMs a batch has, none of which gave a result.
 * @returns What travels.
 */
export function noResults(host: ResultHost, count: number): EncodedResults {
  return new EncodedResults(host, KIND.none, count);
}

/**
 * Encodes the results of a batch.
 *
 * @param host The engine.
 * @param origin The PE that gets them.
 * @param values The results; nothing if none gave one.
 * @param definitions The AM of each.
 * @param fail Called with the index and the reason if a result cannot be sent.
 * @returns What travels.
 */
export function encodeResults(
  host: ResultHost,
  origin: number,
  values: readonly unknown[] | undefined,
  definitions: readonly AmDefinition[],
  fail: (index: number, error: unknown) => void,
): EncodedResults {
  const count = definitions.length;
  const hasSchema = definitions.some(({ returns }) => returns !== undefined);
  if (!values && !hasSchema) return noResults(host, count);
  if (values && !hasSchema && values.every((value) => typeof value === "number")) {
    const numbers = new EncodedResults(host, KIND.numbers, count);
    numbers.reserve(8 * count);
    numbers.views.f64.set(values, HEAD_BYTES / 8);
    numbers.end += 8 * count;
    return numbers;
  }
  const all = new EncodedResults(host, KIND.each, count);
  for (let i = 0; i < count; i++) {
    try {
      encodeOne(host, origin, all, values?.[i], definitions[i]!);
    } catch (error) {
      fail(i, error);
    }
  }
  return all;
}

function encodeOne(
  { closures }: ResultHost,
  origin: number,
  all: EncodedResults,
  value: unknown,
  { id, returns }: AmDefinition,
): void {
  const closure = closureOf(value);
  if (value instanceof AmCall) {
    const { codec, id, name } = definitionOf(value)!;
    if (!codec || id < 0) {
      throw new TypeError(
        `Cannot return the local AM "${name}" to PE ${origin}: local AMs do not travel`,
      );
    }
    all.add(RETURNED_AM, id, codec, payloadOf(value));
    all.hasReturned = true;
  } else if (closure && atOrigin(value)) {
    const source = closures.numberOf(closure);
    closures.introduce(origin, source, closure);
    all.add(RETURNED_CLOSURE, source, capturesCodec, closure.captures);
    all.hasReturned = true;
  } else if (returns) all.add(FORM.schema, id, returns, value);
  else all.add(FORM.value, 0, resultCodec, value);
}

/**
 * Reads results some of which run here: what these bring is given back when they are over, and what
 * the others bring belongs to whoever gets them.
 *
 * @param host The engine.
 * @param views The memory that holds them.
 * @param at Their address.
 * @param bytes Their length.
 * @param context For handles in results.
 * @returns The results, with an `AmCall` or a `ClosureValue` in place of one that runs here.
 * @throws {ProtocolError} If they are none.
 */
export function readReturned(
  host: ResultHost,
  views: MemoryViews,
  at: number,
  bytes: number,
  context: unknown,
): Results {
  const { received } = host;
  const kept: Brought[] = [];
  let refusal: Error | undefined;
  const values = readResults(host, views, at, bytes, context, (...entry) => {
    received.begin();
    const value = readOne(...entry);
    try {
      const brought = received.take();
      const isWork = value instanceof AmCall || value instanceof ClosureValue;
      if (brought === undefined) return value;
      if (isWork) kept.push(brought);
      else keep(brought);
    } catch (error) {
      refusal ??= error as Error;
    }
    return value;
  });
  received.begin();
  for (const handle of kept.flat()) received.add(handle);
  if (refusal !== undefined) received.refuse(refusal);
  return values;
}

/**
 * Reads the results of a batch.
 *
 * @param host The engine.
 * @param views The memory that holds them.
 * @param at Their address.
 * @param bytes Their length.
 * @param context For handles in results.
 * @param read Reads one of them.
 * @returns The results.
 * @throws {ProtocolError} If they are none.
 */
export function readResults(
  host: ResultHost,
  views: MemoryViews,
  at: number,
  bytes: number,
  context: unknown,
  read: typeof readOne = readOne,
): Results {
  if (bytes < HEAD_BYTES) throw malformed(`a head of ${bytes} bytes`);
  const kind = views.u32[at >>> 2]!;
  const count = views.u32[(at >>> 2) + 1]!;
  const from = views.u32[(at >>> 2) + 2]!;
  const left = bytes - HEAD_BYTES;
  if (from >= host.numPes) throw malformed(`PE ${from}`);
  if (kind === KIND.none) return undefined;
  if (kind === KIND.numbers) {
    if (left !== 8 * count) throw malformed(`${count} numbers in ${left} bytes`);
    const first = (at + HEAD_BYTES) / 8;
    return views.f64.slice(first, first + count);
  }
  if (kind !== KIND.each || left < count * ENTRY_BYTES) throw malformed(`${count} of kind ${kind}`);
  const end = at + bytes;
  let next = at + HEAD_BYTES;
  const values = Array.from({ length: count }, () => {
    if (end - next < ENTRY_BYTES) throw malformed("a result that is cut");
    const word = views.u32[next >>> 2]!;
    const length = views.u32[(next >>> 2) + 1]!;
    const payload = next + ENTRY_BYTES;
    next = payload + padded(length);
    if (next > end) throw malformed(`a result of ${length} bytes`);
    return read(host, from, word, views, payload, length, context);
  });
  if (next !== end) throw malformed(`${end - next} bytes too many`);
  return values;
}

function readOne(
  host: ResultHost,
  from: number,
  word: number,
  views: MemoryViews,
  at: number,
  bytes: number,
  context: unknown,
): unknown {
  const detail = word >>> 8;
  switch (word & 0xff) {
    case FORM.value:
      return resultCodec.read(views, at, bytes, context);
    case FORM.schema: {
      const returns = host.definitionOf(detail)?.returns;
      if (returns) return returns.read(views, at, bytes, context);
      break;
    }
    case RETURNED_AM: {
      const definition = host.definitionOf(detail);
      if (definition?.codec === undefined) break;
      return new AmCall(definition, definition.codec.read(views, at, bytes, context));
    }
    case RETURNED_CLOSURE:
      return host.closures.read(from, detail, views, at, bytes, context);
  }
  throw malformed(`a result of form ${word & 0xff}`);
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(`Cannot read the results of a batch of AMs: there is ${what}`);
}
