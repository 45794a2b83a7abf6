/**
 * What those need of the records of an array who use them one by one, or part by part.
 *
 * @module
 */

import type { Distribution } from "../../internal/distribution.ts";
import type { FetchOp, UpdateOp } from "../../internal/element_ops.ts";
import type { Handle } from "../../lamellae/mod.ts";
import type { CompareExchangeResult, RecordElement } from "../../memregion/mod.ts";
import type { RecordType } from "./record_type.ts";

/** The records of an array, or of a view of it. */
export interface RecordAccess<V> {
  readonly recordType: RecordType<V>;
  readonly distribution: Distribution;
  /** How messages call it. */
  readonly label: string;
  readonly length: number;
  /** Writes records to a row of indices. */
  write(name: string, indices: readonly number[], source: unknown): Handle<void>;
  /** Reads the records of a row of indices. */
  read<T>(name: string, indices: readonly number[], give: (records: V[]) => T): Handle<T>;
  putIn(op: string, part: number, offset: number, source: unknown): Handle<void>;
  load(index: number): Handle<V>;
  update(name: UpdateOp, index: number, value: V): Handle<void>;
  fetch(name: FetchOp, op: string, index: number, value: V): Handle<V>;
  compareExchange(
    index: number,
    expected: V,
    replacement: V,
  ): Handle<CompareExchangeResult<RecordElement<V>>>;
}
