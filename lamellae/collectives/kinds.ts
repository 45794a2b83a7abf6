/**
 * The collectives that move data, as transfers of bytes.
 *
 * @module
 */

import type { ElementOpInfo } from "../../internal/element_ops.ts";
import type { ElementInfo } from "../../internal/elements.ts";
import type { Lamella } from "../lamella.ts";
import { exchangeTurns } from "./exchange.ts";
import { foldingOf } from "./folding.ts";
import { type Head, LENGTHS_MAX } from "./head.ts";
import type { Bytes } from "./passage.ts";
import { lengthOf, startOf } from "./ranges.ts";
import { reduceTurns } from "./reduce.ts";
import { scanTurns } from "./scan.ts";
import { spreadTurns } from "./spread.ts";
import type { Transfer } from "./transfer.ts";

const NOTHING = new Uint8Array(0);

/** What a PE gives to a broadcast or a gather, and where it keeps what it gets. */
export interface SpreadOptions {
  /** What this PE contributes. */
  readonly source: Bytes;
  /** What the bytes are, as the caller numbers it, below 256. */
  readonly meaning: number;
  /** Who reads, by its place in the group; undefined if all do. */
  readonly reader: number | undefined;
  /** This PE's place. */
  readonly me: number;
  /**
   * Makes room for what a place contributes, if this PE wants that; asked in the order of the
   * places, if this PE reads.
   */
  readonly targetOf: (place: number, length: number, meaning: number) => Bytes | undefined;
}

/**
 * Everybody, or one PE, gets what each PE contributes.
 *
 * @param options Who gives and gets what.
 * @returns The transfer.
 */
export function spread(options: SpreadOptions): Transfer {
  const { source, meaning, reader, me, targetOf } = options;
  const target = (heads: readonly Head[], place: number, length: number): Bytes | undefined =>
    targetOf(place, length, heads[place]!.meaning);
  return {
    meaning,
    packedLength: source.length,
    packed: () => source,
    length: source.length,
    source,
    here(all, heads) {
      if (reader !== undefined && reader !== me) return;
      all.forEach((bytes, place) => target(heads, place, bytes.length)?.set(bytes));
    },
    pass: (passage) =>
      spreadTurns(passage, {
        source,
        reader,
        targetOf: (place) => target(passage.heads, place, passage.heads[place]!.length),
      }),
  };
}

/** What a PE gives to a scatter or an all-to-all, and where it keeps what it gets. */
export interface ExchangeOptions {
  /** A part for each place of the group; none if this PE gives nothing. */
  readonly parts: readonly Bytes[] | undefined;
  /** What the bytes are, as the caller numbers it, below 256. */
  readonly meaning: number;
  /** Makes room for the part of a place; asked in the order of the places. */
  readonly targetOf: (place: number, length: number, meaning: number) => Bytes;
  /** This PE's place. */
  readonly me: number;
}

/**
 * Each PE gets a part of what each PE contributes.
 *
 * @param options Who gives and gets what.
 * @returns The transfer.
 */
export function exchange(options: ExchangeOptions): Transfer {
  const { parts, meaning, me } = options;
  const target = (heads: readonly Head[], place: number, length: number): Bytes =>
    options.targetOf(place, length, heads[place]!.meaning);
  const lengths = parts?.map(({ length }) => length) ?? [];
  return {
    meaning,
    packedLength: tableBytes(lengths.length) + lengthOf(lengths),
    packed: () => packParts(parts),
    length: Math.max(0, ...lengths),
    lengths,
    source: parts && wholeOf(parts),
    here(all, heads) {
      all.forEach((packed, place) => {
        const part = partIn(packed, all.length, me);
        target(heads, place, part.length).set(part);
      });
    },
    pass: (passage) =>
      exchangeTurns(passage, {
        parts,
        targetOf: (place, length) => target(passage.heads, place, length),
      }),
  };
}

/** What is reduced, and who gets the result. */
export interface ReduceOptions {
  readonly info: ElementInfo;
  readonly op: ElementOpInfo;
  /** What this PE contributes. */
  readonly source: Bytes;
  /** Where this PE keeps the result, if it gets one. */
  readonly target: Bytes | undefined;
  /** Who gets it: all, the PE at a place, or each PE as many elements as the list says. */
  readonly to: "all" | number | readonly number[];
  /** This PE's place. */
  readonly me: number;
}

/**
 * Combines what all PEs contribute, element by element.
 *
 * @param lamella The lamella.
 * @param options What is reduced, and who gets the result.
 * @returns The transfer.
 */
export function reduction(lamella: Lamella, options: ReduceOptions): Transfer {
  const { info, op, source, target, to, me } = options;
  const folding = foldingOf(lamella, info, op);
  return {
    ...ofElements(source),
    here(all, _heads, hosts) {
      if (!target) return;
      const result = folding.reduceHere(all, hosts);
      if (typeof to !== "object") return target.set(result);
      const start = startOf(to, me) * info.bytes;
      target.set(result.subarray(start, start + to[me]! * info.bytes));
    },
    pass: (passage) => reduceTurns(passage, { folding, source, target, to }),
  };
}

/** What is scanned. */
export interface ScanOptions {
  readonly info: ElementInfo;
  readonly op: ElementOpInfo;
  /** What this PE contributes. */
  readonly source: Bytes;
  /** Where this PE keeps what it gets. */
  readonly target: Bytes;
  /** The place up to which all are combined, itself included; -1 for none. */
  readonly upTo: number;
}

/**
 * Combines what the PEs up to a place contribute, element by element.
 *
 * @param lamella The lamella.
 * @param options What is scanned.
 * @returns The transfer.
 */
export function prefix(lamella: Lamella, options: ScanOptions): Transfer {
  const { info, op, source, target, upTo } = options;
  const folding = foldingOf(lamella, info, op);
  return {
    ...ofElements(source),
    here(all) {
      if (upTo >= 0) target.set(folding.reduceHere(all.slice(0, upTo + 1), undefined));
    },
    pass: (passage) => scanTurns(passage, { folding, source, target, prefixOf: upTo }),
  };
}

function ofElements(
  source: Bytes,
): Pick<Transfer, "meaning" | "packedLength" | "packed" | "length" | "source"> {
  const { length } = source;
  return { meaning: 0, packedLength: length, packed: () => source, length, source };
}

/** The memory that holds the parts one after the other, if it does and they can be told of. */
function wholeOf(parts: readonly Bytes[]): Bytes | undefined {
  const { buffer, byteOffset } = parts[0]!;
  let end = byteOffset;
  for (const part of parts) {
    if (part.buffer !== buffer || part.byteOffset !== end) return undefined;
    end += part.length;
  }
  if (parts.length > LENGTHS_MAX) return undefined;
  return new Uint8Array(buffer, byteOffset, end - byteOffset);
}

/** Bytes of the lengths in front of packed parts. */
function tableBytes(parts: number): number {
  return 4 * parts;
}

function packParts(parts: readonly Bytes[] | undefined): Bytes {
  if (parts === undefined) return NOTHING;
  const head = tableBytes(parts.length);
  const packed = new Uint8Array(parts.reduce((sum, { length }) => sum + length, head));
  const lengths = new Uint32Array(packed.buffer, 0, parts.length);
  let at = head;
  parts.forEach((part, place) => {
    lengths[place] = part.length;
    packed.set(part, at);
    at += part.length;
  });
  return packed;
}

function partIn(packed: Bytes, places: number, place: number): Bytes {
  if (packed.length === 0) return packed;
  const lengths = new Uint32Array(packed.slice(0, tableBytes(places)).buffer);
  const start = tableBytes(places) + startOf(lengths, place);
  return packed.subarray(start, start + lengths[place]!);
}
