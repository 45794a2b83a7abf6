/**
 * How the PEs of a group make room together, turn by turn: each tells what it gives, so that all
 * know how much is needed, makes room, and writes what it gives where it belongs.
 *
 * @module
 */

import type { ElementInfo, ElementType } from "../internal/elements.ts";
import { OutOfMemoryError } from "../internal/errors.ts";
import { startTimeLimit } from "../internal/time_limit.ts";
import { type CollectiveKind, type Program, type Turn, turn } from "../lamellae/mod.ts";
import type { Allocation } from "./memory/allocation.ts";
import type { ArrayShape } from "./memory/array_shape.ts";
import type { RegionMemory } from "./memory/region_memory.ts";
import type { RegionServices } from "./region.ts";
import type { Span } from "./span/span.ts";
import type { FarWork } from "./transfer/pending.ts";
import { readOffer, writeOffer } from "./wire.ts";

/** Makes the elements of an array of their memory. */
export type SpanMaker = (services: RegionServices, memory: RegionMemory<never>) => unknown;

/** An array that is to be allocated. */
export interface SpanWanted {
  /** What the user called. */
  readonly kind: CollectiveKind;
  /** Its arguments as text. */
  readonly args: string;
  /**
   * @param length Elements that PEs give, all together; 0 if they give none.
   * @returns What the array is.
   */
  readonly shapeFor: (length: number) => ArrayShape;
  /** Elements of memory that each element of the array takes; 1 if left out. */
  readonly words?: number | undefined;
  /** What this PE gives, if its elements are to be what PEs give: as one does, so do all. */
  readonly values?: ArrayLike<unknown>;
  /**
   * @param longest Elements of the part that has most.
   * @returns Bytes that each part has behind its elements, for whoever makes the array.
   */
  readonly extraBytes: (longest: number) => number;
  /** Makes the elements of their memory; plain ones if left out. */
  readonly make?: SpanMaker | undefined;
  /** Gets the elements as soon as all PEs have made room. */
  readonly placed: (span: Span<ElementType>) => void;
}

/** What is allocated on the PEs of a group, and what becomes of it. */
export interface Placing<R> {
  readonly kind: CollectiveKind;
  readonly args: string;
  readonly info: ElementInfo;
  /** What this PE gives, if PEs give anything. */
  readonly values?: ArrayLike<unknown> | undefined;
  /**
   * @param total Elements that PEs give, all together.
   * @returns Elements to make room for on each PE.
   */
  readonly roomFor: (total: number) => number;
  /** Gets the allocation once all have made room, or the error if one has none. */
  readonly give: (result: Allocation | OutOfMemoryError) => R;
  /**
   * Begins to write what this PE gives.
   *
   * @param result What `give` gave.
   * @param first Index of the first element.
   * @returns Tells whether they are written.
   */
  readonly write?: (result: R, first: number) => () => boolean;
}

/** Room on this PE. */
export interface RoomHost {
  readonly far: FarWork;
  /** Whether more room comes back as soon as other PEs have said that they gave theirs up. */
  isComingBack(): boolean;
  /** Takes room for as many elements; gives the offset. */
  take(length: number): number | OutOfMemoryError;
  /** Notes where the room on each PE is; gives the allocation, or the error if there is none. */
  settle(
    own: number | OutOfMemoryError,
    offers: readonly Uint8Array[],
  ): Allocation | OutOfMemoryError;
}

/** How long room that may come back is waited for: another PE may keep what this one gave up. */
const COMING_BACK_MS = 2000;

/**
 * Makes room on all PEs of a group. If one has none: all PEs are here, so that each has disposed
 * what it disposed before; but some may have taken their room before others did. So once every PE
 * has left what it disposed, each that had no room offers again.
 *
 * @param host Room on this PE.
 * @param me The place of this PE in the group.
 * @param placing What is allocated.
 * @param gave Gets what comes of it, as soon as all have made room.
 * @returns The turns.
 */
export function* placingTurns<R>(
  host: RoomHost,
  me: number,
  { give, roomFor, values, write }: Placing<R>,
  gave: (result: R) => void,
): Program {
  const counts = values === undefined ? [] : yield* counted(values.length);
  const length = roomFor(sumOf(counts));
  let own = host.take(length);
  let offers = yield turn(() => writeOffer(own));
  if (noRoomIn(offers)) {
    yield turn(undefined, whenLeft(host));
    if (typeof own !== "number") own = host.take(length);
    offers = yield turn(() => writeOffer(own));
  }
  const settled = host.settle(own, offers);
  const result = give(settled);
  gave(result);
  if (settled instanceof OutOfMemoryError || !write) return;
  yield turn(undefined, write(result, sumOf(counts.slice(0, me))));
}

/** Tells whether this PE has left what it disposed. */
function whenLeft({ far, isComingBack }: RoomHost): () => boolean {
  const until = performance.now() + COMING_BACK_MS;
  // A PE that awaits looks again only when something reaches it.
  const unlimit = startTimeLimit(COMING_BACK_MS + 1, () => far.progress.kick());
  let isBack = false;
  let left = false;
  return () => {
    if (!isBack && (!isComingBack() || performance.now() >= until)) {
      isBack = true;
      unlimit();
      // What is behind the first are leaves, which the second is behind.
      far.fence(() => far.fence(() => left = true));
    }
    return left;
  };
}

/** Each PE tells how many elements it gives. */
function* counted(count: number): Generator<Turn, number[], Uint8Array[]> {
  const told = yield turn(() => new Uint8Array(Float64Array.of(count).buffer));
  return told.map((bytes) => new Float64Array(bytes.slice().buffer)[0]!);
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/**
 * Looks for a PE that has no room.
 *
 * @param offers What each PE offered.
 * @returns The error of the first one, if there is one.
 */
export function noRoomIn(offers: readonly Uint8Array[]): OutOfMemoryError | undefined {
  return offers.map(readOffer).find((offer) => offer instanceof OutOfMemoryError);
}
