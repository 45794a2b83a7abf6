/**
 * The extension types of our MessagePack dialect: what JavaScript has and MessagePack has not.
 * Types 0 to 31 are ours; other layers register theirs from 32 up with {@linkcode
 * registerExtension}.
 *
 * Typed arrays travel as their bytes, in the byte order of the machine, which the layout text
 * names.
 *
 * @module
 */

import { ELEMENTS, type TypedArrayClass } from "../../internal/elements.ts";
import { ProtocolError } from "../../internal/errors.ts";
import type { FoundHandle } from "../codec.ts";
import { readText, textBytes, writeText } from "../text.ts";

/** Extension type of each value that is not a typed array. */
export const TYPE = {
  arrayBuffer: 16,
  undefined: 17,
  negativeZero: 18,
  bigint: 19,
  map: 20,
  set: 21,
  error: 22,
  text: 23,
} as const;

/** Extension type of a `Date`, as the MessagePack specification has it. */
export const TYPE_TIMESTAMP: number = -1;

/**
 * Constructors of typed arrays: the index of each is its extension type. Those of the element types
 * come first, and then those that no element type has.
 */
export const TYPED_ARRAYS: readonly (TypedArrayClass<number> | TypedArrayClass<bigint>)[] = [
  ...new Set(ELEMENTS.map(({ arrayClass }) => arrayClass)),
  Uint8ClampedArray,
  Float16Array,
];

/** A kind of object that another layer sends as bytes of its own. */
export interface MsgpackExtension {
  /** Its number on the wire, from 32 to 127, the same on all PEs. */
  readonly type: number;
  /**
   * Says whether a value is of this kind. It is asked about functions and about objects that have a
   * class of their own, never about plain objects, arrays or what the dialect has a type for.
   */
  match(value: unknown): boolean;
  /**
   * Encodes a value that matched; the bytes are copied at once. What encodes other values in turn
   * hands on `found`, which gets their handles.
   */
  encode(value: unknown, found: FoundHandle[]): Uint8Array;
  /**
   * A payload with the value goes to a PE. It is called once for each, just before the payload
   * leaves; it must not throw, and it cannot send anything.
   */
  sentTo?(value: unknown, pe: number, session: number): void;
  /**
   * Decodes what `encode` gave. The bytes are a private copy; `context` is what the reader of the
   * payload was given. What it throws for bytes that are wrong should be a `ProtocolError`;
   * anything else is wrapped in one.
   */
  decode(bytes: Uint8Array<ArrayBuffer>, context: unknown): unknown;
}

const extensions: MsgpackExtension[] = [];

/**
 * Adds a kind of object to what MessagePack payloads can carry.
 *
 * @param extension How its values are recognised, encoded and decoded.
 * @throws {RangeError} If the type is not from 32 to 127.
 * @throws {TypeError} If the type is taken.
 */
export function registerExtension(extension: MsgpackExtension): void {
  const { type } = extension;
  if (!(Number.isInteger(type) && type >= 32 && type <= 127)) {
    throw new RangeError(
      `Cannot register extension type ${type}: it must be an integer from 32 to 127`,
    );
  }
  if (extensionOfType(type) !== undefined) {
    throw new TypeError(`Cannot register extension type ${type}: it is taken`);
  }
  extensions.push(extension);
}

/**
 * Finds the extension that recognises a value.
 *
 * @param value A function or an object with a class of its own.
 * @returns The first registered extension that matches, if one does.
 */
export function extensionOf(value: unknown): MsgpackExtension | undefined {
  return extensions.find((extension) => extension.match(value));
}

/**
 * Finds the extension with a number.
 *
 * @param type The number on the wire.
 * @returns The extension, if one is registered.
 */
export function extensionOfType(type: number): MsgpackExtension | undefined {
  return extensions.find((extension) => extension.type === type);
}

/**
 * Finds the extension type of a typed array.
 *
 * @param value A view of a buffer.
 * @returns Its type, or -1 for a `DataView`.
 */
export function typedArrayType(value: ArrayBufferView): number {
  // A subclass, such as Buffer of node:buffer, goes as the class that it extends.
  return TYPED_ARRAYS.findIndex((constructor) => value instanceof constructor);
}

/**
 * Makes a typed array of its bytes.
 *
 * @param type The extension type, an index of {@linkcode TYPED_ARRAYS}.
 * @param bytes The bytes, which are copied.
 * @returns The typed array.
 * @throws {ProtocolError} If the bytes are not a whole number of elements.
 */
export function decodeTypedArray(type: number, bytes: Uint8Array): ArrayBufferView<ArrayBuffer> {
  const constructor = TYPED_ARRAYS[type]!;
  const length = bytes.length / constructor.BYTES_PER_ELEMENT;
  if (!Number.isInteger(length)) {
    throw new ProtocolError(
      `Cannot decode MessagePack: ${bytes.length} bytes are not a whole ${constructor.name}`,
    );
  }
  return new constructor(new Uint8Array(bytes).buffer, 0, length) as ArrayBufferView<ArrayBuffer>;
}

const SIGN_NEGATIVE = 1;

/**
 * Encodes a BigInt of any size: 8 bytes where it fits a signed 64-bit integer, else a byte for the
 * sign and the magnitude in hexadecimal digits.
 *
 * @param value The BigInt.
 * @returns Its bytes.
 */
export function encodeBigint(value: bigint): Uint8Array {
  if (BigInt.asIntN(64, value) === value) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, value);
    return bytes;
  }
  const digits = (value < 0n ? -value : value).toString(16);
  const bytes = new Uint8Array(1 + digits.length);
  bytes[0] = value < 0n ? SIGN_NEGATIVE : 0;
  writeText(digits, bytes, 1, bytes.length);
  return bytes;
}

/**
 * Decodes a BigInt.
 *
 * @param bytes What {@linkcode encodeBigint} gave.
 * @returns The BigInt.
 * @throws {ProtocolError} If the bytes are something else.
 */
export function decodeBigint(bytes: Uint8Array): bigint {
  if (bytes.length === 8) {
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0);
  }
  const sign = bytes[0];
  const digits = bytes.length > 8 ? readText(bytes, 1, bytes.length - 1) : "";
  if (sign === undefined || sign > SIGN_NEGATIVE || !/^[1-9a-f][0-9a-f]*$/.test(digits)) {
    throw new ProtocolError(`Cannot decode MessagePack: ${bytes.length} bytes are not a BigInt`);
  }
  const magnitude = BigInt(`0x${digits}`);
  return sign === SIGN_NEGATIVE ? -magnitude : magnitude;
}

/**
 * Encodes a string that MessagePack's UTF-8 would change.
 *
 * @param text The string.
 * @returns Its bytes.
 */
export function encodeText(text: string): Uint8Array {
  const bytes = new Uint8Array(textBytes(text));
  writeText(text, bytes, 0, bytes.length);
  return bytes;
}

/**
 * Takes apart an error that is to be sent.
 *
 * @param error Any error.
 * @returns Name, message and stack, the cause where it is an error or a string, and the errors of
 * an `AggregateError`; other causes, and all further properties, stay behind.
 */
export function errorParts(error: Error): unknown[] {
  const { cause, message, name, stack } = error;
  const parts: unknown[] = [`${name}`, `${message}`, typeof stack === "string" ? stack : ""];
  const hasCause = cause instanceof Error || typeof cause === "string";
  if (error instanceof AggregateError) parts.push(hasCause ? cause : undefined, [...error.errors]);
  else if (hasCause) parts.push(cause);
  return parts;
}

const ERRORS: Readonly<Record<string, ErrorConstructor>> = Object.assign(Object.create(null), {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
});

/**
 * Makes an error of its parts.
 *
 * @param parts What {@linkcode errorParts} gave.
 * @returns An error of the built-in class of that name, or else an `Error` with that name.
 * @throws {ProtocolError} If the parts are something else.
 */
export function makeError(parts: unknown): Error {
  if (!Array.isArray(parts) || parts.length < 3 || parts.length > 5) throw badError();
  const [name, message, stack, cause, errors] = parts;
  if (typeof name !== "string" || typeof message !== "string" || typeof stack !== "string") {
    throw badError();
  }
  if (parts.length > 4 && !Array.isArray(errors)) throw badError();
  const options = cause === undefined ? {} : { cause };
  const error = parts.length > 4
    ? new AggregateError(errors, message, options)
    : new (ERRORS[name] ?? Error)(message, options);
  const hidden = { configurable: true, enumerable: false, writable: true };
  if (error.name !== name) Object.defineProperty(error, "name", { ...hidden, value: name });
  Object.defineProperty(error, "stack", { ...hidden, value: stack });
  return error;
}

function badError(): ProtocolError {
  return new ProtocolError("Cannot decode MessagePack: an error lacks some of its parts");
}
