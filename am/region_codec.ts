/**
 * How regions travel in active messages: as fields of a schema, and inside any MessagePack payload,
 * closure captures included.
 *
 * @module
 */

import {
  type ElementType,
  type ElementTypeLike,
  encodeOneSided,
  encodeShared,
  ONE_SIDED_NUMBERS,
  OneSidedMemoryRegion,
  type RegionSpace,
  SHARED_NUMBERS,
  SharedMemoryRegion,
} from "../memregion/mod.ts";
import { elementInfo } from "../internal/elements.ts";
import { ProtocolError } from "../internal/errors.ts";
import { registerExtension } from "./msgpack/msgpack_codec.ts";
import { extension, type Schema } from "./schema/schema.ts";

/** Extension types in MessagePack. */
const TYPE_SHARED = 34;
const TYPE_ONE_SIDED = 35;

const NUMBER_BYTES = 8;

/** What the decoder of a region has to know of its world. */
export interface RegionContext {
  /** The regions of the PE that decodes. */
  readonly regions: RegionSpace;
}

/** One kind of region: how it is recognised and turned to numbers and back. */
interface RegionKind<R> {
  readonly name: string;
  readonly numbers: number;
  match(value: unknown): value is R;
  encode(region: R): number[];
  decode(regions: RegionSpace, numbers: ArrayLike<number>): R;
}

const SHARED: RegionKind<SharedMemoryRegion<ElementType>> = {
  name: "region",
  numbers: SHARED_NUMBERS,
  match: (value) => value instanceof SharedMemoryRegion,
  encode: encodeShared,
  decode: (regions, numbers) => regions.decodeShared(numbers),
};

const ONE_SIDED: RegionKind<OneSidedMemoryRegion<ElementType>> = {
  name: "oneSided",
  numbers: ONE_SIDED_NUMBERS,
  match: (value) => value instanceof OneSidedMemoryRegion,
  encode: encodeOneSided,
  decode: (regions, numbers) => regions.decodeOneSided(numbers),
};

/**
 * Describes a shared region in the payload of an active message. The handler gets a new handle of
 * its own PE for the same memory; it need not dispose of it.
 *
 * @category Schemas
 * @param type Its element type, such as `"f64"`, or the schema of that name.
 * @returns The schema.
 * @example
 * ```ts
 * import { am, f64, LamellarWorldBuilder, region } from "../mod.ts";
 *
 * const Fill = am("Fill", { into: region("f64"), value: f64 }, (self) => {
 *   self.into.asSlice().fill(self.value);
 * });
 *
 * await using world = await new LamellarWorldBuilder().build();
 * const into = await world.allocSharedMemRegion("f64", 4);
 * await world.execAmPe(0, Fill({ into, value: 0.5 }));
 * console.log(into.at(0, 3)); // 0.5
 * ```
 */
export function region<E extends ElementType>(
  type: ElementTypeLike<E>,
): Schema<SharedMemoryRegion<E>> {
  return schemaOf(SHARED, elementInfo(type).type) as unknown as Schema<SharedMemoryRegion<E>>;
}

/**
 * Describes a one-sided region in the payload of an active message. The handler gets a handle that
 * reaches the owner's memory.
 *
 * @category Schemas
 * @param type Its element type, such as `"f64"`, or the schema of that name.
 * @returns The schema.
 */
export function oneSided<E extends ElementType>(
  type: ElementTypeLike<E>,
): Schema<OneSidedMemoryRegion<E>> {
  return schemaOf(ONE_SIDED, elementInfo(type).type) as unknown as Schema<OneSidedMemoryRegion<E>>;
}

function schemaOf<R extends { readonly type: ElementType }>(
  kind: RegionKind<R>,
  type: ElementType,
): Schema<R> {
  const name = `${kind.name}<${type}>`;
  return extension<R>({
    name,
    fixedBytes: kind.numbers * NUMBER_BYTES,
    match: (value) => kind.match(value) && value.type === type,
    write: (value, views, at) => views.f64.set(kind.encode(value), at / NUMBER_BYTES),
    read: (views, at, context) => {
      const from = at / NUMBER_BYTES;
      const numbers = views.f64.subarray(from, from + kind.numbers);
      const value = kind.decode((context as RegionContext).regions, numbers);
      if (value.type === type) return value;
      throw new ProtocolError(`Cannot read a payload: ${name} holds a region of ${value.type}`);
    },
  });
}

function register<R>(type: number, kind: RegionKind<R>): void {
  registerExtension({
    type,
    match: kind.match,
    encode: (value) => new Uint8Array(new Float64Array(kind.encode(value as R)).buffer),
    decode: (bytes, context) => {
      if (bytes.length !== kind.numbers * NUMBER_BYTES) {
        throw new ProtocolError(
          `Cannot decode MessagePack: ${bytes.length} bytes are not a ${kind.name}`,
        );
      }
      return kind.decode((context as RegionContext).regions, new Float64Array(bytes.buffer));
    },
  });
}

register(TYPE_SHARED, SHARED);
register(TYPE_ONE_SIDED, ONE_SIDED);
