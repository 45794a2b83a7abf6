/**
 * A payload codec over `@std/msgpack`, for programs that already speak it or want no npm package.
 *
 * It carries less than the codec used by default: `null`, booleans, numbers (-0 arrives as 0),
 * BigInts that fit 64 bits, strings that are well-formed (a lone surrogate arrives as U+FFFD, a
 * leading byte-order mark may get lost), `Uint8Array`, arrays and plain objects. It carries no
 * `undefined`, no other typed arrays, no `ArrayBuffer`, `Date`, `Map`, `Set` or error, and none of
 * the runtime's own handles (regions, Darcs, teams, closures), since `@std/msgpack` has no
 * extension types: such values are refused with a `TypeError`.
 *
 * @module
 */

import { decode, encode, type ValueMap, type ValueType } from "jsr:@std/msgpack@^1";
import { ProtocolError } from "../../internal/errors.ts";
import { EncodedCodec } from "../codec.ts";
import { scanMessage } from "./scan.ts";

export { EncodedCodec };
export type { ValueMap, ValueType };

/**
 * Encodes what `@std/msgpack` can carry, without a schema.
 *
 * @category Schemas
 */
export class StdMsgpackCodec extends EncodedCodec<ValueType> {
  /** The library that fixes the bytes, and its major version. */
  override readonly layout: string = "msgpack std 1";

  /**
   * Encodes a value.
   *
   * @param value The value.
   * @returns Its bytes.
   * @throws {TypeError} If `@std/msgpack` cannot carry it.
   */
  override encode(value: ValueType): Uint8Array {
    try {
      return encode(value);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TypeError(`Cannot send a value by @std/msgpack: ${reason}`, { cause });
    }
  }

  /**
   * Decodes one value.
   *
   * @param bytes Its bytes, which may be in shared memory.
   * @returns The value, which shares no memory with the bytes.
   * @throws {ProtocolError} If the bytes are not such a value.
   */
  override decode(bytes: Uint8Array): ValueType {
    scanMessage(bytes, { binary: true, extensions: false });
    try {
      // Binary values are views of what is decoded, and must not become views of a ring.
      return decode(new Uint8Array(bytes));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ProtocolError(`Cannot decode MessagePack: ${reason}`, { cause });
    }
  }
}
