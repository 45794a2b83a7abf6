/**
 * The vocabulary in which the payload of an active message is described. A schema is a plain
 * immutable object, or an object whose properties are schemas; {@linkcode Infer} gives the
 * TypeScript type of the values.
 *
 * ```ts
 * import { array, f64, type Infer, optional, str, u32 } from "./schema.ts";
 *
 * const Particle = { id: u32, at: { x: f64, y: f64 }, tags: array(str), charge: optional(f64) };
 * const one: Infer<typeof Particle> = { id: 1, at: { x: 0, y: 0.5 }, tags: ["a"] };
 * console.log(one.at.y);
 * ```
 *
 * @module
 */

import {
  type ElementArray,
  type ElementType,
  type ElementValue,
  isElementType,
} from "../../internal/elements.ts";
import type { MemoryViews } from "../codec.ts";

/** The property under which a schema keeps what it describes. */
export const SCHEMA: unique symbol = Symbol.for("lamellar.schema");

/** The property under which a marked field of an AM keeps its schema: see `constants.ts`. */
export const STATIC: unique symbol = Symbol.for("lamellar.static");

/** Element types that arrays of a class of their own have. */
export type ArrayType = Exclude<ElementType, "u64" | "i64" | "bool">;

/**
 * A type that another layer adds to the vocabulary, written as a fixed number of bytes.
 *
 * @category Schemas
 */
export interface SchemaExtension<T> {
  /** Its name in the layout and in error messages, such as `"region<f64>"`. */
  readonly name: string;
  /** How many bytes a value takes, from 1 to 65536. */
  readonly fixedBytes: number;
  /** Tells whether a value is of this type; other values are refused with the name of the field. */
  match?(value: unknown): boolean;
  /** Writes a value at a byte address that is a multiple of 8. */
  write(value: T, views: MemoryViews, at: number): void;
  /**
   * A payload with the value goes to a PE. It is called once for each, just before the payload
   * leaves; it must not throw, and it cannot send anything.
   */
  sentTo?(value: T, pe: number, session: number): void;
  /** Reads a value; `context` is what the reader of the payload was given. */
  read(views: MemoryViews, at: number, context: unknown): T;
}

/** What a schema describes, as the code generator sees it. */
export type SchemaNode =
  | { readonly kind: "scalar"; readonly scalar: ElementType }
  | { readonly kind: "oneOf"; readonly names: readonly string[] }
  | { readonly kind: "str" }
  | { readonly kind: "typed"; readonly element: ArrayType }
  | { readonly kind: "array"; readonly item: SchemaNode }
  | { readonly kind: "optional"; readonly item: SchemaNode }
  | { readonly kind: "tuple"; readonly items: readonly SchemaNode[] }
  | { readonly kind: "object"; readonly fields: readonly SchemaField[] }
  | { readonly kind: "extension"; readonly extension: SchemaExtension<unknown> };

/** One field of an object. */
export interface SchemaField {
  /** The name of the property. */
  readonly name: string;
  /** What the property holds. */
  readonly node: SchemaNode;
}

/**
 * Describes values of type `T`.
 *
 * @category Schemas
 */
export interface Schema<T> {
  /**
   * What is described.
   *
   * @internal
   */
  readonly [SCHEMA]: SchemaNode;
  /** Only there for the type checker; no schema has it. */
  readonly __value?: () => T;
}

/**
 * Describes values of an element type. Regions also take it as the name of the type.
 *
 * @category Schemas
 */
export interface ElementSchema<E extends ElementType> extends Schema<ElementValue<E>> {
  /** The element type. */
  readonly elementType: E;
}

/**
 * Describes a value that may be `undefined`; as a field, it may be left out.
 *
 * @category Schemas
 */
export interface OptionalSchema<T> extends Schema<T | undefined> {
  /** Marks the field as one that may be left out. */
  readonly optional: true;
}

/**
 * The fields of an object and what each holds.
 *
 * @category Schemas
 */
export interface SchemaFields {
  /** What the property of this name holds. */
  readonly [field: string]: SchemaLike;
}

/**
 * Anything that describes a value: a schema, the name of an element type such as `"f64"`, or an
 * object whose properties are such descriptions.
 *
 * @category Schemas
 */
export type SchemaLike = Schema<unknown> | ElementType | SchemaFields;

/**
 * The names of the fields that may be left out.
 *
 * @category Schemas
 */
export type OptionalKeys<F> = {
  [K in keyof F]-?: F[K] extends OptionalSchema<unknown> ? K : never;
}[keyof F];

/**
 * The type of the objects that fields describe.
 *
 * @category Schemas
 */
export type InferObject<F> =
  & { -readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Infer<F[K]> }
  & { -readonly [K in OptionalKeys<F>]?: Infer<F[K]> } extends infer O ? { [K in keyof O]: O[K] }
  : never;

/**
 * The type of the values that a schema describes.
 *
 * @category Schemas
 */
export type Infer<S> = S extends ElementType ? ElementValue<S>
  : S extends Schema<infer T> ? T
  : S extends SchemaFields ? InferObject<S>
  : never;

/**
 * The types of a list of schemas, in order.
 *
 * @category Schemas
 */
export type InferTuple<S extends readonly SchemaLike[]> = {
  -readonly [K in keyof S]: Infer<S[K]>;
};

const DEPTH_MAX = 32;
const EXTENSION_BYTES_MAX = 65_536;

function schema<T>(node: SchemaNode): Schema<T> {
  return Object.freeze({ [SCHEMA]: Object.freeze(node) });
}

function scalar<E extends ElementType>(type: E): ElementSchema<E> {
  const node: SchemaNode = Object.freeze({ kind: "scalar", scalar: type });
  return Object.freeze({ [SCHEMA]: node, elementType: type });
}

function typed<E extends ArrayType>(element: E): Schema<ElementArray<E>> {
  return schema({ kind: "typed", element });
}

/**
 * An integer from 0 to 255.
 *
 * @category Schemas
 */
export const u8: ElementSchema<"u8"> = scalar("u8");
/**
 * An integer from -128 to 127.
 *
 * @category Schemas
 */
export const i8: ElementSchema<"i8"> = scalar("i8");
/**
 * An integer from 0 to 65535.
 *
 * @category Schemas
 */
export const u16: ElementSchema<"u16"> = scalar("u16");
/**
 * An integer from -32768 to 32767.
 *
 * @category Schemas
 */
export const i16: ElementSchema<"i16"> = scalar("i16");
/**
 * An integer from 0 to 4294967295.
 *
 * @category Schemas
 */
export const u32: ElementSchema<"u32"> = scalar("u32");
/**
 * An integer from -2147483648 to 2147483647.
 *
 * @category Schemas
 */
export const i32: ElementSchema<"i32"> = scalar("i32");
/**
 * A number rounded to 32-bit floating point.
 *
 * @category Schemas
 */
export const f32: ElementSchema<"f32"> = scalar("f32");
/**
 * Any number.
 *
 * @category Schemas
 */
export const f64: ElementSchema<"f64"> = scalar("f64");
/**
 * A 64-bit unsigned integer as a number. The number must be a safe integer, when written and when
 * read.
 *
 * @category Schemas
 */
export const u64: ElementSchema<"u64"> = scalar("u64");
/**
 * A 64-bit signed integer as a number. The number must be a safe integer, when written and when
 * read.
 *
 * @category Schemas
 */
export const i64: ElementSchema<"i64"> = scalar("i64");
/**
 * A 64-bit unsigned integer as a BigInt.
 *
 * @category Schemas
 */
export const bigu64: ElementSchema<"bigu64"> = scalar("bigu64");
/**
 * A 64-bit signed integer as a BigInt.
 *
 * @category Schemas
 */
export const bigi64: ElementSchema<"bigi64"> = scalar("bigi64");
/**
 * `true` or `false`.
 *
 * @category Schemas
 */
export const bool: ElementSchema<"bool"> = scalar("bool");
/**
 * A string; every JavaScript string arrives unchanged.
 *
 * @category Schemas
 */
export const str: Schema<string> = schema({ kind: "str" });

/**
 * A `Uint8Array`.
 *
 * @category Schemas
 */
export const u8Array: Schema<Uint8Array> = typed("u8");
/**
 * Bytes, as a `Uint8Array`; another name of {@linkcode u8Array}.
 *
 * @category Schemas
 */
export const bytes: Schema<Uint8Array> = u8Array;
/**
 * An `Int8Array`. A short one that was received may share its buffer with
 * others; `slice()` gives one of its own.
 *
 * @category Schemas
 */
export const i8Array: Schema<Int8Array> = typed("i8");
/**
 * A `Uint16Array`. A short one that was received may share its buffer with
 * others; `slice()` gives one of its own.
 *
 * @category Schemas
 */
export const u16Array: Schema<Uint16Array> = typed("u16");
/**
 * An `Int16Array`. A short one that was received may share its buffer with
 * others; `slice()` gives one of its own.
 *
 * @category Schemas
 */
export const i16Array: Schema<Int16Array> = typed("i16");
/**
 * A `Uint32Array`. A short one that was received may share its buffer with
 * others; `slice()` gives one of its own.
 *
 * @category Schemas
 */
export const u32Array: Schema<Uint32Array> = typed("u32");
/**
 * An `Int32Array`. A short one that was received may share its buffer with
 * others; `slice()` gives one of its own.
 *
 * @category Schemas
 */
export const i32Array: Schema<Int32Array> = typed("i32");
/**
 * A `Float32Array`. A short one that was received may share its buffer with
 * others; `slice()` gives one of its own.
 *
 * @category Schemas
 */
export const f32Array: Schema<Float32Array> = typed("f32");
/**
 * A `Float64Array`. A short one that was received may share its buffer with
 * others; `slice()` gives one of its own.
 *
 * @category Schemas
 */
export const f64Array: Schema<Float64Array> = typed("f64");
/**
 * A `BigUint64Array`. A short one that was received may share its buffer with
 * others; `slice()` gives one of its own.
 *
 * @category Schemas
 */
export const bigu64Array: Schema<BigUint64Array> = typed("bigu64");
/**
 * A `BigInt64Array`. A short one that was received may share its buffer with
 * others; `slice()` gives one of its own.
 *
 * @category Schemas
 */
export const bigi64Array: Schema<BigInt64Array> = typed("bigi64");

/**
 * An array of any length.
 *
 * @category Schemas
 * @param item What each element is.
 * @returns The schema.
 */
export function array<const S extends SchemaLike>(item: S): Schema<Infer<S>[]> {
  return schema({ kind: "array", item: schemaNode(item) });
}

/**
 * A value that may be `undefined`; as a field of an object it may be left out.
 *
 * @category Schemas
 * @param item What the value is when it is there.
 * @returns The schema.
 */
export function optional<const S extends SchemaLike>(item: S): OptionalSchema<Infer<S>> {
  const node: SchemaNode = Object.freeze({ kind: "optional", item: schemaNode(item) });
  return Object.freeze({ [SCHEMA]: node, optional: true });
}

/**
 * An array of a fixed length, in which each element has its own type.
 *
 * @category Schemas
 * @param items What each element is.
 * @returns The schema.
 */
export function tuple<const S extends readonly SchemaLike[]>(...items: S): Schema<InferTuple<S>> {
  return schema({ kind: "tuple", items: items.map((item) => schemaNode(item)) });
}

/**
 * One of a list of strings, sent as a number.
 *
 * @category Schemas
 * @param names The strings that are allowed, at most 65536 different ones.
 * @returns The schema.
 * @throws {TypeError} If there are none, or one is not a string.
 * @throws {RangeError} If one occurs twice, or there are too many.
 */
export function oneOf<const S extends readonly string[]>(...names: S): Schema<S[number]> {
  if (names.length === 0 || !names.every((name) => typeof name === "string")) {
    throw new TypeError(
      "Cannot make a oneOf schema: it needs at least one string, and only strings",
    );
  }
  if (names.length > 65_536 || new Set(names).size !== names.length) {
    throw new RangeError("Cannot make a oneOf schema: it takes at most 65536 different strings");
  }
  return schema({ kind: "oneOf", names: Object.freeze([...names]) });
}

/**
 * A type of another layer, such as a handle of a region.
 *
 * @category Schemas
 * @param extension How its values are written and read.
 * @returns The schema.
 * @throws {RangeError} If `fixedBytes` is not an integer from 1 to 65536.
 */
export function extension<T>(extension: SchemaExtension<T>): Schema<T> {
  const { fixedBytes, name } = extension;
  if (!(Number.isInteger(fixedBytes) && fixedBytes >= 1 && fixedBytes <= EXTENSION_BYTES_MAX)) {
    throw new RangeError(
      `Cannot make schema extension ${name}: fixedBytes must be an integer from 1 to ` +
        `${EXTENSION_BYTES_MAX}, got ${fixedBytes}`,
    );
  }
  return schema({ kind: "extension", extension: extension as SchemaExtension<unknown> });
}

/**
 * Turns a description of a value into one node.
 *
 * @param like A schema or an object of such.
 * @returns What it describes.
 * @throws {TypeError} If a part of it is not a schema; the error names the field.
 */
export function schemaNode(like: SchemaLike): SchemaNode {
  return nodeAt(like, "", 0);
}

function nodeAt(like: unknown, path: string, depth: number): SchemaNode {
  if (isElementType(like)) return Object.freeze({ kind: "scalar", scalar: like });
  if (typeof like !== "object" || like === null || Array.isArray(like)) {
    throw new TypeError(`Cannot use ${where(path)} as a schema: it is ${kindOf(like)}`);
  }
  if (STATIC in like) {
    throw new TypeError(
      `Cannot use ${where(path)} as a schema: staticField marks fields of the payload of an AM`,
    );
  }
  if (SCHEMA in like) return (like as Schema<unknown>)[SCHEMA];
  if (depth >= DEPTH_MAX) {
    throw new RangeError(`Cannot use ${where(path)} as a schema: it is nested too deeply`);
  }
  const fields = Object.entries(like).map(([name, field]) => {
    const here = path === "" ? name : `${path}.${name}`;
    if (name === "__proto__") {
      throw new TypeError(`Cannot use ${where(here)} in a schema: the name is reserved`);
    }
    return Object.freeze({ name, node: nodeAt(field, here, depth + 1) });
  });
  return Object.freeze({ kind: "object", fields: Object.freeze(fields) });
}

function where(path: string): string {
  return path === "" ? "the value" : `field "${path}"`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return `${JSON.stringify(value)}, which is not an element type`;
  return Array.isArray(value) ? "an array" : typeof value;
}

/**
 * Tells a schema from an object of fields and from anything else.
 *
 * @category Schemas
 * @param value Any value.
 * @returns Whether one of the functions of this module made it.
 */
export function isSchema(value: unknown): value is Schema<unknown> {
  return typeof value === "object" && value !== null && SCHEMA in value;
}
