/**
 * Reading and writing elements of one type at far PEs.
 *
 * What lies in a row is moved by the network alone where it can be. A one-sided region may have
 * been disposed by its owner without this PE knowing, and what lies there now must not be
 * overwritten. So its owner is asked: what fits one memory operation goes as one, checked and done
 * in the same moment; what is larger begins with a check, a round trip that is little beside its
 * transfer.
 *
 * @module
 */

import {
  type AtomicName,
  beginRequest,
  itemsPerRequest,
  OPERATION,
  type OperationHead,
  REPLY_HEAD_BYTES,
  replyDone,
  type Request,
  REQUEST_HEAD_BYTES,
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

/** Operations on far elements of one type; every position and value has been checked. */
export class FarElements<V> {
  readonly #info: ElementInfo;
  readonly #far: FarMemory;
  /** Holds the element of a copy that is waited for in place. */
  readonly #cell: TypedArrayLike<unknown>;

  /**
   * @param info The element type.
   * @param far What is under way.
   */
  constructor(info: ElementInfo, far: FarMemory) {
    this.#info = info;
    this.#far = far;
    this.#cell = new info.arrayClass(1) as TypedArrayLike<unknown>;
  }

  /**
   * Begins an operation.
   *
   * @param place Where.
   * @returns It, with nothing started.
   */
  operation<T>({ memory, part }: FarPlace): FarOperation<T> {
    return this.#far.begin<T>(memory.allocation.firstPe + part);
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
    const whole = { ...head, ...where, type: this.#info.kernels, guard };
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
   * Turns a value into what arrays of the type hold.
   *
   * @param value The value.
   * @returns The element.
   */
  elementOf(value: V): unknown {
    return this.#info.kind === "exact" ? BigInt(value as number) : value;
  }

  /** The value of an element; `shown` if the message may name what no number holds. */
  #valueOf(place: FarPlace, element: unknown, shown: boolean): V {
    if (this.#info.kind !== "exact") return element as V;
    const value = Number(element as bigint);
    if (Number.isSafeInteger(value)) return value as V;
    const { memory, op, at } = place;
    const index = (at - FAR_ADDRESS) / this.#info.bytes - memory.start;
    return refuseInexact(memory, op, index, shown ? element as bigint : undefined);
  }

  /**
   * Puts elements that follow each other.
   *
   * @param place Where the first one goes.
   * @param source The elements.
   * @param inPlace Whether it is waited for in place at once.
   * @returns The operation; nothing if it is done.
   */
  put(
    place: FarPlace,
    source: TypedArrayLike<unknown>,
    inPlace = false,
  ): FarOperation<void> | undefined {
    if (inPlace && !place.memory.allocation.oneSided) {
      this.#moveInPlace(place, source, true);
      return undefined;
    }
    const operation = this.operation<void>(place);
    const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    if (bytes.length > 0) {
      if (this.#goesAsOne(place, bytes.length)) {
        const head = { operation: OPERATION.put, count: source.length };
        const request = this.request(place, head, 0, bytes.length);
        request.bytes.set(bytes, request.valuesAt);
        this.send(operation, place, request);
      } else this.#move(operation, place, bytes, true);
    }
    return operation.seal(() => {});
  }

  /**
   * Puts values that follow each other.
   *
   * @param place Where the first one goes.
   * @param values The values.
   * @param inPlace Whether it is waited for in place at once.
   * @returns The operation; nothing if it is done.
   */
  putValues(
    place: FarPlace,
    values: readonly V[],
    inPlace = false,
  ): FarOperation<void> | undefined {
    const array = inPlace && values.length === 1
      ? this.#cell
      : new this.#info.arrayClass(values.length) as TypedArrayLike<unknown>;
    for (let i = 0; i < values.length; i++) array[i] = this.elementOf(values[i]!);
    return this.put(place, array, inPlace);
  }

  /**
   * Gets elements that follow each other.
   *
   * @param place Where the first one is.
   * @param target What to fill.
   * @param give What the operation gives.
   * @param inPlace Whether it is waited for in place at once.
   * @returns The operation, or what it gives if it is done.
   */
  get<T>(
    place: FarPlace,
    target: TypedArrayLike<unknown>,
    give: () => T,
    inPlace = false,
  ): T | FarOperation<T> {
    if (inPlace && !place.memory.allocation.oneSided) {
      this.#moveInPlace(place, target, false);
      return give();
    }
    const operation = this.operation<T>(place);
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    if (bytes.length > 0) {
      if (this.#goesAsOne(place, bytes.length)) {
        const head = { operation: OPERATION.get, count: target.length };
        this.send(operation, place, this.request(place, head, 0, 0), bytes.length, (reply) => {
          bytes.set(reply.subarray(REPLY_HEAD_BYTES));
        });
      } else this.#move(operation, place, bytes, false);
    }
    return operation.seal(give);
  }

  /**
   * Gets an element.
   *
   * @param place Where it is.
   * @param inPlace Whether it is waited for in place at once.
   * @returns The operation, or the value if it is done.
   */
  read(place: FarPlace, inPlace = false): V | FarOperation<V> {
    const array = inPlace ? this.#cell : new this.#info.arrayClass(1) as TypedArrayLike<unknown>;
    return this.get(place, array, () => this.#valueOf(place, array[0], true), inPlace);
  }

  #goesAsOne({ memory }: FarPlace, bytes: number): boolean {
    if (!memory.allocation.oneSided) return false;
    const { operationBytesMax } = this.#far.lamella;
    return bytes <= itemsPerRequest(operationBytesMax, 0, 1, 1);
  }

  /** Moves elements of a shared region, without the books that an operation needs. */
  #moveInPlace(place: FarPlace, array: TypedArrayLike<unknown>, put: boolean): void {
    const { allocation } = place.memory;
    const { lamella } = this.#far;
    const pe = allocation.firstPe + place.part;
    const offset = allocation.offsets[place.part]! + place.at - FAR_ADDRESS;
    const { buffer, byteOffset, byteLength } = array;
    if (byteLength === 0) return;
    let ticket: number;
    if (buffer === lamella.views.buffer) {
      ticket = put
        ? lamella.put(pe, offset, byteOffset, byteLength)
        : lamella.get(pe, offset, byteOffset, byteLength);
    } else {
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      ticket = put ? lamella.putBytes(pe, offset, bytes) : lamella.getBytes(pe, offset, bytes);
    }
    if (ticket !== 0) this.#far.progress.settle(() => !lamella.isPending(ticket), pe);
  }

  /** Moves bytes by the network alone; those of a one-sided region after a check. */
  #move(
    operation: FarOperation<unknown>,
    place: FarPlace,
    bytes: Uint8Array,
    put: boolean,
  ): void {
    const { memory, part, at } = place;
    const { lamella } = this.#far;
    const { allocation } = memory;
    const pe = allocation.firstPe + part;
    const offset = allocation.offsets[part]! + at - FAR_ADDRESS;
    const begin = (): number => {
      if (bytes.buffer !== lamella.views.buffer) {
        return put ? lamella.putBytes(pe, offset, bytes) : lamella.getBytes(pe, offset, bytes);
      }
      const { byteOffset, length } = bytes;
      return put
        ? lamella.put(pe, offset, byteOffset, length)
        : lamella.get(pe, offset, byteOffset, length);
    };
    if (!allocation.oneSided) return operation.start(begin);
    const head = { operation: OPERATION.check, count: 0, span: bytes.length };
    this.send(operation, place, this.request(place, head, 0, 0), 0, () => operation.start(begin));
  }

  /**
   * Reads an element atomically.
   *
   * @param place Where it is.
   * @returns The operation; it gives the value.
   */
  load(place: FarPlace): FarOperation<V> {
    const request = this.request(place, { operation: OPERATION.load, count: 1 }, 0, 0);
    return this.#single(place, request, (before) => this.#valueOf(place, before, true));
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
  fetch(place: FarPlace, atomic: AtomicName, value: V): FarOperation<V> {
    const request = this.updateRequest(place, OPERATION.fetch, atomic, value);
    return this.#single(place, request, (before) => this.#valueOf(place, before, false));
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
      const value = this.#valueOf(place, before, false);
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
    this.send(operation, place, request, this.#info.bytes, (reply) => {
      element = this.arrayOver(reply, REPLY_HEAD_BYTES, 1)[0];
    });
    return operation.seal(() => give(element));
  }

  /**
   * Copies elements that stand in steps, in pieces that fit a memory operation.
   *
   * @param place Where the first one is.
   * @param put Whether to write there, else to read.
   * @param stride Elements from one to the next there.
   * @param array The other side.
   * @param step Elements from one to the next in it.
   * @param count How many.
   * @returns The operation.
   */
  strided(
    place: FarPlace,
    put: boolean,
    stride: number,
    array: TypedArrayLike<unknown>,
    step: number,
    count: number,
  ): FarOperation<void> {
    const { bytes } = this.#info;
    const { operationBytesMax } = this.#far.lamella;
    const some = itemsPerRequest(operationBytesMax, 0, put ? bytes : 0, put ? 0 : bytes);
    const all = this.operation<void>(place);
    for (let from = 0; from < count; from += some) {
      const items = Math.min(some, count - from);
      const here = { ...place, at: place.at + from * stride * bytes };
      this.#far.makeRoom();
      if (put) this.#putPiece(all, here, stride, array, from * step, step, items);
      else this.#getPiece(all, here, stride, array, from * step, step, items);
    }
    return all.seal(() => {});
  }

  #putPiece(
    all: FarOperation<void>,
    place: FarPlace,
    stride: number,
    array: TypedArrayLike<unknown>,
    from: number,
    step: number,
    count: number,
  ): void {
    const { bytes } = this.#info;
    const head = { operation: OPERATION.putStrided, count, span: stride * bytes };
    const request = this.request(place, head, 0, count * bytes);
    const values = this.arrayOver(request.bytes, REQUEST_HEAD_BYTES, count);
    for (let i = 0; i < count; i++) values[i] = array[from + i * step]!;
    this.send(all, place, request);
  }

  #getPiece(
    all: FarOperation<void>,
    place: FarPlace,
    stride: number,
    array: TypedArrayLike<unknown>,
    from: number,
    step: number,
    count: number,
  ): void {
    const { bytes } = this.#info;
    const head = { operation: OPERATION.getStrided, count, span: stride * bytes };
    this.send(all, place, this.request(place, head, 0, 0), count * bytes, (reply) => {
      const values = this.arrayOver(reply, REPLY_HEAD_BYTES, count);
      for (let i = 0; i < count; i++) array[from + i * step] = values[i]!;
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
