/**
 * The table of batched operations: what each is at the memory, here or at the PE that has it.
 *
 * @module
 */

import {
  type BatchFetchName,
  type BatchName,
  ELEMENT_OPS,
  type ElementOpInfo,
  type FetchOp,
  type Operand,
  operandOf,
  type UpdateOp,
} from "../../internal/element_ops.ts";
import type { TypedArrayLike } from "../../internal/elements.ts";
import { indexedKernelName, OPERATION } from "../../lamellae/mod.ts";
import type { IndexList } from "./index_list.ts";
import type { Described } from "../memory/refusals.ts";
import type { RegionMemory } from "../memory/region_memory.ts";

/** What users call. */
export type BatchCallName =
  | BatchName<UpdateOp>
  | BatchFetchName<FetchOp>
  | "batchCompareExchange"
  | "gather"
  | "batchLoad"
  | "scatter"
  | "getIndexed"
  | "putIndexed";

/** A batched operation. */
export interface BatchCall {
  /** As users call it. */
  readonly name: BatchCallName;
  /** As requests to other processes name it: one of {@linkcode OPERATION}. */
  readonly operation: number;
  /** How it changes elements, where it does so by the table of operations. */
  readonly op: ElementOpInfo | undefined;
  /** The kernel that does it. */
  readonly kernel: NonNullable<ReturnType<typeof indexedKernelName>>;
  /** Elements that it takes for each item. */
  readonly operands: 0 | 1 | 2;
  /** Whether it writes. */
  readonly writes: boolean;
  /** Whether it tells what the elements were. */
  readonly gives: boolean;
}

/** A batch that has been checked, but for the range of its indices. */
export interface Batch<V> {
  readonly memory: RegionMemory<V>;
  readonly call: BatchCall;
  /** Undefined where indices run over all parts. */
  readonly part: number | undefined;
  readonly list: IndexList;
  /** The elements it takes for each item, or those for all. */
  readonly values: TypedArrayLike<unknown> | undefined;
  /** Whether there are values for one item, which all take. */
  readonly single: boolean;
  readonly target: TypedArrayLike<unknown> | undefined;
}

function call(name: BatchCallName, operation: number, op?: ElementOpInfo): BatchCall {
  const reads = operation === OPERATION.getIndexed;
  return {
    name,
    operation,
    op,
    kernel: indexedKernelName(operation, op)!,
    operands: reads ? 0 : operation === OPERATION.compareExchangeIndexed ? 2 : 1,
    writes: !reads,
    gives: operation !== OPERATION.putIndexed && operation !== OPERATION.updateIndexed,
  };
}

/** Their places are their codes. */
const ROWS: readonly BatchCall[] = [
  call("scatter", OPERATION.putIndexed),
  call("gather", OPERATION.getIndexed),
  call("batchLoad", OPERATION.getIndexed),
  call("putIndexed", OPERATION.putIndexed),
  call("getIndexed", OPERATION.getIndexed),
  call("batchCompareExchange", OPERATION.compareExchangeIndexed),
  ...ELEMENT_OPS.flatMap((op) => [
    ...op.updates ? [call(op.batchName, OPERATION.updateIndexed, op)] : [],
    ...op.fetches ? [call(op.batchFetchName, OPERATION.fetchIndexed, op)] : [],
  ]),
];

const CALLS: ReadonlyMap<BatchCallName, BatchCall> = new Map(ROWS.map((row) => [row.name, row]));

/**
 * @param name What the user called.
 * @returns What it is.
 */
export function batchCall(name: BatchCallName): BatchCall {
  return CALLS.get(name)!;
}

/**
 * @param name What the user called.
 * @returns The number that stands for it in messages.
 */
export function batchCode(name: BatchCallName): number {
  return ROWS.indexOf(batchCall(name));
}

/**
 * @param code A number that another PE gave.
 * @returns What it stands for; undefined if it is no such number.
 */
export function batchCallAt(code: number): BatchCall | undefined {
  return ROWS[code];
}

/**
 * What the operands of a batch have to be beside values of the element type.
 *
 * @param call The operation.
 * @param memory The region.
 * @returns It, if there is anything.
 */
export function operandsOf({ op }: BatchCall, memory: Described): Operand | undefined {
  return op && operandOf(op, memory.access.info);
}
