/**
 * What a PE contributes to a collective that moves values: elements as they are in memory, a
 * number, or anything else that MessagePack carries.
 *
 * @module
 */

import { type AmEngine, type FoundHandle, MsgpackCodec } from "../am/mod.ts";
import { elementInfo, ELEMENTS } from "../internal/elements.ts";
import { copyOf, type Elements, elementsOf, type InMemory, newElements } from "../memregion/mod.ts";

/** A value on its way. */
export interface Contribution extends InMemory {
  /** What the bytes are; below 256. */
  readonly meaning: number;
  readonly bytes: Uint8Array;
  /** Handles in it, which have to be told where it goes. */
  readonly found: readonly FoundHandle[];
}

/** Room for a value that comes. */
export interface Arrival {
  readonly bytes: Uint8Array;
  /** Gives the value, once the bytes are there. */
  readonly give: () => unknown;
}

const NOTHING: readonly FoundHandle[] = [];
const MESSAGE_PACK = 0;
const NUMBER = 1;
/** The element types follow, by their numbers. */
const FIRST_ELEMENT = 2;

const codec = new MsgpackCodec("value");

/**
 * @param value What a PE contributes.
 * @param op What the user called.
 * @returns It, as bytes; those of elements are the elements themselves.
 * @throws {TypeError} If it cannot be sent.
 */
export function contributionOf(value: unknown, op: string): Contribution {
  if (typeof value === "number") {
    const bytes = new Uint8Array(new Float64Array([value]).buffer);
    return { meaning: NUMBER, bytes, found: NOTHING };
  }
  const elements = elementsOf(value, op);
  if (elements) return elementContribution(elements);
  const found: FoundHandle[] = [];
  return { meaning: MESSAGE_PACK, bytes: codec.encode(value, found).slice(), found };
}

/**
 * @param elements Elements.
 * @returns Them, as they are in memory.
 */
export function elementContribution({ info, bytes, allocation }: Elements): Contribution {
  return { meaning: FIRST_ELEMENT + info.code, bytes, found: NOTHING, allocation };
}

/**
 * Contributions that have one meaning for all.
 *
 * @param values What a PE contributes, one for each PE.
 * @param op What the user called.
 * @returns Them, as bytes.
 * @throws {TypeError} If one cannot be sent.
 */
export function contributionsOf(values: readonly unknown[], op: string): Contribution[] {
  const all = values.map((value) => contributionOf(value, op));
  if (all.every(({ meaning }) => meaning === all[0]!.meaning)) return all;
  return values.map((value) => {
    const found: FoundHandle[] = [];
    const elements = elementsOf(value, op);
    const given = elements ? copyOf(elements) : value;
    return { meaning: MESSAGE_PACK, bytes: codec.encode(given, found).slice(), found };
  });
}

/**
 * Makes room for a value.
 *
 * @param meaning What its bytes are.
 * @param length How many they are.
 * @param engine What handles in it belong to.
 * @returns The room.
 */
export function arrivalOf(meaning: number, length: number, engine: AmEngine): Arrival {
  if (meaning >= FIRST_ELEMENT) {
    const info = elementInfo(ELEMENTS[meaning - FIRST_ELEMENT]!.type);
    const elements = newElements(info, length / info.bytes);
    return { bytes: elements.bytes, give: () => copyOf(elements) };
  }
  const bytes = new Uint8Array(length);
  const give = meaning === NUMBER
    ? () => new Float64Array(bytes.buffer)[0]!
    : () => decode(bytes, engine);
  return { bytes, give };
}

/** Handles that a value brings belong to the program, unless this PE has no use for one. */
function decode(bytes: Uint8Array, { decodeContext, received }: AmEngine): unknown {
  received.begin();
  try {
    const value = codec.decode(bytes, decodeContext);
    received.take();
    return value;
  } catch (error) {
    received.drop();
    throw error;
  }
}

/**
 * Tells the handles in a contribution where it goes.
 *
 * @param contribution The contribution.
 * @param pes The PEs that get it.
 * @param session Their session, 0 if there is none.
 */
export function tellSent({ found }: Contribution, pes: readonly number[], session: number): void {
  for (const { kind, handle } of found) for (const pe of pes) kind.sentTo(handle, pe, session);
}
