/**
 * The payload codec for active messages without a schema: MessagePack, extended by what JavaScript
 * has beyond it. It carries `undefined`, `null`, booleans, numbers (-0 and NaN too), BigInts, every
 * string, plain objects, arrays, typed arrays of all kinds, `ArrayBuffer`, `Date`, `Map`, `Set` and
 * errors (name, message, stack, a cause that is an error or a string, and the errors of an
 * `AggregateError`), and what other layers register. A hole in an array arrives as `undefined`;
 * functions, symbols, instances of classes, cyclic structures and properties named `__proto__` are
 * refused with the path to them.
 *
 * The library is loaded at its first use, since its import takes 20 to 30 ms in a Worker.
 *
 * @module
 */

import type * as Msgpack from "npm:@msgpack/msgpack@3.1.3";
import { ProtocolError } from "../../internal/errors.ts";
import { NpmLibrary } from "../../internal/npm_library.ts";
import { EncodedCodec, type FoundHandle } from "../codec.ts";
import { DEPTH_MAX, Preparer, type PrepareTools } from "./prepare.ts";
import { scanMessage } from "./scan.ts";
import {
  decodeBigint,
  decodeTypedArray,
  extensionOfType,
  makeError,
  TYPE,
  TYPE_TIMESTAMP,
  TYPED_ARRAYS,
} from "./types.ts";
import { readText } from "../text.ts";

export { type MsgpackExtension, registerExtension } from "./types.ts";

type Library = typeof Msgpack;

// An encoder keeps its buffer: past this size it is given up after use.
const KEPT_BUFFER_BYTES_MAX = 1 << 20;
const SCAN = { binary: false, extensions: true };
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

const library = new NpmLibrary<Library>(
  "payloads, captures and results without a schema need",
  "npm:@msgpack/msgpack@3.1.3",
  "../dist.umd/msgpack.min.js",
  () => import("npm:@msgpack/msgpack@3.1.3"),
);

/** Makes sure that values can be encoded, whatever the permissions, if the package can be had. */
export async function prepareMsgpack(): Promise<void> {
  await library.prepare();
}

interface Engine {
  readonly library: Library;
  encoder: Msgpack.Encoder;
  readonly decoder: Msgpack.Decoder;
  readonly tools: PrepareTools;
  readonly preparer: Preparer;
}

/** Encodes any value that can be sent, without a schema. */
export class MsgpackCodec extends EncodedCodec<unknown> {
  /** The dialect, its version, and the byte order of typed arrays. */
  override readonly layout: string = `msgpack 2 ${LITTLE_ENDIAN ? "le" : "be"}`;
  readonly #root: string;
  #engine: Engine | undefined;
  #preparing = false;
  #context: unknown;
  #depth = 0;

  /**
   * Makes a codec with buffers of its own, which the first use sets up.
   *
   * @param root What error messages call the whole value, such as `"self"` or `"result"`.
   */
  constructor(root = "self") {
    super();
    this.#root = root;
  }

  /**
   * Encodes a value.
   *
   * @param value The value.
   * @param found Gets the handles in the value that want to be told where it goes.
   * @returns Its bytes, in a buffer that the next call uses again.
   * @throws {TypeError} If a part cannot be sent, with its path.
   * @throws {RangeError} If it is nested too deeply or too large.
   */
  override encode(value: unknown, found: FoundHandle[] = []): Uint8Array {
    const engine = this.#engine ??= this.#start();
    const prepared = this.#prepare(engine, value, found);
    let bytes: Uint8Array;
    try {
      bytes = engine.encoder.encodeSharedRef(prepared);
    } catch (cause) {
      throw new RangeError(`Cannot send "${this.#root}": ${messageOf(cause)}`, { cause });
    }
    if (bytes.buffer.byteLength > KEPT_BUFFER_BYTES_MAX) {
      engine.encoder = this.#newEncoder(engine.library);
    }
    return bytes;
  }

  // An extension may encode values of its own while a value is being prepared.
  #prepare(engine: Engine, value: unknown, found: FoundHandle[]): unknown {
    if (this.#preparing) return new Preparer(engine.tools, this.#root).prepare(value, found);
    this.#preparing = true;
    try {
      return engine.preparer.prepare(value, found);
    } finally {
      this.#preparing = false;
    }
  }

  /**
   * Decodes one value from bytes that may be in shared memory.
   *
   * @param bytes The bytes of the value.
   * @param context Handed to registered extensions.
   * @returns The value, which shares no memory with the bytes.
   * @throws {ProtocolError} If the bytes are not what {@linkcode MsgpackCodec.encode} gives.
   */
  override decode(bytes: Uint8Array, context?: unknown): unknown {
    const engine = this.#engine ??= this.#start();
    const outer = this.#context;
    this.#context = context;
    try {
      scanMessage(bytes, SCAN);
      return engine.decoder.decode(bytes);
    } catch (cause) {
      if (cause instanceof ProtocolError) throw cause;
      throw new ProtocolError(`Cannot decode MessagePack: ${messageOf(cause)}`, { cause });
    } finally {
      this.#context = outer;
    }
  }

  #start(): Engine {
    const lib = library.get();
    const tools: PrepareTools = {
      ext: (type, data) => new lib.ExtData(type, data as Uint8Array<ArrayBuffer>),
      encodeList: (list) => this.#engine!.encoder.encode(list),
      encodeDate: (date) => lib.encodeTimestampExtension(date)!,
    };
    return {
      library: lib,
      encoder: this.#newEncoder(lib),
      decoder: new lib.Decoder({
        extensionCodec: {
          tryToEncode: () => null,
          decode: (data, type) => this.#extension(lib, data, type),
        },
      }),
      tools,
      preparer: new Preparer(tools, this.#root),
    };
  }

  #newEncoder(lib: Library): Msgpack.Encoder {
    const { ExtData } = lib;
    return new lib.Encoder({
      maxDepth: DEPTH_MAX + 2,
      extensionCodec: {
        tryToEncode: (value) => value instanceof ExtData ? value : null,
        decode: () => undefined,
      },
    });
  }

  #extension(lib: Library, data: Uint8Array, type: number): unknown {
    if (type >= 0 && type < TYPED_ARRAYS.length) return decodeTypedArray(type, data);
    switch (type) {
      case TYPE_TIMESTAMP:
        return lib.decodeTimestampExtension(data);
      case TYPE.arrayBuffer:
        return new Uint8Array(data).buffer;
      case TYPE.undefined:
        return undefined;
      case TYPE.negativeZero:
        return -0;
      case TYPE.bigint:
        return decodeBigint(data);
      case TYPE.text:
        return readText(data, 0, data.length);
      case TYPE.map:
        return mapOf(this.#list(data));
      case TYPE.set:
        return new Set(this.#list(data));
      case TYPE.error:
        return makeError(this.#list(data));
    }
    const extension = extensionOfType(type);
    if (extension === undefined) {
      throw new ProtocolError(
        `Cannot decode MessagePack: no extension of type ${type} is registered on this PE`,
      );
    }
    return extension.decode(new Uint8Array(data), this.#context);
  }

  #list(data: Uint8Array): unknown[] {
    if (this.#depth >= DEPTH_MAX) {
      throw new ProtocolError(
        `Cannot decode MessagePack: nested more than ${DEPTH_MAX} levels deep`,
      );
    }
    this.#depth += 1;
    try {
      scanMessage(data, SCAN);
      // A decoder that is at work decodes this by a copy of itself.
      const list = this.#engine!.decoder.decode(data);
      if (Array.isArray(list)) return list;
    } finally {
      this.#depth -= 1;
    }
    throw new ProtocolError("Cannot decode MessagePack: a map, set or error does not hold a list");
  }
}

function mapOf(list: readonly unknown[]): Map<unknown, unknown> {
  if (list.length % 2 !== 0) {
    throw new ProtocolError("Cannot decode MessagePack: a map has a key without a value");
  }
  const map = new Map<unknown, unknown>();
  for (let i = 0; i < list.length; i += 2) map.set(list[i], list[i + 1]);
  return map;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
