/**
 * Where everything is in the shared memory of a process: a header, a block for each of its PEs,
 * what each PE of the world contributes to a collective, the headers of the rings, the rings, an
 * area for each of its PEs in which the runtime prepares what kernels work on, an area for the
 * network, and last what is open to other processes: a page of words for the network, and the heap
 * segments, one for each PE of the process, each with the PE's area for collectives behind it.
 *
 * PEs go by their numbers in the world; every process holds as many, in a row. A ring leads from
 * any PE of the world to one of the process. Words that different PEs write stand on cache lines of
 * their own. A client, which is no PE, may take part: a program at whose service the PEs are. Its
 * number is the one after the last PE, and it has all that a PE has but a segment and a place in
 * collectives.
 *
 * Where processes share memory, the PEs of all of them are near. Each process has what it has by
 * itself, in two pieces: first come the pieces that are not open, its own and then those of the
 * others in their order, and then the open ones in the same order. So all but those has 32-bit
 * addresses. There are as many places as any host of the job has processes, so that heaps are
 * placed alike in all processes.
 *
 * @module
 */

import { collectiveAreaBytes } from "../../internal/collective_area.ts";
import { SCRATCH_BYTES } from "../../internal/kernels_spread.ts";
import { EXCHANGE_AREA_BYTES, FAILURE_TEXT_BYTES, PES_MAX } from "../../internal/limits.ts";
import { stagingBytes } from "../../internal/staging.ts";
import { setOf, SETS } from "../lanes.ts";

/** Tells memory of this layout from any other; the last digit counts its versions. */
export const LAYOUT_MAGIC = 0x1a3e11a4;

const PAGE_BYTES = 65536;
const LINE_BYTES = 64;

/** Byte addresses of the header's words. */
export const HEADER = {
  magic: 0,
  /** Tells the memory of one job from that of others, where processes share it. */
  tag: 4,
  /** Nonzero once the job is failing. */
  abort: 64,
  /** Taken by the first PE that reports a failure. */
  failureClaim: 128,
  /** PE of the failure, -1 for the supervisor. */
  failurePe: 132,
  /** Exit code of the failure. */
  failureCode: 136,
  /** Bytes of the text. */
  failureTextBytes: 140,
  /** Whether another process has reported it already. */
  failureFar: 144,
  /** Counts what the supervisor should look at. */
  bell: 160,
  /** Whose row of the standard output, and of the standard error, is begun and not ended. */
  openRows: 164,
  failureText: 192,
} as const;

const HEADER_BYTES = 192 + FAILURE_TEXT_BYTES;

/** Barrier flags of one parity: at most 32 partners over all rounds, a line each. */
export const FLAG_SLOTS_MAX = 32;
const FLAGS_BYTES = FLAG_SLOTS_MAX * LINE_BYTES;

/** Longest text that tells what a PE waits for. */
export const NOTE_BYTES = 4 * LINE_BYTES;

/** Byte offsets inside the block of a PE. */
export const BLOCK = {
  /** Doorbell: sleeping word, one of {@linkcode ASLEEP}, and event counter. */
  bell: 0,
  /** Set from another process that found the PE asleep in its event loop. */
  called: 8,
  status: LINE_BYTES,
  /** In words what the PE waits for. */
  note: 2 * LINE_BYTES,
  flags: 2 * LINE_BYTES + NOTE_BYTES,
  /** Where kernels keep what they gather before they work on it. */
  scratch: 2 * LINE_BYTES + NOTE_BYTES + SETS * FLAGS_BYTES,
} as const;

const BLOCK_BYTES = BLOCK.scratch + SCRATCH_BYTES;

/** Where a PE sleeps; 0 if it does not. */
export const ASLEEP = {
  /** In the futex of WebAssembly, or in its event loop: a thread of its process can wake it. */
  inside: 1,
  /** In futex(2): any thread that has mapped the word can. */
  outside: 2,
} as const;

/**
 * Byte offsets of the words before the heaps, in the only page but the heaps that other processes
 * may read and write by remote access.
 */
export const OPEN = {
  /** Read to see how a process is reached; never 0. */
  probe: 0,
  /** PEs that ask whether everything before has arrived put it, and put to it; nobody reads it. */
  ask: LINE_BYTES,
} as const;

/** Bytes of that page. */
const OPEN_WORDS_BYTES = PAGE_BYTES;

/** Byte offsets inside the header of a ring. */
export const RING = {
  /** Written by the producer. */
  tail: 0,
  /** Written by the consumer. */
  head: LINE_BYTES * 2,
  /** Set by a producer that waits for room. */
  want: LINE_BYTES * 3,
} as const;

/** Bytes from one ring header to the next. */
export const RING_HEADER_BYTES = LINE_BYTES * 4;

/** Which part of a world is in this process. */
export interface Share {
  /** PEs of the world. */
  readonly numPes: number;
  /** The first PE of this process. */
  readonly firstPe: number;
  /** PEs of this process, and of every other. */
  readonly nearPes: number;
  /** Bytes of the area for the network. */
  readonly networkBytes: number;
  /** Clients: 1 if the PEs are at the service of a program, else 0 as if left out. */
  readonly clients?: number;
  /** Tells regions of one session from those of others in this process; 0 as if left out. */
  readonly session?: number;
  /** Which processes share memory with this one, where there are any. */
  readonly host?: Host;
}

/** Processes that share memory. */
export interface Host {
  /** Their numbers, this one among them, ascending. */
  readonly ranks: readonly number[];
  /** Most processes that share memory on any host. */
  readonly places: number;
}

/** Sizes and places of everything, the same on every PE of a process. */
export interface Layout extends Share {
  readonly clients: number;
  /** PEs of the world and clients: who has rings. */
  readonly nodes: number;
  /** How many of them have a place in this process; a client has one behind the PEs. */
  readonly nearNodes: number;
  readonly ringBytes: number;
  /** Bytes of each PE's heap segment. */
  readonly heapBytes: number;
  /** Bytes from one segment to the next: the heap, and the PE's area for collectives. */
  readonly segmentBytes: number;
  readonly blocks: number;
  readonly exchanges: number;
  readonly ringHeaders: number;
  readonly rings: number;
  readonly staging: number;
  readonly network: number;
  /** Where what is open to other processes begins. */
  readonly open: number;
  /** Bytes of what a process has that is not open. */
  readonly controlBytes: number;
  /** Bytes of what it has that is: words for the network, and the segments of its PEs. */
  readonly openBytes: number;
  /**
   * By process: its place among those whose memory is here, this one the first; those that are not
   * here have none.
   */
  readonly placeOf: readonly (number | undefined)[];
  /** Bytes of the whole memory. */
  readonly totalBytes: number;
  /** Whether the memory needs 64-bit addresses. */
  readonly memory64: boolean;
}

/** The most a memory with 32-bit addresses holds. */
const MEMORY32_BYTES = 2 ** 32;

/** The most a memory holds at all, by the limit of V8. */
export const MEMORY_BYTES_MAX = 2 ** 34;

/** Bytes all rings together may take before each gets smaller. */
const RINGS_BYTES_AIM = 64 * 2 ** 20;

/**
 * Chooses the size of a ring: large enough to batch well, small enough that all of them stay
 * modest.
 *
 * @param rings Number of rings.
 * @returns Bytes, a power of two.
 */
export function defaultRingBytes(rings: number): number {
  const share = RINGS_BYTES_AIM / rings;
  return Math.min(256 * 1024, Math.max(16 * 1024, 2 ** Math.floor(Math.log2(share))));
}

/**
 * Lays out the memory of a process.
 *
 * @param of The PEs of a world in one process, or which of them are in this one.
 * @param ringBytes Bytes of each ring, a power of two; 0 chooses.
 * @param heapBytes Bytes of each heap segment; 0 shares what 32-bit addresses leave evenly.
 * @returns The layout.
 * @throws {RangeError} If a size is out of range.
 */
export function layoutFor(of: number | Share, ringBytes: number, heapBytes: number): Layout {
  const share = typeof of === "number"
    ? { numPes: of, firstPe: 0, nearPes: of, networkBytes: 0 }
    : of;
  const { clients = 0, numPes, nearPes } = share;
  const nodes = numPes + clients;
  const nearNodes = nearPes + clients;
  const processes = share.host?.places ?? 1;
  if (!Number.isInteger(numPes) || numPes < 1 || numPes > PES_MAX) {
    throw new RangeError(`Cannot lay out ${numPes} PEs: the number must be 1 to ${PES_MAX}`);
  }
  const ring = ringBytes || defaultRingBytes(nearNodes * nodes);
  if (ring < 4096 || (ring & (ring - 1)) !== 0) {
    throw new RangeError(
      `Cannot use rings of ${ring} bytes: the size must be a power of two from 4096`,
    );
  }
  const blocks = align(HEADER_BYTES, PAGE_BYTES);
  const exchanges = align(blocks + nearNodes * BLOCK_BYTES, PAGE_BYTES);
  const ringHeaders = align(exchanges + numPes * SETS * EXCHANGE_AREA_BYTES, PAGE_BYTES);
  const rings = align(ringHeaders + nearNodes * nodes * RING_HEADER_BYTES, PAGE_BYTES);
  const staging = align(rings + nearNodes * nodes * ring, PAGE_BYTES);
  const network = align(staging + nearNodes * stagingBytes(numPes), PAGE_BYTES);
  const controlBytes = align(network + share.networkBytes, PAGE_BYTES);
  const open = processes * controlBytes;
  if (open >= MEMORY32_BYTES / 2) {
    throw new RangeError(
      `Cannot use rings of ${ring} bytes with ${numPes} PEs: ` +
        `together they take ${open} bytes, ` +
        `the limit is ${MEMORY32_BYTES / 2}`,
    );
  }
  const heapsRoom = MEMORY32_BYTES - open - processes * OPEN_WORDS_BYTES;
  const areaBytes = align(collectiveAreaBytes(numPes), PAGE_BYTES);
  const heap = heapBytes > 0
    ? align(heapBytes, PAGE_BYTES)
    : Math.floor(heapsRoom / (processes * nearPes) / PAGE_BYTES) * PAGE_BYTES - areaBytes;
  const segmentBytes = heap + areaBytes;
  const openBytes = OPEN_WORDS_BYTES + nearPes * segmentBytes;
  const totalBytes = open + processes * openBytes;
  return {
    ...share,
    clients,
    nodes,
    nearNodes,
    ringBytes: ring,
    heapBytes: heap,
    segmentBytes,
    blocks,
    exchanges,
    ringHeaders,
    rings,
    staging,
    network,
    open,
    controlBytes,
    openBytes,
    placeOf: placesOf(share),
    totalBytes,
    memory64: totalBytes > MEMORY32_BYTES,
  };
}

function placesOf({ firstPe, host, nearPes, numPes }: Share): (number | undefined)[] {
  const own = firstPe / nearPes;
  const others = host?.ranks.filter((rank) => rank !== own) ?? [];
  const places = Array.from({ length: numPes / nearPes }, (): number | undefined => undefined);
  [own, ...others].forEach((rank, place) => places[rank] = place);
  return places;
}

function placeOf(layout: Layout, pe: number): number | undefined {
  if (pe < layout.numPes) return layout.placeOf[Math.floor(pe / layout.nearPes)];
  // Where there is a client, there is one process.
  return pe < layout.nodes ? 0 : undefined;
}

/** Place of a node among those of its process. */
function indexOf({ nearPes, numPes }: Layout, pe: number): number {
  return pe < numPes ? pe % nearPes : nearPes + pe - numPes;
}

/**
 * @param layout The layout.
 * @param pe A PE.
 * @returns Whether it belongs to this process.
 */
export function isOwn(layout: Layout, pe: number): boolean {
  return placeOf(layout, pe) === 0;
}

/**
 * @param layout The layout.
 * @param pe A PE.
 * @returns Whether its memory can be reached from this process.
 */
export function isNear(layout: Layout, pe: number): boolean {
  return placeOf(layout, pe) !== undefined;
}

/**
 * @param layout The layout.
 * @returns How many PEs share the memory of this host, those of this process included.
 */
export function neighboursIn({ host, nearPes }: Layout): number {
  return nearPes * (host?.ranks.length ?? 1);
}

/**
 * @param layout The layout.
 * @returns The PEs of this process.
 */
export function ownPesOf(layout: Layout): number[] {
  return Array.from({ length: layout.nearPes }, (_, index) => layout.firstPe + index);
}

/**
 * @param layout The layout.
 * @returns The PEs of this process, and the client if there is one.
 */
export function ownNodesOf(layout: Layout): number[] {
  const { clients, numPes } = layout;
  return [...ownPesOf(layout), ...Array.from({ length: clients }, (_, i) => numPes + i)];
}

/**
 * @param layout The layout.
 * @param pe A PE.
 * @returns The byte address of what its process has that is not open; 0, that of this process, if
 * the PE is not near.
 */
export function controlOf(layout: Layout, pe: number): number {
  return (placeOf(layout, pe) ?? 0) * layout.controlBytes;
}

/**
 * @param layout The layout.
 * @param pe A PE.
 * @returns The byte address of what its process has open, in this one's memory if the PE is near,
 * or else in its own.
 */
export function openOf(layout: Layout, pe: number): number {
  return layout.open + (placeOf(layout, pe) ?? 0) * layout.openBytes;
}

/**
 * @param layout The layout.
 * @param pe A near PE.
 * @returns The byte address of its block.
 */
export function blockOf(layout: Layout, pe: number): number {
  return controlOf(layout, pe) + layout.blocks + indexOf(layout, pe) * BLOCK_BYTES;
}

/**
 * @param layout The layout.
 * @param pe A PE.
 * @param sequence Number of the signals of a turn.
 * @returns The byte address of what the PE contributes to it.
 */
export function exchangeOf(layout: Layout, pe: number, sequence: number): number {
  const index = SETS * pe + setOf(sequence);
  return controlOf(layout, pe) + layout.exchanges + index * EXCHANGE_AREA_BYTES;
}

/**
 * @param layout The layout.
 * @param consumer The PE that reads the ring, a near one.
 * @param producer The PE that writes it.
 * @returns The byte address of its header; the headers of one consumer follow each other by
 * producer.
 */
export function ringHeaderOf(layout: Layout, consumer: number, producer: number): number {
  const index = indexOf(layout, consumer) * layout.nodes + producer;
  return controlOf(layout, consumer) + layout.ringHeaders + index * RING_HEADER_BYTES;
}

/**
 * @param layout The layout.
 * @param consumer The PE that reads the ring, a near one.
 * @param producer The PE that writes it.
 * @returns The byte address of its data.
 */
export function ringOf(layout: Layout, consumer: number, producer: number): number {
  const index = indexOf(layout, consumer) * layout.nodes + producer;
  return controlOf(layout, consumer) + layout.rings + index * layout.ringBytes;
}

/**
 * @param layout The layout.
 * @param pe A near PE.
 * @returns The byte address of its area for what kernels work on.
 */
export function stagingOf(layout: Layout, pe: number): number {
  const index = indexOf(layout, pe);
  return controlOf(layout, pe) + layout.staging + index * stagingBytes(layout.numPes);
}

/**
 * @param layout The layout.
 * @param pe A PE.
 * @returns The byte address of its heap segment, in the memory that `openOf` says.
 */
export function heapOf(layout: Layout, pe: number): number {
  return openOf(layout, pe) + OPEN_WORDS_BYTES + (pe % layout.nearPes) * layout.segmentBytes;
}

function align(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}

/**
 * Reserves the shared memory of a process. Nothing is committed until it is touched.
 *
 * @param layout The layout.
 * @returns The memory.
 * @throws {RangeError} If the system does not grant the address space.
 */
export function createMemory(layout: Layout): WebAssembly.Memory {
  const pages = layout.totalBytes / PAGE_BYTES;
  const descriptor = layout.memory64
    ? { address: "i64", initial: BigInt(pages), maximum: BigInt(pages), shared: true }
    : { initial: pages, maximum: pages, shared: true };
  try {
    return new WebAssembly.Memory(descriptor as unknown as WebAssembly.MemoryDescriptor);
  } catch (cause) {
    throw new RangeError(refusedMemory(layout), { cause });
  }
}

function refusedMemory({ totalBytes, heapBytes, nearPes }: Layout): string {
  const alone = nearPes === 1;
  const text = `Cannot reserve ${totalBytes} bytes for ${alone ? "a PE" : `${nearPes} PEs`} with ` +
    `a heap of ${heapBytes} bytes${alone ? "" : " each"}: `;
  if (totalBytes <= MEMORY_BYTES_MAX) {
    return `${text}the system does not give them; lower LAMELLAR_HEAP_SIZE (--heap)`;
  }
  const room = MEMORY_BYTES_MAX - (totalBytes - nearPes * heapBytes);
  const fits = Math.floor(room / nearPes / PAGE_BYTES) * PAGE_BYTES;
  return `${text}one process can have ${MEMORY_BYTES_MAX}; lower LAMELLAR_HEAP_SIZE (--heap) to ` +
    `${fits} at most${alone ? "" : ", or give each process fewer PEs (--pes-per-process)"}`;
}
