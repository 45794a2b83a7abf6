/**
 * Operations on elements of one part as bytes: one PE writes them, and the PE that has the part
 * does them, for arrays whose locks only that PE takes.
 *
 * A call is 16 bytes that say what follows: which operation, how many elements, and how their
 * places and operands are given; then the places of the elements in the part, of 4 or 8 bytes; then
 * the operands as memory has them, one for all or one for each. What comes back is what the
 * elements were, if the operation tells that.
 *
 * @module
 */

import { type ElementOp, elementOp, operandOf } from "../../internal/element_ops.ts";
import type { AnyElement, ElementValue, TypedArrayLike } from "../../internal/elements.ts";
import { ProtocolError } from "../../internal/errors.ts";
import { checkOperand, refuseOperation, refuseValue } from "../memory/refusals.ts";
import type { RegionMemory } from "../memory/region_memory.ts";
import type { Batches } from "../transfer/batch.ts";
import { batchCall, batchCallAt, type BatchCallName, batchCode } from "../transfer/batch_call.ts";
import { equalTurns, writeTurns } from "../transfer/item_bits.ts";

type Raw = TypedArrayLike<unknown>;
type Bytes = Uint8Array<ArrayBuffer>;

/** Words of 32 bits in front: the operation, elements, and flags. */
const HEAD_BYTES = 16;
/** The places are 64-bit floats, not 32-bit integers. */
const WIDE = 1;
/** There are operands for one element, which all take. */
const SINGLE = 2;

/** An operation on elements of one part. */
export interface PartCall {
  /** What the user called, in its form for lists. */
  readonly name: BatchCallName;
  /** Indices of the elements, all of which the part has. */
  readonly indices: ArrayLike<number>;
  /** For each list of operands: elements as memory has them, or the value for all. */
  readonly operands: readonly unknown[];
}

/** What came of it. */
export interface PartResult {
  /** What the elements were, as memory has them; empty if the operation does not tell. */
  readonly found: Raw;
  /** For an exchange: 1 for each that was as expected. */
  readonly ok: Uint8Array;
}

/** A call on its way. */
export interface SentCall {
  readonly bytes: Bytes;
  /** Reads what came back. */
  readonly resultOf: (reply: Bytes) => PartResult;
}

const NONE = new Uint8Array(0);

/** The operations on elements of parts, of one span. */
export class PartCalls<E extends AnyElement> {
  readonly #memory: RegionMemory<ElementValue<E>>;
  readonly #batches: Batches;

  /**
   * @param memory The memory of the span.
   * @param batches The batches of this PE.
   */
  constructor(memory: RegionMemory<ElementValue<E>>, batches: Batches) {
    this.#memory = memory;
    this.#batches = batches;
  }

  /**
   * Checks the operand of an operation on one element.
   *
   * @param op What the user called.
   * @param name The operation.
   * @param value The operand.
   * @throws {TypeError} If it is no value of the type, or the type has no such operation.
   * @throws {RangeError} If the operation does not take it.
   */
  check(op: string, name: ElementOp, value: unknown): void {
    const memory = this.#memory;
    const { info, kernels } = memory.access;
    const row = elementOp(name);
    if (!kernels[row.kernel]) refuseOperation(memory, op, row.domain);
    this.checkValue(op, value);
    const operand = operandOf(row, info);
    if (operand !== undefined) checkOperand(memory, op, operand, value);
  }

  /**
   * Checks a value.
   *
   * @param op What the user called.
   * @param value The value.
   * @throws {TypeError} If it is no value of the type.
   */
  checkValue(op: string, value: unknown): void {
    const memory = this.#memory;
    if (!memory.access.accepts(value)) refuseValue(memory, op, value);
  }

  /**
   * Turns what memory has into a value.
   *
   * @param op What the user called.
   * @param index The index of the element.
   * @param element It, as memory has it.
   * @param shown Whether a message may name it.
   * @returns The value.
   * @throws {RangeError} If no number holds a 64-bit integer exactly.
   */
  valueOf(op: string, index: number, element: unknown, shown: boolean): ElementValue<E> {
    const memory = this.#memory;
    const part = memory.distribution.partOf(index);
    const at = memory.address(op, part, memory.distribution.placeOf(index, part), 1);
    return memory.access.far.valueOf({ memory, op, part, at }, element, shown);
  }

  /**
   * Writes a call, all of which has been checked.
   *
   * @param part The part.
   * @param call What is done to its elements.
   * @returns The call.
   */
  write(part: number, { name, indices, operands }: PartCall): SentCall {
    const { access: { far, info: { bytes } }, distribution } = this.#memory;
    const { length } = indices;
    const wide = distribution.whole > 2 ** 32;
    const each = batchCall(name).operands;
    const single = operands.every((one) => typeof one !== "object" || one === null);
    const values = far.newArray(each * (single ? 1 : length));
    const lists = operands.slice(0, each).map((one) =>
      typeof one === "object" ? one as Raw : far.arrayOf([one as ElementValue<E>])
    );
    if (each === 2) lists.forEach((list, turn) => writeTurns(values, turn as 0 | 1, list, bytes));
    else if (each === 1) values.set(lists[0] as unknown as ArrayLike<unknown>);
    const valuesAt = HEAD_BYTES + placeBytes(length, wide);
    const body = new Uint8Array(valuesAt + values.byteLength);
    new Uint32Array(body.buffer, 0, 3)
      .set([batchCode(name), length, (wide ? WIDE : 0) | (single ? SINGLE : 0)]);
    const places = placesIn(body, length, wide);
    for (let i = 0; i < length; i++) places[i] = distribution.placeOf(indices[i]!, part);
    body.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), valuesAt);
    return {
      bytes: body,
      resultOf: (reply) => {
        const found = far.arrayOver(reply, 0, reply.length / bytes);
        return { found, ok: each === 2 ? equalTurns(found, values, bytes) : NONE };
      },
    };
  }

  /**
   * Does what a call says to elements of this PE.
   *
   * @param body The call.
   * @returns What they were, or nothing.
   * @throws {ProtocolError} If it is no call.
   * @throws {RangeError} If the part has no such element.
   */
  perform(body: Bytes): Bytes {
    const memory = this.#memory;
    const { far, info: { bytes } } = memory.access;
    const [code, length, flags] = new Uint32Array(body.buffer, body.byteOffset, 3);
    const call = batchCallAt(code!);
    const wide = (flags! & WIDE) !== 0;
    const single = (flags! & SINGLE) !== 0;
    const valuesAt = HEAD_BYTES + placeBytes(length!, wide);
    const count = (call?.operands ?? 0) * (single ? 1 : length!);
    if (call === undefined || body.length !== valuesAt + count * bytes) {
      throw new ProtocolError(`an operation on elements of ${body.length} bytes`);
    }
    const target = call.gives ? far.newArray(length!) : undefined;
    this.#batches.runOwn(memory, call.name, {
      places: placesIn(body, length!, wide),
      values: count > 0 ? far.arrayOver(body, valuesAt, count) : undefined,
      single,
      target,
    });
    return target ? new Uint8Array(target.buffer as ArrayBuffer) : NONE;
  }
}

/** Bytes of the places, with what follows on a multiple of 8. */
function placeBytes(length: number, wide: boolean): number {
  return wide ? 8 * length : 8 * Math.ceil(length / 2);
}

function placesIn(body: Bytes, length: number, wide: boolean): Uint32Array | Float64Array {
  const placesClass = wide ? Float64Array : Uint32Array;
  return new placesClass(body.buffer, body.byteOffset + HEAD_BYTES, length);
}
