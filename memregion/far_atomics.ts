/**
 * Changing single elements of one type at far PEs, by memory operations; and what these have in
 * common with all others.
 *
 * @module
 */

import {
  type AtomicName,
  beginRequest,
  OPERATION,
  type OperationHead,
  REPLY_HEAD_BYTES,
  replyDone,
  type Request,
} from "../lamellae/mod.ts";
import { FAR_ADDRESS } from "./allocation.ts";
import type { ElementInfo, TypedArrayLike } from "./element_types.ts";
import type { FarMemory, FarOperation } from "./far.ts";
import { type Described, operationOn, refuseInexact, refuseStale } from "./refusals.ts";

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

/** Operations on single far elements of one type; every position and value has been checked. */
export class FarAtomics<V> {
  /** The element type. */
  protected readonly info: ElementInfo;
  /** What is under way. */
  protected readonly far: FarMemory;

  /**
   * @param info The element type.
   * @param far What is under way.
   */
  constructor(info: ElementInfo, far: FarMemory) {
    this.info = info;
    this.far = far;
  }

  /**
   * Begins an operation.
   *
   * @param place Where.
   * @returns It, with nothing started.
   */
  operation<T>({ memory, part }: FarPlace): FarOperation<T> {
    return this.far.begin<T>(memory.allocation.firstPe + part);
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
    const { generation: guard, offsets } = memory.allocation;
    const where = { part: offsets[part]!, position: at - FAR_ADDRESS };
    const whole = { ...head, ...where, type: this.info.kernels, guard };
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
    operation: FarOperation<unknown>,
    { memory, op, part }: FarPlace,
    request: Request,
    replyBytes = 0,
    done?: (reply: Uint8Array<ArrayBuffer>) => void,
  ): void {
    const pe = memory.allocation.firstPe + part;
    const reply = new Uint8Array(REPLY_HEAD_BYTES + replyBytes);
    operation.start(() => this.far.lamella.operate(pe, request.bytes, reply), () => {
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
    const { arrayClass } = this.info;
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
   * @internal
   */
  protected newArray(length: number): TypedArrayLike<unknown> {
    return new this.info.arrayClass(length) as TypedArrayLike<unknown>;
  }

  /**
   * Turns a value into what arrays of the type hold.
   *
   * @param value The value.
   * @returns The element.
   */
  elementOf(value: V): unknown {
    return this.info.kind === "exact" ? BigInt(value as number) : value;
  }

  /**
   * Turns what arrays of the type hold into a value.
   *
   * @param place Where it was.
   * @param element The element.
   * @param shown Whether the message may name what no number holds.
   * @returns The value.
   * @internal
   */
  protected valueOf(place: FarPlace, element: unknown, shown: boolean): V {
    if (this.info.kind !== "exact") return element as V;
    const value = Number(element as bigint);
    if (Number.isSafeInteger(value)) return value as V;
    const { memory, op, at } = place;
    const index = (at - FAR_ADDRESS) / this.info.bytes - memory.start;
    return refuseInexact(memory, op, index, shown ? element as bigint : undefined);
  }

  /**
   * Reads an element atomically.
   *
   * @param place Where it is.
   * @returns The operation; it gives the value.
   */
  load(place: FarPlace): FarOperation<V> {
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
  update(place: FarPlace, atomic: AtomicName, value: V): FarOperation<void> {
    const operation = this.operation<void>(place);
    this.send(operation, place, this.updateRequest(place, OPERATION.update, atomic, value));
    return operation.seal(() => {});
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
    atomic: AtomicName,
    value: V,
  ): Request {
    return this.#withValues(place, { operation, atomic, count: 1 }, [value]);
  }

  #withValues(
    place: FarPlace,
    head: Pick<OperationHead, "operation" | "atomic" | "count">,
    values: readonly V[],
  ): Request {
    const request = this.request(place, head, 0, values.length * this.info.bytes);
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
  fetch(place: FarPlace, atomic: AtomicName, value: V): FarOperation<V> {
    const request = this.updateRequest(place, OPERATION.fetch, atomic, value);
    return this.#single(place, request, (before) => this.valueOf(place, before, false));
  }

  /**
   * Replaces an element if it is as expected.
   *
   * @param place Where it is.
   * @param expected What it has to be.
   * @param replacement Its new value.
   * @param same Whether what was found is what was expected.
   * @returns The operation; it gives whether it was, and what it was.
   */
  compareExchange(
    place: FarPlace,
    expected: V,
    replacement: V,
    same: (found: V, expected: V) => boolean,
  ): FarOperation<{ ok: boolean; value: V }> {
    const head = { operation: OPERATION.compareExchange, count: 1 };
    return this.#single(place, this.#withValues(place, head, [expected, replacement]), (before) => {
      const value = this.valueOf(place, before, false);
      return { ok: same(value, expected), value };
    });
  }

  #single<T>(
    place: FarPlace,
    request: Request,
    give: (element: unknown) => T,
  ): FarOperation<T> {
    const operation = this.operation<T>(place);
    let element: unknown;
    this.send(operation, place, request, this.info.bytes, (reply) => {
      element = this.arrayOver(reply, REPLY_HEAD_BYTES, 1)[0];
    });
    return operation.seal(() => give(element));
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
    data: FarOperation<void> | undefined,
    place: FarPlace,
    atomic: AtomicName,
    value: V,
  ): FarOperation<void> {
    const both = this.operation<void>(place);
    // Made now, because the region may be disposed until the data is there.
    const request = this.updateRequest(place, OPERATION.update, atomic, value);
    both.adopt(data, () => this.send(both, place, request));
    return both.seal(() => {});
  }
}
