/**
 * The element types of regions: what each is in TypeScript and in memory. All are as wide in memory
 * as their name says; `u64` and `i64` give and take numbers that are safe integers, `bigu64` and
 * `bigi64` BigInts.
 *
 * @module
 */

import type { ElementName } from "../internal/kernels_element.ts";

/** What a value and a typed array of each element type is. */
export interface ElementTypes {
  /** Integers from 0 to 255. */
  u8: { value: number; array: Uint8Array };
  /** Integers from -128 to 127. */
  i8: { value: number; array: Int8Array };
  /** Integers from 0 to 65535. */
  u16: { value: number; array: Uint16Array };
  /** Integers from -32768 to 32767. */
  i16: { value: number; array: Int16Array };
  /** Integers from 0 to 4294967295. */
  u32: { value: number; array: Uint32Array };
  /** Integers from -2147483648 to 2147483647. */
  i32: { value: number; array: Int32Array };
  /** Numbers of 32-bit precision. */
  f32: { value: number; array: Float32Array };
  /** Numbers. */
  f64: { value: number; array: Float64Array };
  /** 64-bit integers as numbers, from 0 to `Number.MAX_SAFE_INTEGER`. */
  u64: { value: number; array: BigUint64Array };
  /** 64-bit integers as numbers, safe ones. */
  i64: { value: number; array: BigInt64Array };
  /** 64-bit integers as BigInts, from 0. */
  bigu64: { value: bigint; array: BigUint64Array };
  /** 64-bit integers as BigInts. */
  bigi64: { value: bigint; array: BigInt64Array };
}

/** The name of an element type. */
export type ElementType = keyof ElementTypes;

/** A value of an element type. */
export type ElementValue<E extends ElementType> = ElementTypes[E]["value"];

/** The typed array of an element type. */
export type ElementArray<E extends ElementType> = ElementTypes[E]["array"];

/**
 * A value of an integer type; other types have none, so that bitwise operations do not compile for
 * them.
 */
export type IntegerValue<E extends ElementType> = E extends "f32" | "f64" ? never : ElementValue<E>;

/** Any of the typed arrays, as far as all are alike; `X` is what it holds. */
export interface TypedArrayLike<X> {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly length: number;
  [index: number]: X;
  set(source: ArrayLike<X>, offset?: number): void;
  subarray(begin: number, end: number): TypedArrayLike<X>;
  values(): ArrayIterator<X>;
}

/** Makes typed arrays of one class. */
export interface TypedArrayClass<X> {
  readonly name: string;
  new (length: number): TypedArrayLike<X>;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArrayLike<X>;
}

/**
 * How values pass between JavaScript and memory: as they are, as a checked number, or as a BigInt.
 */
export type ElementKind = "float" | "integer" | "exact" | "bigint";

/** One element type at run time. */
export interface ElementInfo {
  /** Its name. */
  readonly type: ElementType;
  /** Its number on the wire. */
  readonly code: number;
  /** Bytes of an element. */
  readonly bytes: number;
  /** Its typed array. */
  readonly arrayClass: TypedArrayClass<number> | TypedArrayClass<bigint>;
  /** The type by which the kernels know it. */
  readonly kernels: ElementName;
  /** How its values pass. */
  readonly kind: ElementKind;
  /** The least value of an integer type. */
  readonly min: number | bigint;
  /** The greatest value of an integer type. */
  readonly max: number | bigint;
}

type Row = readonly [
  type: ElementType,
  arrayClass: TypedArrayClass<number> | TypedArrayClass<bigint>,
  kernels: ElementName,
  kind: ElementKind,
  min: number | bigint,
  max: number | bigint,
];

const SAFE = Number.MAX_SAFE_INTEGER;

/** The index of a row travels with handles. */
const ROWS: readonly Row[] = [
  ["u8", Uint8Array, "u8", "integer", 0, 0xff],
  ["i8", Int8Array, "i8", "integer", -0x80, 0x7f],
  ["u16", Uint16Array, "u16", "integer", 0, 0xffff],
  ["i16", Int16Array, "i16", "integer", -0x8000, 0x7fff],
  ["u32", Uint32Array, "u32", "integer", 0, 0xffffffff],
  ["i32", Int32Array, "i32", "integer", -0x80000000, 0x7fffffff],
  ["f32", Float32Array, "f32", "float", -Infinity, Infinity],
  ["f64", Float64Array, "f64", "float", -Infinity, Infinity],
  ["u64", BigUint64Array, "u64", "exact", 0, SAFE],
  ["i64", BigInt64Array, "i64", "exact", -SAFE, SAFE],
  ["bigu64", BigUint64Array, "u64", "bigint", 0n, 2n ** 64n - 1n],
  ["bigi64", BigInt64Array, "i64", "bigint", -(2n ** 63n), 2n ** 63n - 1n],
];

/** All element types; the index of each is its number on the wire. */
export const ELEMENTS: readonly ElementInfo[] = ROWS.map((
  [type, arrayClass, kernels, kind, min, max],
  code,
): ElementInfo => ({
  type,
  code,
  bytes: new arrayClass(1).byteLength,
  arrayClass,
  kernels,
  kind,
  min,
  max,
}));

/**
 * Looks an element type up.
 *
 * @param type Its name.
 * @returns What is known of it.
 * @throws {TypeError} If there is no such type.
 */
export function elementInfo(type: ElementType): ElementInfo {
  const info = ELEMENTS.find((element) => element.type === type);
  if (info) return info;
  throw new TypeError(
    `Cannot make a region of ${String(type)}: the element types are ` +
      ELEMENTS.map((element) => element.type).join(", "),
  );
}

/**
 * Says which values a type takes, for messages.
 *
 * @param info The type.
 * @returns Words that continue "it takes".
 */
export function valuesTaken(info: ElementInfo): string {
  switch (info.kind) {
    case "float":
      return "numbers";
    case "bigint":
      return `BigInts from ${info.min} to ${info.max}`;
    default:
      return `integers from ${info.min} to ${info.max}`;
  }
}
