/**
 * Goes over a value before MessagePack encodes it: finds what cannot be sent and names the place,
 * and replaces what MessagePack has no type for, or would change, by extension values.
 *
 * Objects and arrays are copied. A getter or a Proxy may give another value at a second look, which
 * nobody would have checked: the target would be sent what no decoder takes.
 *
 * @module
 */

import { unchecked } from "../../internal/checked_slice.ts";
import { isGone } from "../../internal/typed_arrays.ts";
import { type FoundHandle, payloadChanged } from "../codec.ts";
import {
  encodeBigint,
  encodeText,
  errorParts,
  extensionOf,
  TYPE,
  TYPE_TIMESTAMP,
  typedArrayType,
} from "./types.ts";

/** Deepest nesting of objects, arrays, maps, sets and causes that can be sent. */
export const DEPTH_MAX = 256;

/** Longest array that can be sent; the process would end if V8 had to copy much longer ones. */
const ARRAY_LENGTH_MAX = 2 ** 26;

// The library decodes strings over 200 bytes by a TextDecoder, which swallows a byte-order mark,
// and encodes strings over 50 units by a TextEncoder, which replaces lone surrogates.
const TEXT_LENGTH_MIN = 50;

/** What the preparation needs of the library, which is loaded later than this module. */
export interface PrepareTools {
  /** Makes an extension value. */
  ext(type: number, data: Uint8Array): object;
  /** Encodes a prepared list into bytes of its own. */
  encodeList(list: readonly unknown[]): Uint8Array;
  /** Encodes a valid date as the timestamp extension has it. */
  encodeDate(date: Date): Uint8Array;
}

/** Where `errorParts` has the errors of an `AggregateError`. */
const ERRORS_PART = 4;

/** Between two values: a kept list of one value would keep its handles alive. */
const NOT_PREPARING: FoundHandle[] = [];

type Step = string | number | { readonly key: unknown };

/** Prepares one value at a time. */
export class Preparer {
  readonly #tools: PrepareTools;
  readonly #root: string;
  readonly #undefined: object;
  readonly #negativeZero: object;
  readonly #steps: Step[] = [];
  readonly #ancestors: object[] = [];
  /** The bytes of typed arrays, which are not copied, and how many there were. */
  readonly #views: { readonly view: Uint8Array; readonly bytes: number }[] = [];
  #found = NOT_PREPARING;

  /**
   * Makes a preparer, which can be used again and again.
   *
   * @param tools What is needed of the library.
   * @param root What error messages call the whole value.
   */
  constructor(tools: PrepareTools, root: string) {
    this.#tools = tools;
    this.#root = root;
    this.#undefined = tools.ext(TYPE.undefined, new Uint8Array(0));
    this.#negativeZero = tools.ext(TYPE.negativeZero, new Uint8Array(0));
  }

  /**
   * Prepares a value.
   *
   * @param value Anything.
   * @param found Gets the handles in the value that want to be told where it goes.
   * @returns A copy with replacements, for the library's encoder.
   * @throws {TypeError} If a part cannot be sent, with its path.
   * @throws {RangeError} If it is nested too deeply.
   */
  prepare(value: unknown, found: FoundHandle[]): unknown {
    this.#found = found;
    try {
      const prepared = this.#any(value, 0);
      if (this.#views.length > 0) this.#checkViews();
      return prepared;
    } finally {
      this.#ancestors.length = 0;
      this.#views.length = 0;
      this.#found = NOT_PREPARING;
    }
  }

  #any(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case "number":
        return value === 0 && Object.is(value, -0) ? this.#negativeZero : value;
      case "string":
        return value.length >= TEXT_LENGTH_MIN && isFragile(value)
          ? this.#tools.ext(TYPE.text, encodeText(value))
          : value;
      case "boolean":
        return value;
      case "undefined":
        return this.#undefined;
      case "bigint":
        return this.#tools.ext(TYPE.bigint, encodeBigint(value));
      case "object":
        return value === null ? null : this.#object(value, depth);
      case "function":
        return this.#extension(value) ?? this.#refuse("a function", depth);
      default:
        return this.#refuse("a symbol", depth);
    }
  }

  #object(value: object, depth: number): unknown {
    this.#ancestors[depth] = value;
    if (depth >= DEPTH_MAX) throw this.#tooDeep(depth);
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Array.prototype && Array.isArray(value)) return this.#array(value, depth);
    if (prototype === Object.prototype || prototype === null) {
      return this.#plain(value as Record<string, unknown>, depth);
    }
    return this.#builtIn(value, depth) ?? this.#extension(value) ??
      this.#refuse(`an instance of ${className(value)}`, depth);
  }

  #array(value: readonly unknown[], depth: number): readonly unknown[] {
    if (value.length > ARRAY_LENGTH_MAX) {
      this.#refuse(`an array of more than ${ARRAY_LENGTH_MAX} elements`, depth);
    }
    const copy = [...value];
    for (let i = 0; i < copy.length; i++) {
      const item = copy[i];
      this.#steps[depth] = i;
      const done = this.#any(item, depth + 1);
      if (done !== item) copy[i] = done;
    }
    return copy;
  }

  #plain(value: Record<string, unknown>, depth: number): Record<string, unknown> {
    const copy = { ...value };
    for (const key of Object.keys(copy)) {
      this.#steps[depth] = key;
      if (key === "__proto__" || key.length >= TEXT_LENGTH_MIN && isFragile(key)) {
        this.#refuse("a property of this name", depth + 1);
      }
      const item = copy[key];
      const done = this.#any(item, depth + 1);
      if (done !== item) copy[key] = done;
    }
    return copy;
  }

  #builtIn(given: object, depth: number): unknown {
    const value = unchecked(given);
    const { ext, encodeDate } = this.#tools;
    if (ArrayBuffer.isView(value)) {
      const type = typedArrayType(value);
      if (type < 0) return undefined;
      if (value.byteLength === 0 && isGone(value)) return this.#refuseGone(className(value), depth);
      return ext(type, this.#viewOf(value.buffer, value.byteOffset, value.byteLength));
    }
    if (value instanceof ArrayBuffer) {
      if (value.detached) return this.#refuseGone("ArrayBuffer", depth);
      return ext(TYPE.arrayBuffer, this.#viewOf(value, 0, value.byteLength));
    }
    if (value instanceof Map) return this.#list(TYPE.map, [...value].flat(), value, depth);
    if (value instanceof Set) return this.#list(TYPE.set, [...value], value, depth);
    if (value instanceof Error) return this.#list(TYPE.error, errorParts(value), value, depth);
    if (value instanceof Date) {
      return ext(TYPE_TIMESTAMP, Number.isNaN(value.getTime()) ? INVALID_DATE : encodeDate(value));
    }
    return undefined;
  }

  #list(type: number, items: unknown[], of: object, depth: number): object {
    for (let i = 0; i < items.length; i++) {
      if (of instanceof Map) this.#steps[depth] = { key: items[i - i % 2] };
      else if (of instanceof Set) this.#steps[depth] = i;
      else this.#steps[depth] = i === ERRORS_PART ? "errors" : "cause";
      items[i] = this.#any(items[i], depth + 1);
    }
    return this.#tools.ext(type, this.#tools.encodeList(items));
  }

  #extension(value: unknown): object | undefined {
    const extension = extensionOf(value);
    if (extension === undefined) return undefined;
    if (extension.sentTo) {
      this.#found.push({ handle: value, kind: extension as FoundHandle["kind"] });
    }
    // The bytes may be in a buffer that the next encoding uses again.
    return this.#tools.ext(extension.type, extension.encode(value, this.#found).slice());
  }

  #checkViews(): void {
    if (this.#views.some(({ view, bytes }) => view.length !== bytes)) throw payloadChanged();
  }

  #viewOf(buffer: ArrayBufferLike, byteOffset: number, byteLength: number): Uint8Array {
    const view = new Uint8Array(buffer, byteOffset, byteLength);
    this.#views.push({ view, bytes: byteLength });
    return view;
  }

  #refuseGone(name: string, depth: number): never {
    return this.#refuse(`the ${name} whose buffer was transferred or shrunk`, depth);
  }

  #refuse(what: string, depth: number): never {
    throw new TypeError(`Cannot send ${what} at ${this.#path(depth)}`);
  }

  #tooDeep(depth: number): Error {
    const seen = new Map<object, number>();
    for (let i = 0; i <= depth; i++) {
      const before = seen.get(this.#ancestors[i]!);
      if (before !== undefined) {
        return new TypeError(
          `Cannot send a cyclic structure: ${this.#path(i)} is ${this.#path(before)} again`,
        );
      }
      seen.set(this.#ancestors[i]!, i);
    }
    return new RangeError(
      `Cannot send a value nested more than ${DEPTH_MAX} levels deep at ${this.#path(3)}`,
    );
  }

  #path(depth: number): string {
    const path = this.#steps.slice(0, depth).map((step) => {
      if (typeof step === "number") return `[${step}]`;
      if (typeof step !== "string") return `.get(${keyText(step.key)})`;
      return /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
    });
    return `"${this.#root}${path.join("")}"`;
  }
}

// A timestamp far beyond what a Date can hold: decoders make an invalid Date of it.
const INVALID_DATE = new Uint8Array([0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]);

function isFragile(text: string): boolean {
  return text.charCodeAt(0) === 0xfeff || !text.isWellFormed();
}

function className(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && name !== "" ? name : "a class without a name";
}

function keyText(key: unknown): string {
  if (typeof key === "string") return JSON.stringify(key);
  return typeof key === "object" || typeof key === "function" ? "…" : String(key);
}
