/**
 * What named operators reduce: numbers, BigInts and booleans one by one, typed arrays and regions
 * element by element.
 *
 * @module
 */

import {
  type ElementArray,
  type Elements,
  elementsOf,
  type ElementType,
  type MemoryRegion,
} from "../memregion/mod.ts";
import { type ElementInfo, elementInfo } from "../internal/elements.ts";
import type { OperatorName } from "./operators.ts";

/**
 * A typed array that collectives reduce.
 *
 * @category Collectives
 */
export type ReducibleArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/**
 * A region of any element type.
 *
 * @category Collectives
 */
export type ReducibleRegion = { [E in ElementType]: MemoryRegion<E> }[ElementType];

/**
 * What named operators reduce. Of a region, its elements on this PE are reduced.
 *
 * @category Collectives
 */
export type Reducible =
  | number
  | bigint
  | boolean
  | ReducibleArray
  | ReducibleRegion;

/**
 * What comes of a value: a region becomes a typed array.
 *
 * @category Collectives
 */
export type Collected<T> = T extends number ? number
  : T extends bigint ? bigint
  : T extends boolean ? boolean
  : T extends MemoryRegion<infer E> ? ElementArray<E>
  : T;

/** A value that is reduced as elements. */
export interface ReducibleElements {
  readonly elements: Elements;
  /** Makes of the reduced elements what the user gets. */
  readonly give: (result: unknown) => unknown;
}

const same = (result: unknown): unknown => result;
const first = (result: unknown): unknown => (result as ArrayLike<unknown>)[0];

/**
 * @param value What a PE contributes.
 * @param operator The operator: bitwise ones take numbers as integers.
 * @param op What the user called.
 * @returns It, as elements.
 * @throws {TypeError} If named operators do not reduce it.
 * @throws {RangeError} If it is an integer that does not fit.
 */
export function reducibleOf(
  value: unknown,
  operator: OperatorName,
  op: string,
): ReducibleElements {
  const bitwise = operator === "and" || operator === "or" || operator === "xor";
  switch (typeof value) {
    case "number":
      if (!bitwise) return one(elementInfo("f64"), new Float64Array([value]), first);
      if (Number.isSafeInteger(value)) {
        return one(elementInfo("i64"), BigInt64Array.of(BigInt(value)), first);
      }
      throw new RangeError(
        `Cannot call ${op} with "${operator}" for ${value}: it is not a safe integer`,
      );
    case "bigint":
      if (BigInt.asIntN(64, value) === value) {
        return one(elementInfo("bigi64"), BigInt64Array.of(value), first);
      }
      throw new RangeError(`Cannot call ${op} for ${value}: it has more than 64 bits`);
    case "boolean":
      return one(elementInfo("bool"), Uint8Array.of(Number(value)), (r) => first(r) === 1);
  }
  const elements = elementsOf(value, op);
  if (elements) return { elements, give: same };
  throw new TypeError(
    `Cannot call ${op} with "${operator}" for ${nameOf(value)}: named operators reduce numbers, ` +
      "BigInts, booleans, typed arrays and regions",
  );
}

function one(
  info: ElementInfo,
  array: ArrayBufferView,
  give: ReducibleElements["give"],
): ReducibleElements {
  const bytes = new Uint8Array(array.buffer);
  return { elements: { info, length: 1, bytes, single: true }, give };
}

function nameOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return `an instance of ${value.constructor?.name ?? "no class"}`;
}
