/**
 * Operations at elements of one type that are at far PEs.
 *
 * What stands in a row is moved by the network alone where it can be. A region of which this PE has
 * no part may have been disposed without this PE knowing, and what is there now must not be
 * overwritten. So the PE that has the part is asked: what fits one memory operation goes as one,
 * checked and done in the same moment; what is larger begins with a check, a round trip that is
 * little beside its transfer. All else goes as memory operations.
 *
 * @module
 */

import type { ElementOp } from "../../internal/element_ops.ts";
import type { ElementInfo, TypedArrayLike } from "../../internal/elements.ts";
import {
  beginRequest,
  itemsPerRequest,
  OPERATION,
  type OperationHead,
  REPLY_HEAD_BYTES,
  replyDone,
  type Request,
} from "../../lamellae/mod.ts";
import { FAR_ADDRESS } from "../memory/allocation.ts";
import { type Described, operationOn, refuseInexact, refuseStale } from "../memory/refusals.ts";
import type { FarWork, Pending } from "./pending.ts";

const NOTHING = (): void => {};

/** Where an operation is. */
export interface FarPlace {
  /** The range of the region. */
  readonly memory: Described & { readonly start: number };
  /** What the user called. */
  readonly op: string;
  readonly part: number;
  /** As `RegionMemory.address` gave it: below 0. */
  readonly at: number;
}

/** Operations on far elements of one type; every position and value has been checked. */
export class FarElements<V> {
  readonly #info: ElementInfo;
  readonly #far: FarWork;

  /**
   * @param info The element type.
   * @param far What is under way.
   */
  constructor(info: ElementInfo, far: FarWork) {
    this.#info = info;
    this.#far = far;
  }

  /**
   * Begins an operation.
   *
   * @param place Where.
   * @returns It, with nothing started.
   */
  operation<T>({ memory, part }: FarPlace): Pending<T> {
    return this.#far.begin<T>(memory.allocation.pes[part]!);
  }

  /**
   * Begins a request.
   *
   * @param place Where.
   * @param head What is to be done there.
   * @param indices Number of indices.
   * @param valueBytes Bytes of the values.
   * @returns The request.
   */
  request(
    { memory, part, at }: FarPlace,
    head: Pick<OperationHead, "operation" | "atomic" | "single" | "count" | "span">,
    indices: number,
    valueBytes: number,
  ): Request {
    const { guard, offsets } = memory.allocation;
    const where = { part: offsets[part]!, position: at - FAR_ADDRESS };
    const whole = { ...head, ...where, type: this.#info.memory, guard };
    return beginRequest(whole, indices, valueBytes);
  }

  /**
   * Sends a request as a part of an operation.
   *
   * @param operation The operation.
   * @param place Where.
   * @param request The request.
   * @param replyBytes Bytes of the values that it gives.
   * @param done What to do with these.
   */
  send(
    operation: Pending<unknown>,
    { memory, op, part }: FarPlace,
    request: Request,
    replyBytes = 0,
    done?: (reply: Uint8Array<ArrayBuffer>) => void,
  ): void {
    const pe = memory.allocation.pes[part]!;
    const reply = new Uint8Array(REPLY_HEAD_BYTES + replyBytes);
    operation.start(() => this.#far.lamella.operate(pe, request.bytes, reply), () => {
      if (!replyDone(reply, operationOn(memory, op), pe)) refuseStale(memory, op, pe);
      done?.(reply);
    });
  }

  /**
   * Typed array of the element type over bytes.
   *
   * @param bytes The bytes.
   * @param at Where in them it begins.
   * @param count Its length.
   * @returns The array.
   */
  arrayOver(bytes: Uint8Array, at: number, count: number): TypedArrayLike<unknown> {
    const { arrayClass } = this.#info;
    return new arrayClass(
      bytes.buffer,
      bytes.byteOffset + at,
      count,
    ) as TypedArrayLike<unknown>;
  }

  /**
   * Makes an array of the element type.
   *
   * @param length Its length.
   * @returns The array, in memory of its own.
   */
  newArray(length: number): TypedArrayLike<unknown> {
    return new this.#info.arrayClass(length) as TypedArrayLike<unknown>;
  }

  /**
   * Makes an array of values.
   *
   * @param values The values.
   * @returns The array, in memory of its own.
   */
  arrayOf(values: readonly V[]): TypedArrayLike<unknown> {
    const array = this.newArray(values.length);
    for (let i = 0; i < values.length; i++) array[i] = this.elementOf(values[i]!);
    return array;
  }

  /**
   * Turns a value into what arrays of the type hold.
   *
   * @param value The value.
   * @returns The element.
   */
  elementOf(value: V): unknown {
    const { kind } = this.#info;
    if (kind === "boolean") return value ? 1 : 0;
    return kind === "exact" ? BigInt(value as number) : value;
  }

  /**
   * Turns what arrays of the type hold into a value.
   *
   * @param place Where it was.
   * @param element The element.
   * @param shown Whether the message may name what no number holds.
   * @returns The value.
   */
  valueOf(place: FarPlace, element: unknown, shown: boolean): V {
    if (this.#info.kind === "boolean") return (element !== 0) as V;
    if (this.#info.kind !== "exact") return element as V;
    const value = Number(element as bigint);
    if (Number.isSafeInteger(value)) return value as V;
    const { memory, op, part, at } = place;
    const index = (at - FAR_ADDRESS) / this.#info.bytes - memory.start;
    return refuseInexact(memory, op, part, index, shown ? element as bigint : undefined);
  }

  /**
   * Reads an element atomically.
   *
   * @param place Where it is.
   * @returns The operation; it gives the value.
   */
  load(place: FarPlace): Pending<V> {
    const request = this.request(place, { operation: OPERATION.load, count: 1 }, 0, 0);
    return this.#single(place, request, (before) => this.valueOf(place, before, true));
  }

  /**
   * Changes an element atomically.
   *
   * @param place Where it is.
   * @param atomic How.
   * @param value The other operand.
   * @returns The operation.
   */
  update(place: FarPlace, atomic: ElementOp, value: V): Pending<void> {
    const operation = this.operation<void>(place);
    this.send(operation, place, this.updateRequest(place, OPERATION.update, atomic, value));
    return operation.seal(NOTHING);
  }

  /**
   * The request of `update` or `fetch`.
   *
   * @param place Where the element is.
   * @param operation Which of the two.
   * @param atomic How to change it.
   * @param value The other operand.
   * @returns The request.
   */
  updateRequest(
    place: FarPlace,
    operation: number,
    atomic: ElementOp,
    value: V,
  ): Request {
    return this.#withValues(place, { operation, atomic, count: 1 }, [value]);
  }

  #withValues(
    place: FarPlace,
    head: Pick<OperationHead, "operation" | "atomic" | "count">,
    values: readonly V[],
  ): Request {
    const request = this.request(place, head, 0, values.length * this.#info.bytes);
    const elements = this.arrayOver(request.bytes, request.valuesAt, values.length);
    values.forEach((value, i) => elements[i] = this.elementOf(value));
    return request;
  }

  /**
   * Changes an element atomically, and tells what it was.
   *
   * @param place Where it is.
   * @param atomic How.
   * @param value The other operand.
   * @returns The operation; it gives what it was.
   */
  fetch(place: FarPlace, atomic: ElementOp, value: V): Pending<V> {
    const request = this.updateRequest(place, OPERATION.fetch, atomic, value);
    return this.#single(place, request, (before) => this.valueOf(place, before, false));
  }

  /**
   * Replaces an element if it is as expected.
   *
   * @param place Where it is.
   * @param expected What it has to be.
   * @param replacement Its new value.
   * @returns The operation; it gives whether it was, and what it was.
   */
  compareExchange(
    place: FarPlace,
    expected: V,
    replacement: V,
  ): Pending<{ ok: boolean; value: V }> {
    const head = { operation: OPERATION.compareExchange, count: 1 };
    const request = this.#withValues(place, head, [expected, replacement]);
    const { bytes, valuesAt } = request;
    return this.#single(place, request, (before, found) => {
      // Both sides have the bits that were compared; values may be NaN.
      const ok = found.every((byte, i) => byte === bytes[valuesAt + i]);
      return { ok, value: this.valueOf(place, before, false) };
    });
  }

  #single<T>(
    place: FarPlace,
    request: Request,
    give: (element: unknown, bytes: Uint8Array) => T,
  ): Pending<T> {
    const operation = this.operation<T>(place);
    let result: Uint8Array;
    this.send(operation, place, request, this.#info.bytes, (reply) => result = reply);
    return operation.seal(() => {
      const element = this.arrayOver(result, REPLY_HEAD_BYTES, 1)[0];
      return give(element, result.subarray(REPLY_HEAD_BYTES));
    });
  }

  /**
   * Puts, and once that is there changes an element of another region on the same PE.
   *
   * @param data The put.
   * @param place Where the element is.
   * @param atomic How to change it.
   * @param value The other operand.
   * @returns The operation.
   */
  signalAfter(
    data: Pending<void> | undefined,
    place: FarPlace,
    atomic: ElementOp,
    value: V,
  ): Pending<void> {
    const both = this.operation<void>(place);
    // Made now, because the region may be disposed until the data is there.
    const request = this.updateRequest(place, OPERATION.update, atomic, value);
    both.adopt(data, () => this.send(both, place, request));
    return both.seal(NOTHING);
  }

  /**
   * Puts elements that follow each other.
   *
   * @param place Where the first one goes.
   * @param source The elements.
   * @returns The operation; nothing if it is done.
   */
  put(place: FarPlace, source: TypedArrayLike<unknown>): Pending<void> | undefined {
    if (!place.memory.allocation.guard) {
      return this.#moveShared(place, source, true, NOTHING) as Pending<void> | undefined;
    }
    const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    const operation = this.operation<void>(place);
    if (bytes.length > 0) {
      if (this.#goesAsOne(bytes.length)) {
        const head = { operation: OPERATION.put, count: source.length };
        const request = this.request(place, head, 0, bytes.length);
        request.bytes.set(bytes, request.valuesAt);
        this.send(operation, place, request);
      } else this.#moveChecked(operation, place, bytes, true);
    }
    return operation.seal(NOTHING);
  }

  /**
   * Gets elements that follow each other.
   *
   * @param place Where the first one is.
   * @param target What to fill.
   * @param give What the operation gives.
   * @returns The operation, or what it gives if it is done.
   */
  get<T>(place: FarPlace, target: TypedArrayLike<unknown>, give: () => T): T | Pending<T> {
    if (!place.memory.allocation.guard) return this.#moveShared(place, target, false, give);
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    const operation = this.operation<T>(place);
    if (bytes.length > 0) {
      if (this.#goesAsOne(bytes.length)) {
        const head = { operation: OPERATION.get, count: target.length };
        this.send(operation, place, this.request(place, head, 0, 0), bytes.length, (reply) => {
          bytes.set(reply.subarray(REPLY_HEAD_BYTES));
        });
      } else this.#moveChecked(operation, place, bytes, false);
    }
    return operation.seal(give);
  }

  /**
   * Gets an element.
   *
   * @param place Where it is.
   * @returns The operation, or the value if it is done.
   */
  read(place: FarPlace): V | Pending<V> {
    const array = this.newArray(1);
    return this.get(place, array, () => this.valueOf(place, array[0], true));
  }

  #goesAsOne(bytes: number): boolean {
    return bytes <= itemsPerRequest(this.#far.lamella.operationBytesMax, 0, 1, 1);
  }

  /** Moves elements by the network alone, of a region that cannot be gone. */
  #moveShared<T>(
    place: FarPlace,
    array: TypedArrayLike<unknown>,
    put: boolean,
    give: () => T,
  ): T | Pending<T> {
    this.#far.makeRoom();
    let ticket: number;
    try {
      ticket = this.#move(place, array, put);
    } catch (error) {
      // The handle tells of it.
      const operation = this.operation<T>(place);
      operation.break(error);
      return operation.seal(give);
    }
    if (ticket === 0) return give();
    const operation = this.operation<T>(place);
    operation.take(ticket);
    return operation.seal(give);
  }

  /** Moves bytes by the network alone, after a check that the memory is still what it was. */
  #moveChecked(
    operation: Pending<unknown>,
    place: FarPlace,
    bytes: Uint8Array,
    put: boolean,
  ): void {
    const head = { operation: OPERATION.check, count: 0, span: bytes.length };
    const move = (): void => operation.start(() => this.#move(place, bytes, put));
    this.send(operation, place, this.request(place, head, 0, 0), 0, move);
  }

  /** Begins to move elements; returns the ticket, 0 if that is over. */
  #move(place: FarPlace, array: TypedArrayLike<unknown>, put: boolean): number {
    const { lamella } = this.#far;
    const { allocation } = place.memory;
    const pe = allocation.pes[place.part]!;
    const offset = allocation.offsets[place.part]! + place.at - FAR_ADDRESS;
    const { buffer, byteOffset, byteLength } = array;
    if (byteLength === 0) return 0;
    if (buffer === lamella.views.buffer) {
      return put
        ? lamella.put(pe, offset, byteOffset, byteLength)
        : lamella.get(pe, offset, byteOffset, byteLength);
    }
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    return put ? lamella.putBytes(pe, offset, bytes) : lamella.getBytes(pe, offset, bytes);
  }
}
