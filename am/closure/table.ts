/**
 * The sources of closures: each travels once to each PE, and is known by a number from then on.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { closuresRefused, type ClosureText, ClosureValue } from "./value.ts";
import { FRAME } from "../wire/frames.ts";
import type { Outbox } from "../wire/outbox.ts";
import { readText, textBytes, writeText } from "../text.ts";
import { capturesCodec } from "../msgpack/value_codec.ts";

/** Most sources one PE may introduce: the number has 24 bits. */
const SOURCES_MAX = 2 ** 24 - 1;

/** More parameters no function has: V8's limit. */
const PARAMETERS_MAX = 2 ** 16;

/** Sources sent and received by one PE. */
export class ClosureTable {
  readonly #outbox: Outbox;
  readonly #numbers = new Map<string, number>();
  /** Numbers each PE knows of us. */
  readonly #known: Set<number>[];
  /** Sources we know of each PE, by number. */
  readonly #received: Map<number, ClosureText>[];
  /** Whether this world runs closures. */
  readonly allowed: boolean;

  /**
   * @param outbox Sends the sources.
   * @param nodes PEs and clients.
   * @param allowed Whether this world runs closures.
   */
  constructor(outbox: Outbox, nodes: number, allowed: boolean) {
    this.#outbox = outbox;
    this.#known = Array.from({ length: nodes }, () => new Set());
    this.#received = Array.from({ length: nodes }, () => new Map());
    this.allowed = allowed;
  }

  /**
   * @param closure A closure.
   * @returns The number of its source.
   * @throws {RangeError} If there are too many.
   */
  numberOf(closure: ClosureValue): number {
    let number = this.#numbers.get(closure.source);
    if (number === undefined) {
      number = this.#numbers.size;
      if (number > SOURCES_MAX) {
        throw new RangeError(`Cannot send more than ${SOURCES_MAX} different closures`);
      }
      this.#numbers.set(closure.source, number);
    }
    return number;
  }

  /**
   * Makes sure a PE knows the source of a closure.
   *
   * @param pe The PE.
   * @param number The number of its source.
   * @param closure The closure.
   */
  introduce(pe: number, number: number, closure: ClosureValue): void {
    if (this.#known[pe]!.has(number)) return;
    const { contextAt, source } = closure;
    const length = textBytes(source);
    const at = this.#outbox.begin(pe, FRAME.source, number, length);
    writeText(source, this.#outbox.views.u8, at, at + length);
    this.#outbox.end(contextAt);
    this.#known[pe]!.add(number);
  }

  /**
   * Keeps a source that arrived.
   *
   * @param pe Where it came from.
   * @param number Its number there.
   * @param contextAt Which parameter gets the context.
   * @param views The memory.
   * @param at Where the text begins.
   * @param bytes Its length.
   * @throws {ProtocolError} If it is not a text.
   */
  receive(
    pe: number,
    number: number,
    contextAt: number,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): void {
    if (!(contextAt >= -1 && contextAt < PARAMETERS_MAX)) {
      throw new ProtocolError(
        `Cannot keep closure ${number} of PE ${pe}: parameter ${contextAt} gets its context`,
        { pe },
      );
    }
    this.#received[pe]!.set(number, { source: readText(views.u8, at, bytes), contextAt });
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
    const text = this.#received[pe]!.get(number);
    if (text === undefined) {
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
        `Cannot run closure ${number} of PE ${pe}: its captures are not a list`,
        {
          pe,
        },
      );
    }
    return new ClosureValue(text, captures);
  }
}
