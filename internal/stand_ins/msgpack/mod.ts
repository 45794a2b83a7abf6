/**
 * A thin stand-in for `jsr:@std/msgpack` over `npm:@msgpack/msgpack`, linked by deno.json where JSR
 * cannot be reached. As in the package it stands for, extension types are refused when decoding.
 *
 * @module
 */

import { decode as decodeAny, encode as encodeAny, ExtData } from "npm:@msgpack/msgpack@3.1.3";

/**
 * What can be written as MessagePack.
 *
 * @category Memory regions
 */
export type ValueType =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | readonly ValueType[]
  | ValueMap;

/**
 * A map from text to values.
 *
 * @category Memory regions
 */
export interface ValueMap {
  /** What stands under a name. */
  [index: string]: ValueType;
}

/**
 * Encodes a value as MessagePack.
 *
 * @param value What to encode
 * @returns The bytes
 * @throws {Error} If something in `value` has no MessagePack form
 */
export function encode(value: ValueType): Uint8Array<ArrayBuffer> {
  refuseForeign(value);
  return Uint8Array.from(encodeAny(value, { useBigInt64: true }));
}

/**
 * Decodes one MessagePack value.
 *
 * @param data The bytes of exactly one value
 * @returns The value
 * @throws {Error} If `data` is not one whole value, or holds an extension type
 */
export function decode(data: Uint8Array): ValueType {
  const value = decodeAny(data, { useBigInt64: true });
  return narrow(value);
}

function refuseForeign(value: unknown): void {
  if (value === undefined || typeof value === "function" || typeof value === "symbol") {
    throw new Error(`Cannot encode a value of type ${typeof value}`);
  }
  if (Array.isArray(value)) {
    for (const item of value) refuseForeign(item);
  } else if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) {
      throw new Error(`Cannot encode an object of class ${value.constructor.name}`);
    }
    for (const item of Object.values(value)) refuseForeign(item);
  }
}

function narrow(value: unknown): ValueType {
  if (value instanceof ExtData) throw new Error("Cannot decode an extension type");
  if (Array.isArray(value)) return value.map(narrow);
  if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    const map: ValueMap = {};
    for (const [key, item] of Object.entries(value)) map[key] = narrow(item);
    return map;
  }
  return value as ValueType;
}
