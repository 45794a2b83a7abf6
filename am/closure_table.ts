/**
 * The sources of closures: each travels once to each PE, and is known by a number from then on.
 *
 * @module
 */

import { ProtocolError } from "../internal/errors.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import { closuresRefused, ClosureValue } from "./closure_value.ts";
import { FRAME, frameBytes, HEAD_BYTES } from "./frames.ts";
import type { Outbox } from "./outbox.ts";
import { capturesCodec } from "./value_codec.ts";

/** Most sources one PE may introduce: the number has 24 bits. */
const SOURCES_MAX = 2 ** 24 - 1;

/** Sources sent and received by one PE. */
export class ClosureTable {
  readonly #outbox: Outbox;
  readonly #numbers = new Map<string, number>();
  /** Numbers each PE knows of us. */
  readonly #known: Set<number>[];
  /** Sources we know of each PE, by number. */
  readonly #received: Map<number, string>[];
  /** Whether this world runs closures. */
  readonly allowed: boolean;

  /**
   * @param outbox Sends the sources.
   * @param numPes Number of PEs.
   * @param allowed Whether this world runs closures.
   */
  constructor(outbox: Outbox, numPes: number, allowed: boolean) {
    this.#outbox = outbox;
    this.#known = Array.from({ length: numPes }, () => new Set());
    this.#received = Array.from({ length: numPes }, () => new Map());
    this.allowed = allowed;
  }

  /**
   * Makes sure a PE knows the source of a closure.
   *
   * @param pe The PE.
   * @param closure The closure.
   * @returns The number of its source.
   */
  introduce(pe: number, closure: ClosureValue): number {
    let number = this.#numbers.get(closure.source);
    if (number === undefined) {
      number = this.#numbers.size;
      if (number > SOURCES_MAX) {
        throw new RangeError(`Cannot send more than ${SOURCES_MAX} different closures`);
      }
      this.#numbers.set(closure.source, number);
    }
    if (!this.#known[pe]!.has(number)) {
      this.#send(pe, number, new TextEncoder().encode(closure.source));
      this.#known[pe]!.add(number);
    }
    return number;
  }

  #send(pe: number, number: number, text: Uint8Array): void {
    const bytes = frameBytes(text.length);
    const at = this.#outbox.begin(pe, bytes);
    const { views } = this.#outbox;
    views.i32[(at >>> 2) + 1] = FRAME.source | (number << 8);
    views.i32[(at >>> 2) + 2] = 0;
    views.i32[(at >>> 2) + 3] = text.length;
    views.u8.set(text, at + HEAD_BYTES);
    this.#outbox.end(pe, bytes);
  }

  /**
   * Keeps a source that arrived.
   *
   * @param pe Where it came from.
   * @param number Its number there.
   * @param views The memory.
   * @param at Where the text begins.
   * @param bytes Its length.
   */
  receive(pe: number, number: number, views: MemoryViews, at: number, bytes: number): void {
    this.#received[pe]!.set(number, new TextDecoder().decode(views.u8.slice(at, at + bytes)));
  }

  /**
   * Reads a closure whose source arrived before.
   *
   * @param pe Where it came from.
   * @param number The number of its source there.
   * @param views The memory.
   * @param at Where the captures begin.
   * @param bytes Their length.
   * @param context For handles among the captures.
   * @returns The closure.
   * @throws {FeatureLevelError} If this world runs no closures.
   * @throws {ProtocolError} If the source never arrived or the captures do not decode.
   */
  read(
    pe: number,
    number: number,
    views: MemoryViews,
    at: number,
    bytes: number,
    context: unknown,
  ): ClosureValue {
    if (!this.allowed) throw closuresRefused("a closure");
    const source = this.#received[pe]!.get(number);
    if (source === undefined) {
      throw new ProtocolError(
        `Cannot run closure ${number} of PE ${pe}: its source never arrived`,
        {
          pe,
        },
      );
    }
    const captures = capturesCodec.read(views, at, bytes, context);
    if (!Array.isArray(captures)) {
      throw new ProtocolError(
        `Cannot run closure ${number} of PE ${pe}: its captures are no list`,
        {
          pe,
        },
      );
    }
    return new ClosureValue(source, captures);
  }

  /**
   * @param closure A closure.
   * @returns Bytes of its captures.
   * @throws {TypeError} If a capture cannot be sent.
   */
  captureBytes(closure: ClosureValue): number {
    return capturesCodec.size(closure.captures);
  }

  /**
   * Writes the captures whose size was asked just before.
   *
   * @param closure The closure.
   * @param views The memory.
   * @param at Where to write.
   */
  writeCaptures(closure: ClosureValue, views: MemoryViews, at: number): void {
    capturesCodec.write(closure.captures, views, at);
  }
}
