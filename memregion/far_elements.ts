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
  itemsPerRequest,
  OPERATION,
  REPLY_HEAD_BYTES,
  REQUEST_HEAD_BYTES,
} from "../lamellae/mod.ts";
import { FAR_ADDRESS } from "./allocation.ts";
import type { TypedArrayLike } from "./element_types.ts";
import type { FarOperation } from "./far.ts";
import { FarAtomics, type FarPlace } from "./far_atomics.ts";

/** Operations on far elements of one type; every position and value has been checked. */
export class FarElements<V> extends FarAtomics<V> {
  /** Holds the element of a copy that is waited for in place. */
  readonly #cell: TypedArrayLike<unknown> = this.newArray(1);

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
    if (!place.memory.allocation.oneSided) {
      return this.#moveShared<void>(place, source, true, inPlace)?.seal(() => {});
    }
    const operation = this.operation<void>(place);
    const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    if (bytes.length > 0) {
      if (this.#goesAsOne(bytes.length)) {
        const head = { operation: OPERATION.put, count: source.length };
        const request = this.request(place, head, 0, bytes.length);
        request.bytes.set(bytes, request.valuesAt);
        this.send(operation, place, request);
      } else this.#moveChecked(operation, place, bytes, true);
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
    const array = inPlace && values.length === 1 ? this.#cell : this.newArray(values.length);
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
    if (!place.memory.allocation.oneSided) {
      const moving = this.#moveShared<T>(place, target, false, inPlace);
      return moving ? moving.seal(give) : give();
    }
    const operation = this.operation<T>(place);
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
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
   * @param inPlace Whether it is waited for in place at once.
   * @returns The operation, or the value if it is done.
   */
  read(place: FarPlace, inPlace = false): V | FarOperation<V> {
    const array = inPlace ? this.#cell : this.newArray(1);
    return this.get(place, array, () => this.valueOf(place, array[0], true), inPlace);
  }

  #goesAsOne(bytes: number): boolean {
    const { operationBytesMax } = this.far.lamella;
    return bytes <= itemsPerRequest(operationBytesMax, 0, 1, 1);
  }

  /**
   * Moves elements of a shared region by the network alone. What is waited for in place, or over
   * with the call, needs none of the books that an operation keeps.
   */
  #moveShared<T>(
    place: FarPlace,
    array: TypedArrayLike<unknown>,
    put: boolean,
    inPlace: boolean,
  ): FarOperation<T> | undefined {
    const { far } = this;
    const { allocation } = place.memory;
    if (inPlace) {
      const ticket = this.#move(place, array, put);
      const pe = allocation.firstPe + place.part;
      if (ticket !== 0) far.progress.settle(() => !far.lamella.isPending(ticket), pe);
      return undefined;
    }
    far.makeRoom();
    let begun: () => number;
    try {
      const ticket = this.#move(place, array, put);
      if (ticket === 0) return undefined;
      begun = () => ticket;
    } catch (error) {
      // The handle tells of it.
      begun = () => {
        throw error;
      };
    }
    const operation = this.operation<T>(place);
    operation.start(begun);
    return operation;
  }

  /** Moves bytes to or from a one-sided region by the network alone, after a check. */
  #moveChecked(
    operation: FarOperation<unknown>,
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
    const { lamella } = this.far;
    const { allocation } = place.memory;
    const pe = allocation.firstPe + place.part;
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
    const { bytes } = this.info;
    const { operationBytesMax } = this.far.lamella;
    const some = itemsPerRequest(operationBytesMax, 0, put ? bytes : 0, put ? 0 : bytes);
    const all = this.operation<void>(place);
    for (let from = 0; from < count; from += some) {
      const items = Math.min(some, count - from);
      const here = { ...place, at: place.at + from * stride * bytes };
      this.far.makeRoom();
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
    const { bytes } = this.info;
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
    const { bytes } = this.info;
    const head = { operation: OPERATION.getStrided, count, span: stride * bytes };
    this.send(all, place, this.request(place, head, 0, 0), count * bytes, (reply) => {
      const values = this.arrayOver(reply, REPLY_HEAD_BYTES, count);
      for (let i = 0; i < count; i++) array[from + i * step] = values[i]!;
    });
  }
}
