/**
 * How arrays travel in active messages: as fields of a schema, and inside any MessagePack payload,
 * captures of closures and results included.
 *
 * @module
 */

import { CLIENT_NAME } from "../internal/node_names.ts";
import { extension, registerExtension, type Schema } from "../am/mod.ts";
import {
  arrive,
  type DarcSpace,
  type Guest,
  type Reference,
  sentTo,
  spaceOf,
} from "../darc/mod.ts";
import { Distribution } from "../internal/distribution.ts";
import { elementInfo } from "../internal/elements.ts";
import { FeatureLevelError, ProtocolError } from "../internal/errors.ts";
import { WORLD_ID } from "../lamellae/mod.ts";
import {
  type AnyElement,
  type ElementType,
  type ElementTypeLike,
  encodeSpan,
  SHARED_NUMBERS,
} from "../memregion/mod.ts";
import { addToWorld, type WorldCore } from "../world/mod.ts";
import {
  AtomicArray,
  GlobalLockArray,
  LocalLockArray,
  ReadOnlyArray,
  UnsafeArray,
} from "./arrays.ts";
import { type ArrayParts, countedBy, LamellarArray, refuseGuarded, spanOf } from "./base.ts";
import { ARRAY_KINDS, type ArrayKind } from "./create.ts";
import { recordTypeOf, recordTypeOfHash } from "./record/record_type.ts";
import { ArrayStorage } from "./storage.ts";

/** Extension type in MessagePack. */
const TYPE_ARRAY = 37;
/**
 * The id of the team, the number of the array, its type, the PE that sends it; its distribution,
 * the length of the whole, the first element and the length of the range; which records it has, if
 * any; and its region.
 */
const OWN_NUMBERS = 9;
const NUMBERS = OWN_NUMBERS + SHARED_NUMBERS;
const NUMBER_BYTES = 8;

type AnyArray = LamellarArray<ElementType>;

/** What the decoder of an array has to know of its world. */
interface ArrayContext {
  arrays: DarcSpace;
}

/** The classes, in the order of their names. */
const CLASSES: readonly (new (parts: ArrayParts<ElementType>) => AnyArray)[] = [
  UnsafeArray,
  ReadOnlyArray,
  AtomicArray,
  LocalLockArray,
  GlobalLockArray,
];

/**
 * @param kind The name of a type of arrays.
 * @returns The class of that name; all of them are created alike.
 */
export function arrayClassOf(kind: ArrayKind): typeof UnsafeArray {
  return CLASSES[ARRAY_KINDS.indexOf(kind)] as unknown as typeof UnsafeArray;
}

addToWorld((core: WorldCore) => {
  (core.engine.decodeContext as ArrayContext).arrays = spaceOf(core);
});

function encode(array: AnyArray): number[] {
  if (!(array instanceof CLASSES[ARRAY_KINDS.indexOf(countedBy(array).record.kind as never)]!)) {
    refuseGuarded(array, "send");
  }
  const { cell, kind, number, pe, teamId } = countedBy(array).check("send");
  const span = spanOf(array);
  const { recordType } = cell.value as ArrayStorage;
  const { first, kind: distribution, length, whole } = span.distribution;
  const code = ARRAY_KINDS.findIndex((one) => one === kind);
  const cyclic = distribution === "cyclic" ? 1 : 0;
  return [
    teamId,
    number,
    code,
    pe,
    cyclic,
    whole,
    first,
    length,
    recordType?.hash ?? 0,
    ...encodeSpan(span as never),
  ];
}

function decode(numbers: Float64Array, context: ArrayContext): AnyArray {
  const [teamId = -1, number = -1, code = -1, from = -1] = numbers;
  const [cyclic = -1, whole = -1, first = -1, length = -1, records = -1] = numbers.subarray(4);
  const kind = ARRAY_KINDS[code];
  const isRange = [whole, first, length].every((n) => Number.isSafeInteger(n) && n >= 0) &&
    first + length <= whole && (cyclic === 0 || cyclic === 1);
  if (numbers.length !== NUMBERS || kind === undefined || !isRange) throw unreadable(numbers);
  const { arrays: space } = context;
  const region = numbers.subarray(OWN_NUMBERS);
  const reference = arrive(space, { teamId, number, kind, from }, {
    isOwned,
    guest: () => guestOf(space, teamId, records, region),
  });
  if (reference === "mismatch") throw unreadable(numbers);
  const arrayClass = CLASSES[code]!;
  if (reference === undefined) return Object.create(arrayClass.prototype);
  const { cell, name, pes } = reference.record;
  const storage = cell.value as ArrayStorage;
  const distribution = new Distribution(
    cyclic === 1 ? "cyclic" : "block",
    pes.length,
    whole,
    first,
    length,
  );
  const shape = { distribution, label: name };
  const span = storage.span?.with(distribution, name) ??
    space.core.regions.spans.decode(region, shape, storage.make);
  if (distribution.longestPart > span.memory.length) throw unreadable(numbers);
  const own = reference.record.isGuest ? undefined : storage.own;
  // The array of this PE lasts as long as the program wants; what came lasts for the handler.
  return new arrayClass({ reference, span, ...own && { whole: own as AnyArray } });
}

/** What a client has of an array: what tells where its elements are. */
function guestOf(
  { core }: DarcSpace,
  teamId: number,
  records: number,
  region: Float64Array,
): Guest | undefined {
  const recordType = records === 0 ? undefined : recordTypeOfHash(records);
  if (records !== 0 && recordType === undefined) {
    const text = `Cannot use an array of records in ${CLIENT_NAME}, which does not define them: ` +
      "import the module that does";
    return void core.engine.received.refuse(new FeatureLevelError(text));
  }
  const cell = { value: new ArrayStorage(recordType) };
  if (teamId === WORLD_ID) return { pes: core.root, cell };
  const pes = core.regions.spans.pesOf(region);
  const team = { name: "a team", path: "", parentPes: pes, me: -1, children: 0, group: undefined };
  return { pes: { ...team, pes, createOp: "createSubteamFromArch" }, cell };
}

/** Whether another array object is as good as the one of a reference. */
function isOwned(reference: Reference): boolean {
  // A client has no array of its own: each one that it gets is another handle.
  if (reference.record.isGuest) return false;
  const { own } = reference.record.cell.value as ArrayStorage;
  return own !== undefined && countedBy(own as AnyArray) !== reference;
}

/**
 * Sends an array otherwise than in a payload.
 *
 * @param array The array.
 * @param node The PE or client that gets it.
 * @returns What `receiveArray` takes there.
 */
export function sendArray(array: AnyArray, node: number): number[] {
  const numbers = encode(array);
  const reference = countedBy(array);
  sentTo(reference, node, reference.record.core.lamella.session);
  return numbers;
}

/**
 * Takes an array that `sendArray` sent, and keeps it.
 *
 * @param core What every object of the world shares.
 * @param numbers What that gave.
 * @returns The array.
 */
export function receiveArray(
  { engine }: WorldCore,
  numbers: readonly number[],
): LamellarArray<ElementType> {
  const { decodeContext, received } = engine;
  received.begin();
  const array = decode(Float64Array.from(numbers), decodeContext as ArrayContext);
  received.take();
  return array;
}

function unreadable(numbers: Float64Array): ProtocolError {
  return new ProtocolError(
    `Cannot read an array: ${Array.from(numbers).join(", ")} do not describe one`,
  );
}

registerExtension({
  type: TYPE_ARRAY,
  match: (value) => value instanceof LamellarArray,
  encode: (value) => new Uint8Array(new Float64Array(encode(value as AnyArray)).buffer),
  sentTo: (value, pe, session) => sentTo(countedBy(value as AnyArray), pe, session),
  decode: (bytes, context) => {
    if (bytes.length !== NUMBERS * NUMBER_BYTES) {
      throw new ProtocolError(`Cannot decode MessagePack: ${bytes.length} bytes are not an array`);
    }
    return decode(new Float64Array(bytes.buffer), context as ArrayContext);
  },
});

function schemaOf<A extends AnyArray>(
  arrayClass: new (parts: never) => A,
  type: ElementTypeLike<AnyElement>,
): Schema<A> {
  const element = recordTypeOf(type) ?? elementInfo(type as ElementTypeLike<ElementType>).type;
  const name = `${arrayClass.name}<${element}>`;
  return extension<A>({
    name,
    fixedBytes: NUMBERS * NUMBER_BYTES,
    match: (value) => value instanceof arrayClass && value.type as AnyElement === element,
    write: (value, views, at) => views.f64.set(encode(value), at / NUMBER_BYTES),
    sentTo: (value, pe, session) => sentTo(countedBy(value), pe, session),
    read: (views, at, context) => {
      const from = at / NUMBER_BYTES;
      const value = decode(views.f64.slice(from, from + NUMBERS), context as ArrayContext);
      if (value instanceof arrayClass) return value;
      throw new ProtocolError(`Cannot read a payload: ${name} holds another type of array`);
    },
  });
}

/**
 * Describes an `UnsafeArray` in the payload of an active message. The handler gets the array of its
 * own PE, with the range of the one that was sent.
 *
 * @category Schemas
 * @param type Its element type, such as `"f64"`, or the schema of that name.
 * @returns The schema.
 */
export function unsafeArray<E extends AnyElement>(
  type: ElementTypeLike<E>,
): Schema<UnsafeArray<E>> {
  return schemaOf(UnsafeArray, type) as unknown as Schema<UnsafeArray<E>>;
}

/**
 * Describes a `ReadOnlyArray` in the payload of an active message, as `unsafeArray` does.
 *
 * @category Schemas
 * @param type Its element type.
 * @returns The schema.
 */
export function readOnlyArray<E extends AnyElement>(
  type: ElementTypeLike<E>,
): Schema<ReadOnlyArray<E>> {
  return schemaOf(ReadOnlyArray, type) as unknown as Schema<ReadOnlyArray<E>>;
}

/**
 * Describes an `AtomicArray` in the payload of an active message, as `unsafeArray` does.
 *
 * @category Schemas
 * @param type Its element type.
 * @returns The schema.
 * @example
 * ```ts
 * import { am, AtomicArray, atomicArray, LamellarWorldBuilder, u32 } from "../mod.ts";
 *
 * const Count = am("Count", { into: atomicArray("u64"), at: u32 }, (self) => {
 *   self.into.add(self.at, 1);
 * });
 *
 * await using world = await new LamellarWorldBuilder().build();
 * using into = await AtomicArray.create(world, "u64", 10, "block");
 * await world.execAmAll(Count({ into, at: 3 }));
 * await world.asyncBarrier();
 * console.log(into.at(3) === world.numPes * world.numPes);
 * ```
 */
export function atomicArray<E extends AnyElement>(
  type: ElementTypeLike<E>,
): Schema<AtomicArray<E>> {
  return schemaOf(AtomicArray, type) as unknown as Schema<AtomicArray<E>>;
}

/**
 * Describes a `LocalLockArray` in the payload of an active message, as `unsafeArray` does.
 *
 * @category Schemas
 * @param type Its element type.
 * @returns The schema.
 */
export function localLockArray<E extends AnyElement>(
  type: ElementTypeLike<E>,
): Schema<LocalLockArray<E>> {
  return schemaOf(LocalLockArray, type) as unknown as Schema<LocalLockArray<E>>;
}

/**
 * Describes a `GlobalLockArray` in the payload of an active message, as `unsafeArray` does.
 *
 * @category Schemas
 * @param type Its element type.
 * @returns The schema.
 */
export function globalLockArray<E extends AnyElement>(
  type: ElementTypeLike<E>,
): Schema<GlobalLockArray<E>> {
  return schemaOf(GlobalLockArray, type) as unknown as Schema<GlobalLockArray<E>>;
}
