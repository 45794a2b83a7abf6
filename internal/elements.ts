/**
 * The table of element types: what each is in TypeScript, in memory and on the wire. Everything
 * that has to know the element types derives from this table. Each type is as wide in memory as its
 * name says. `u64` and `i64` give and take numbers that are safe integers; `bigu64` and `bigi64`
 * give and take BigInts.
 *
 * @module
 */

/**
 * What each element type is in TypeScript: `value` is one element, `array` a copy of several, and
 * `memory` the memory itself.
 *
 * @category Memory regions
 */
export interface ElementTypes {
  /** Integers from 0 to 255. */
  u8: { value: number; array: Uint8Array; memory: Uint8Array };
  /** Integers from -128 to 127. */
  i8: { value: number; array: Int8Array; memory: Int8Array };
  /** Integers from 0 to 65535. */
  u16: { value: number; array: Uint16Array; memory: Uint16Array };
  /** Integers from -32768 to 32767. */
  i16: { value: number; array: Int16Array; memory: Int16Array };
  /** Integers from 0 to 4294967295. */
  u32: { value: number; array: Uint32Array; memory: Uint32Array };
  /** Integers from -2147483648 to 2147483647. */
  i32: { value: number; array: Int32Array; memory: Int32Array };
  /** Numbers of 32-bit precision. */
  f32: { value: number; array: Float32Array; memory: Float32Array };
  /** Numbers. */
  f64: { value: number; array: Float64Array; memory: Float64Array };
  /** 64-bit integers as numbers, from 0 to `Number.MAX_SAFE_INTEGER`. */
  u64: { value: number; array: Float64Array; memory: BigUint64Array };
  /** 64-bit integers as numbers that are safe integers. */
  i64: { value: number; array: Float64Array; memory: BigInt64Array };
  /** 64-bit unsigned integers as BigInts. */
  bigu64: { value: bigint; array: BigUint64Array; memory: BigUint64Array };
  /** 64-bit signed integers as BigInts. */
  bigi64: { value: bigint; array: BigInt64Array; memory: BigInt64Array };
  /** True or false; one byte each, 1 or 0, in arrays and in memory. */
  bool: { value: boolean; array: Uint8Array; memory: Uint8Array };
}

/**
 * The name of an element type.
 *
 * @category Memory regions
 */
export type ElementType = keyof ElementTypes;

/**
 * Records as elements of arrays, which `element` defines; `V` is a record.
 *
 * @category Arrays
 */
export interface RecordElement<V> {
  /** The name under which all PEs know it. */
  readonly elementName: string;
  /** Bytes of a record in memory, a multiple of 8. */
  readonly bytes: number;
  /** Only there for the type checker. */
  readonly __record?: () => V;
}

/**
 * What the elements of an array can be: of an element type, or records.
 *
 * @category Arrays
 */
export type AnyElement = ElementType | RecordElement<unknown>;

/**
 * An element type, given as its name, such as `"f64"`, or as the schema of that name.
 *
 * @category Memory regions
 */
export type ElementTypeLike<E extends AnyElement> = E | { readonly elementType: E };

/**
 * A value of an element type; a record, where the elements are such.
 *
 * @category Memory regions
 */
export type ElementValue<E extends AnyElement> = E extends infer T extends ElementType
  ? ElementTypes[T]["value"]
  : E extends RecordElement<infer V> ? V
  : never;

/**
 * The typed array that holds a copy of elements; for `u64` and `i64` it is a `Float64Array` of
 * exact integers, and copies of records are in an array.
 *
 * @category Memory regions
 */
export type ElementArray<E extends AnyElement> = E extends infer T extends ElementType
  ? ElementTypes[T]["array"]
  : E extends RecordElement<infer V> ? V[]
  : never;

/**
 * The typed array over memory of an element type; for 64-bit integers it holds BigInts. Records
 * have a slice of their own.
 *
 * @category Memory regions
 */
export type ElementSlice<E extends AnyElement> = E extends infer T extends ElementType
  ? ElementTypes[T]["memory"]
  : E extends RecordElement<infer V> ? RecordSlice<V>
  : never;

/**
 * Records in memory: each is read as a new object, and written whole.
 *
 * @category Arrays
 */
export interface RecordSlice<V> extends Iterable<V> {
  /** How many there are. */
  readonly length: number;
  /** Reads a record; undefined if there is none. */
  at(index: number): V | undefined;
  /** Writes records, the first of them at an index; 0 if left out. */
  set(records: Iterable<V>, index?: number): void;
  /** Writes the same record from one index up to another. */
  fill(record: V, begin?: number, end?: number): this;
  /** Some of them, over the same memory. */
  subarray(begin?: number, end?: number): RecordSlice<V>;
}

/**
 * A value of an integer type. For other types it is `never`, so shifts do not compile for them.
 *
 * @category Memory regions
 */
export type IntegerValue<E extends AnyElement> = E extends "f32" | "f64" | "bool" ? never
  : ElementValue<E>;

/**
 * A value that bitwise operations take; `never` for floats.
 *
 * @category Memory regions
 */
export type BitsValue<E extends AnyElement> = E extends "f32" | "f64" ? never : ElementValue<E>;

/**
 * A value that arithmetic takes; `never` for booleans.
 *
 * @category Memory regions
 */
export type NumericValue<E extends AnyElement> = E extends "bool" ? never : ElementValue<E>;

/** The name of a type that memory is read and written as; each is an element type, too. */
export type MemoryType = Exclude<ElementType, "bigu64" | "bigi64" | "bool">;

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
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): TypedArrayLike<X>;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArrayLike<X>;
}

/**
 * How values pass between JavaScript and memory: as they are, as a checked number, as a BigInt, or
 * as 0 or 1.
 */
export type ElementKind = "float" | "integer" | "exact" | "bigint" | "boolean";

/** One element type at run time. */
export interface ElementInfo {
  /** Its name. */
  readonly type: ElementType;
  /** Its number on the wire. */
  readonly code: number;
  /** Bytes of an element. */
  readonly bytes: number;
  /** The typed array over its memory. */
  readonly arrayClass: TypedArrayClass<number> | TypedArrayClass<bigint>;
  /** The typed array that copies come in. */
  readonly copyClass: TypedArrayClass<number> | TypedArrayClass<bigint>;
  /** What it is in memory, by which kernels and servers know it. */
  readonly memory: MemoryType;
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
  memory: MemoryType,
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
  ["bool", Uint8Array, "u8", "boolean", 0, 1],
];

/** All element types; the index of each is its number on the wire. */
export const ELEMENTS: readonly ElementInfo[] = ROWS.map((
  [type, arrayClass, memory, kind, min, max],
  code,
): ElementInfo => ({
  type,
  code,
  bytes: new arrayClass(1).byteLength,
  arrayClass,
  copyClass: kind === "exact" ? Float64Array : arrayClass,
  memory,
  kind,
  min,
  max,
}));

/** The element types that memory is read and written as. */
export const MEMORY_TYPES: readonly ElementInfo[] = ELEMENTS.filter(({ type, memory }) =>
  type === memory
);

const BY_NAME: ReadonlyMap<unknown, ElementInfo> = new Map(
  ELEMENTS.map((info) => [info.type, info]),
);

/**
 * Looks an element type up.
 *
 * @param type Its name, or its schema.
 * @returns What is known of it.
 * @throws {TypeError} If there is no such type.
 */
export function elementInfo(type: ElementTypeLike<ElementType>): ElementInfo {
  const name: unknown = isObject(type) ? type.elementType : type;
  const info = BY_NAME.get(name);
  if (info) return info;
  const given = typeof type === "object" ? "what is not an element type" : String(type);
  throw new TypeError(
    `Cannot make elements of ${given}: the element types are ` +
      ELEMENTS.map((element) => element.type).join(", "),
  );
}

function isObject(type: unknown): type is { readonly elementType: unknown } {
  return typeof type === "object" && type !== null;
}

/**
 * @param value Anything.
 * @returns Whether it is the name of an element type.
 */
export function isElementType(value: unknown): value is ElementType {
  return BY_NAME.has(value);
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
    case "boolean":
      return "true or false";
    default:
      return `integers from ${info.min} to ${info.max}`;
  }
}
