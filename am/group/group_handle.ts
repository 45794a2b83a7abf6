/**
 * The handle of a group that is under way, and the results of its AMs.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";
import { type Awaited, Handle, type WaitLimit } from "../../lamellae/mod.ts";
import { type AmHandle, control } from "../handle.ts";
import { partsOfGroups, saysNothing } from "../multi_handle.ts";
import { messageOf } from "../wire/thrown.ts";
import type { Results } from "./batch_results.ts";
import { type Order, type SentBatch, TO_ALL } from "./collector.ts";
import { errorsOf } from "./batch_error.ts";

/**
 * The result of an AM of a group: of one that ran on one PE, or of one that ran on all.
 *
 * @category Groups
 */
export type AmGroupResult<T> =
  | {
    /** It ran on one PE. */
    readonly kind: "pe";
    /** The PE, as it was given when the AM was added. */
    readonly pe: number;
    /** What the handler returned. */
    readonly value: T;
  }
  | {
    /** It ran on all PEs. */
    readonly kind: "all";
    /** What the handlers returned, in the order of the PEs. */
    readonly values: readonly T[];
  };

/**
 * The results of a group, in the order in which its AMs were added.
 *
 * @category Groups
 */
export class AmGroupResults<T> implements Iterable<AmGroupResult<T>> {
  readonly #order: Order;
  /** What each PE returned; nothing if no handler there returned anything. */
  readonly #values: readonly Results[];
  /** The place of each AM among those of its PE; of one for all, among these. */
  #places: Int32Array | undefined;
  /** The places of each AM for all PEs, by PE. */
  readonly #all: Int32Array[] = [];

  /**
   * Programs get results from groups.
   *
   * @ignore
   * @param order Who the AMs were for.
   * @param values What each PE returned.
   */
  constructor(order: Order, values: readonly Results[]) {
    this.#order = order;
    this.#values = values;
  }

  /** How many AMs the group has; one for all PEs counts once. */
  get length(): number {
    return this.#order.length;
  }

  /**
   * Gives the result of an AM.
   *
   * @param index Which AM, in the order in which they were added, from 0.
   * @returns Its result.
   * @throws {RangeError} If there is no such AM.
   */
  at(index: number): AmGroupResult<T> {
    const { length, pes } = this.#order;
    if (!(Number.isInteger(index) && index >= 0 && index < length)) {
      throw new RangeError(`Cannot give result ${index}: the group has ${length} AMs`);
    }
    const pe = pes[index]!;
    const place = (this.#places ??= this.#findPlaces())[index]!;
    if (pe !== TO_ALL) return { kind: "pe", pe, value: this.#values[pe]?.[place] as T };
    const values = Array.from(this.#all[place]!, (at, pe) => this.#values[pe]?.[at] as T);
    return { kind: "all", values };
  }

  #findPlaces(): Int32Array {
    const { length, pes } = this.#order;
    const counts = new Int32Array(this.#values.length);
    const places = new Int32Array(length);
    for (let i = 0; i < length; i++) {
      const pe = pes[i]!;
      if (pe !== TO_ALL) places[i] = counts[pe]!++;
      else {
        places[i] = this.#all.push(counts.slice()) - 1;
        for (let k = 0; k < counts.length; k++) counts[k]!++;
      }
    }
    return places;
  }

  /** All results, in the order in which the AMs were added. */
  *[Symbol.iterator](): Iterator<AmGroupResult<T>> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }
}

/**
 * A group that is under way. It gives the results once all of its AMs are over, or fails: with a
 * `RemoteError` if one of them failed, with an `AggregateError` if several did. You may ignore the
 * handle: `waitAll` covers the group, and throws its errors.
 *
 * @category Groups
 */
export class AmGroupHandle<T> extends Handle<AmGroupResults<T>> {
  readonly #batches: readonly SentBatch[];
  readonly #order: Order;
  readonly #numPes: number;
  #promise: Promise<AmGroupResults<T>> | undefined;
  #results: AmGroupResults<T> | undefined;

  /**
   * Handles come from groups.
   *
   * @ignore
   * @param batches What was launched.
   * @param order Who the AMs are for.
   * @param numPes Number of PEs of the group.
   */
  constructor(batches: readonly SentBatch[], order: Order, numPes: number) {
    super();
    this.#batches = batches;
    this.#order = order;
    this.#numPes = numPes;
    partsOfGroups.set(this, () => batches.map(({ handle }) => handle as AmHandle<unknown>));
  }

  /** Whether all AMs of the group are over. */
  get done(): boolean {
    return this.#batches.every(({ handle }) => handle.done);
  }

  /** @ignore */
  protected override promised(): Promise<AmGroupResults<T>> {
    return this.#promise ??= this.#finished();
  }

  async #finished(): Promise<AmGroupResults<T>> {
    const outcomes = await Promise.allSettled(this.#batches.map(({ handle }) => handle));
    const errors = outcomes.filter(({ status }) => status === "rejected")
      .map((outcome) => (outcome as PromiseRejectedResult).reason);
    return this.#finish(errors, (i) => (outcomes[i] as PromiseFulfilledResult<Results>).value);
  }

  /** @ignore */
  protected override blocked(limit: WaitLimit | undefined): AmGroupResults<T> {
    const errors: unknown[] = [];
    const values = this.#batches.map(({ handle }) => {
      try {
        return control.block(handle, limit);
      } catch (error) {
        if (saysNothing(error, handle)) throw error;
        errors.push(error);
        return undefined;
      }
    });
    return this.#finish(errors, (i) => values[i]);
  }

  /** @ignore */
  protected override awaited(): Awaited {
    return { text: `for a group of ${this.#order.length} AMs`, op: "exec" };
  }

  #finish(failures: readonly unknown[], valuesOf: (batch: number) => Results): AmGroupResults<T> {
    // If the job fails, all batches have the same error.
    const errors = [...new Set(failures)].flatMap(errorsOf);
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) {
      const text = `AMs of the group failed, the first: ${messageOf(errors[0])}`;
      throw new AggregateError(errors, text);
    }
    return this.#results ??= new AmGroupResults<T>(this.#order, this.#byPe(valuesOf));
  }

  /** Puts the results of each PE together. */
  #byPe(valuesOf: (batch: number) => Results): Results[] {
    const byPe: unknown[][] = Array.from({ length: this.#numPes }, () => []);
    this.#batches.forEach(({ members, pe }, i) => {
      const values = valuesOf(i);
      if (values !== undefined && values.length !== members) {
        throw new ProtocolError(`PE ${pe} gave ${values.length} results for ${members} AMs`, {
          pe,
        });
      }
      const all = byPe[pe]!;
      for (let k = 0; k < members; k++) all.push(values?.[k]);
    });
    return byPe;
  }
}
