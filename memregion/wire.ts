/**
 * Regions as numbers: what travels in active messages, and what PEs tell each other when they
 * allocate.
 *
 * @module
 */

import { ClosedError, OutOfMemoryError, ProtocolError } from "../internal/errors.ts";
import { ALLOCATION_ALIGN, EXCHANGE_BYTES } from "../internal/limits.ts";
import { type Generation, type Lamella, WORLD_ID } from "../lamellae/mod.ts";
import { type ElementInfo, ELEMENTS, type ElementType } from "../internal/elements.ts";
import type { OneSidedMemoryRegion } from "./one_sided_region.ts";
import { labelOf } from "./memory/refusals.ts";
import { MEMORY, type RegionMemory } from "./memory/region_memory.ts";
import type { SharedMemoryRegion } from "./shared_region.ts";
import type { Span } from "./span/span.ts";

/** How many numbers a shared region is. */
export const SHARED_NUMBERS = 8;
/** How many numbers a one-sided region is. */
export const ONE_SIDED_NUMBERS = 8;

/** A shared region, taken from the wire. */
export interface SharedWire {
  readonly info: ElementInfo;
  readonly id: number;
  /** The PEs that have a part, `WORLD_ID` for all. */
  readonly groupId: number;
  /** How many there are. */
  readonly parts: number;
  /** One of them: the sender, if it has a part. */
  readonly holder: number;
  /** Offset of the elements there. */
  readonly offset: number;
  readonly start: number;
  readonly length: number;
}

/** A one-sided region, taken from the wire. */
export interface OneSidedWire {
  readonly info: ElementInfo;
  readonly id: number;
  readonly owner: number;
  /** Offset of the elements there. */
  readonly offset: number;
  readonly start: number;
  readonly length: number;
  readonly generation: Generation;
}

/**
 * Turns a shared region into numbers.
 *
 * @param region The region.
 * @returns `SHARED_NUMBERS` of them.
 * @throws {ClosedError} If it was disposed.
 */
export function encodeShared(region: SharedMemoryRegion<ElementType>): number[] {
  return sharedNumbers(openMemory(region));
}

/**
 * Turns the elements of an array into the numbers of a shared region.
 *
 * @param span The elements; they may not have been freed.
 * @returns `SHARED_NUMBERS` of them.
 */
export function encodeSpan({ memory }: Span<ElementType>): number[] {
  return sharedNumbers(memory as unknown as RegionMemory<unknown>);
}

function sharedNumbers(memory: RegionMemory<unknown>): number[] {
  const { localPart, offsets, owners, pes } = memory.allocation;
  const part = Math.max(0, localPart);
  return [
    memory.access.info.code,
    owners.id,
    pes[part]!,
    offsets[part]!,
    memory.start,
    memory.length,
    owners.groupId,
    pes.length,
  ];
}

/**
 * Turns a one-sided region into numbers.
 *
 * @param region The region.
 * @returns `ONE_SIDED_NUMBERS` of them.
 * @throws {ClosedError} If it was disposed.
 */
export function encodeOneSided(region: OneSidedMemoryRegion<ElementType>): number[] {
  const memory: RegionMemory<unknown> = openMemory(region);
  const { guard, id, offsets, pes } = memory.allocation;
  const { low, high } = guard!;
  return [
    memory.access.info.code,
    id,
    pes[0]!,
    offsets[0]!,
    memory.start,
    memory.length,
    low,
    high,
  ];
}

function openMemory(
  region: SharedMemoryRegion<ElementType> | OneSidedMemoryRegion<ElementType>,
): RegionMemory<unknown> {
  const memory = region[MEMORY] as unknown as RegionMemory<unknown>;
  const { closed } = memory.allocation;
  if (closed) throw new ClosedError(`Cannot send ${labelOf(memory)}: ${closed}`);
  return memory;
}

/**
 * Reads what `encodeShared` wrote.
 *
 * @param numbers The numbers.
 * @param lamella The provider.
 * @returns What they say.
 * @throws {ProtocolError} If they describe no region.
 */
export function readShared(numbers: ArrayLike<number>, lamella: Lamella): SharedWire {
  const { pe: holder, ...common } = readCommon(numbers, SHARED_NUMBERS, lamella);
  const [groupId, parts] = [numbers[6]!, numbers[7]!];
  const { numPes } = lamella;
  if (!Number.isSafeInteger(groupId) || groupId < WORLD_ID || !Number.isInteger(parts)) {
    throw unreadable(numbers);
  }
  if (parts < 1 || parts > numPes || (groupId === WORLD_ID && parts !== numPes)) {
    throw unreadable(numbers);
  }
  return { ...common, holder, groupId, parts };
}

/**
 * Reads what `encodeOneSided` wrote.
 *
 * @param numbers The numbers.
 * @param lamella The provider.
 * @returns What they say.
 * @throws {ProtocolError} If they describe no region.
 */
export function readOneSided(numbers: ArrayLike<number>, lamella: Lamella): OneSidedWire {
  const { pe: owner, ...common } = readCommon(numbers, ONE_SIDED_NUMBERS, lamella);
  const [low, high] = [numbers[6]!, numbers[7]!];
  if ((low | 0) !== low || (high | 0) !== high) throw unreadable(numbers);
  return { ...common, owner, generation: { low, high } };
}

/**
 * Reads the numbers of a region of another session.
 *
 * @param numbers The numbers.
 * @returns What they say that means something here.
 * @throws {ProtocolError} If they describe no region.
 */
export function readStrange(
  numbers: ArrayLike<number>,
): Pick<SharedWire, "id" | "info" | "length"> {
  const [code = -1, id = -1, , , , length = -1] = Array.from(numbers);
  const info = ELEMENTS[code];
  const whole = [id, length].every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!info || !whole) throw unreadable(numbers);
  return { id, info, length };
}

function readCommon(
  numbers: ArrayLike<number>,
  count: number,
  lamella: Lamella,
): Omit<SharedWire, "holder" | "groupId" | "parts"> & { pe: number } {
  const [code = -1, id = -1, pe = -1, offset = -1, start = -1, length = -1] = Array.from(numbers);
  const info = ELEMENTS[code];
  const whole = [id, pe, offset, start, length].every((n) => Number.isSafeInteger(n) && n >= 0);
  if (
    numbers.length !== count || !info || !whole || pe >= lamella.numPes ||
    offset % ALLOCATION_ALIGN !== 0 || offset < ALLOCATION_ALIGN ||
    offset + (start + length) * info.bytes > lamella.heap.capacity
  ) throw unreadable(numbers);
  return { info, id, pe, offset, start, length };
}

function unreadable(numbers: ArrayLike<number>): ProtocolError {
  return new ProtocolError(
    `Cannot read the handle of a region: ${Array.from(numbers).join(", ")} do not describe one`,
  );
}

/**
 * What a PE tells the others when a shared region is allocated.
 *
 * @param room Offset of its elements, or why it has no room.
 * @returns Its bytes for the exchange.
 */
export function writeOffer(room: number | OutOfMemoryError): Uint8Array {
  const bytes = new Uint8Array(EXCHANGE_BYTES);
  const view = new DataView(bytes.buffer);
  if (typeof room === "number") {
    view.setFloat64(0, room);
    return bytes;
  }
  view.setFloat64(0, -1 - (room.pe ?? 0));
  const { written } = new TextEncoder().encodeInto(room.message, bytes.subarray(TEXT_AT));
  view.setUint16(TEXT_AT - 2, written);
  return bytes;
}

/** After the number and the length of the text. */
const TEXT_AT = 10;

/**
 * Reads what a PE offered.
 *
 * @param bytes Its bytes of the exchange.
 * @returns Offset of its elements, or why it has no room.
 */
export function readOffer(bytes: Uint8Array): number | OutOfMemoryError {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const room = view.getFloat64(0);
  if (room >= 0) return room;
  const text = bytes.slice(TEXT_AT, TEXT_AT + view.getUint16(TEXT_AT - 2));
  return new OutOfMemoryError(new TextDecoder().decode(text), {
    pe: -1 - room,
    op: "allocSharedMemRegion",
  });
}
