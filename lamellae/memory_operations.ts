/**
 * Operations at memory that only another process reaches, as bytes: a closed set of them, each a
 * request to the process that has the memory, and a reply. `memory_server.ts` serves them there.
 *
 * Atomic operations go this way too, never by those of a network provider: PEs of the same process
 * use those of the processor on the same words, and the two are not atomic with each other.
 *
 * Numbers are little-endian. A request is a head, and what the operation needs behind it: indices,
 * then values, each list at a multiple of 8. A reply is a head, and the values that were read.
 *
 * @module
 */

import { ProtocolError } from "../internal/errors.ts";
import {
  type BatchFetchName,
  type BatchName,
  type ElementOp,
  elementOp,
  type ElementOpInfo,
  type FetchOp,
  type UpdateOp,
} from "../internal/element_ops.ts";
import { elementInfo, type MemoryType } from "../internal/elements.ts";
import { ALLOCATION_ALIGN } from "../internal/limits.ts";

/** Bytes of the header in front of the elements of each part of a region. */
export const PART_HEADER_BYTES: number = ALLOCATION_ALIGN;

/** Byte offsets inside that header. */
export const PART_HEADER = {
  /** How many PEs have disposed a shared region. */
  disposals: 0,
  /** How many waits of the owner it has to be woken for. */
  waits: 4,
  /** 64 random bits that tell a one-sided region from what is there later. */
  generation: 8,
  /** Bytes of the elements, as a 64-bit float. */
  bytes: 16,
} as const;

/** 64 random bits in two signed halves. */
export interface Generation {
  /** The low half; never 0. */
  readonly low: number;
  /** The high half. */
  readonly high: number;
}

/** The operations, by the byte that names them. */
export const OPERATION = {
  /** Looks whether the part is what it was and holds `span` bytes from the position on. */
  check: 0,
  /** Writes elements that follow each other. */
  put: 1,
  /** Reads elements that follow each other. */
  get: 2,
  /** Writes blocks that stand `span` bytes from each other; the only index is their length. */
  putStrided: 3,
  /** Reads blocks that stand `span` bytes from each other; the only index is their length. */
  getStrided: 4,
  /** Writes elements at indices below `span`, in their order. */
  putIndexed: 5,
  /** Reads elements at indices below `span`. */
  getIndexed: 6,
  /** Reads an element atomically. */
  load: 7,
  /** Changes an element atomically. */
  update: 8,
  /** As `update`, and gives what it was. */
  fetch: 9,
  /** Replaces an element if it has the bits of a first value by a second one, gives what it was. */
  compareExchange: 10,
  /** `update` at each of a list of indices below `span`. */
  updateIndexed: 11,
  /** `fetch` at each of a list of indices below `span`. */
  fetchIndexed: 12,
  /** Counts that a PE has disposed the shared region. */
  leave: 13,
  /** `compareExchange` at each of a list of indices below `span`; the two values are a pair. */
  compareExchangeIndexed: 14,
} as const;

/**
 * The kernel that works on elements at indices.
 *
 * @param operation One of {@linkcode OPERATION}.
 * @param op How it changes elements, where it does so by the table.
 * @returns Its name; none for an operation without indices, or without such a form.
 */
export function indexedKernelName(
  operation: number,
  op: ElementOpInfo | undefined,
): IndexedKernelName | undefined {
  switch (operation) {
    case OPERATION.putIndexed:
      return "scatter";
    case OPERATION.getIndexed:
      return "gather";
    case OPERATION.compareExchangeIndexed:
      return "batchCas";
    case OPERATION.updateIndexed:
      // To swap and forget is to store.
      return op === undefined ? undefined : op.updates ? op.batchName : "batchStore";
    case OPERATION.fetchIndexed:
      return op?.fetches ? op.batchFetchName : undefined;
    default:
      return undefined;
  }
}

/** Kernels that work on elements at indices. */
type IndexedKernelName =
  | "gather"
  | "scatter"
  | "batchCas"
  | BatchName<UpdateOp>
  | BatchFetchName<FetchOp>;

/** Bits of the flags of a request. */
export const FLAG = {
  /** The part is only to be touched if its header holds the generation of the request. */
  guarded: 1,
  /** There is one value for all indices. */
  single: 2,
  /** Indices have 64 bits instead of 32. */
  wide: 4,
} as const;

/** Where the fields of a request's head are, in bytes; the first four are bytes. */
export const REQUEST = {
  operation: 0,
  type: 1,
  atomic: 2,
  flags: 3,
  /** Elements, 32 bits. */
  count: 4,
  /** Offset of the part's elements in the segment, a 64-bit float. */
  part: 8,
  /** Bytes from there to the first element of the operation, a 64-bit float. */
  position: 16,
  /** What the operation says, a 64-bit float. */
  span: 24,
  generation: 32,
} as const;

/** Bytes of the head of a request. */
export const REQUEST_HEAD_BYTES = 40;
/** Bytes of the head of a reply: how it went, whether to wake its PE, and nothing. */
export const REPLY_HEAD_BYTES = 8;

/** How an operation went: the first byte of a reply. */
export const OPERATION_STATUS = {
  /** It is done. */
  ok: 0,
  /** The request follows no rule: nothing, or not all of it, was done. */
  malformed: 1,
  /** The part holds something else by now; nothing was done. */
  stale: 2,
} as const;

/** What a request says of its operation. */
export interface OperationHead {
  /** One of {@linkcode OPERATION}. */
  readonly operation: number;
  /** The element type. */
  readonly type: MemoryType;
  /** How elements are changed; needed by those that change them. */
  readonly atomic?: ElementOp | undefined;
  /** What the header of the part has to hold, if that is to be looked at. */
  readonly guard?: Generation | undefined;
  /** Whether there is one value for all indices. */
  readonly single?: boolean;
  /** Elements, blocks, or items of the lists. */
  readonly count: number;
  /** Offset of the part's elements in the segment of the PE. */
  readonly part: number;
  /** Bytes from there to the first element. */
  readonly position: number;
  /** What the operation says. */
  readonly span?: number;
}

/** A request that is being made. */
export interface Request {
  /** Its bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where its list of indices begins. */
  readonly indicesAt: number;
  /** Where its values begin. */
  readonly valuesAt: number;
}

/**
 * Whether indices below a bound are written with 64 bits.
 *
 * @param span The bound.
 * @returns Whether 32 bits are too few.
 */
export function isWide(span: number): boolean {
  return span > 2 ** 32;
}

/**
 * Begins a request.
 *
 * @param head What it says.
 * @param indices Number of indices behind it.
 * @param valueBytes Bytes of the values behind these.
 * @returns The request, its lists still to be written.
 */
export function beginRequest(head: OperationHead, indices: number, valueBytes: number): Request {
  const { guard, span = 0 } = head;
  const wide = indices > 0 && isWide(span);
  const valuesAt = align8(REQUEST_HEAD_BYTES + indices * (wide ? 8 : 4));
  const bytes = new Uint8Array(valuesAt + valueBytes);
  const view = new DataView(bytes.buffer);
  bytes[REQUEST.operation] = head.operation;
  bytes[REQUEST.type] = elementInfo(head.type).code;
  bytes[REQUEST.atomic] = head.atomic === undefined ? 0 : elementOp(head.atomic).code;
  bytes[REQUEST.flags] = (guard ? FLAG.guarded : 0) | (head.single ? FLAG.single : 0) |
    (wide ? FLAG.wide : 0);
  view.setUint32(REQUEST.count, head.count, true);
  view.setFloat64(REQUEST.part, head.part, true);
  view.setFloat64(REQUEST.position, head.position, true);
  view.setFloat64(REQUEST.span, span, true);
  view.setInt32(REQUEST.generation, guard?.low ?? 0, true);
  view.setInt32(REQUEST.generation + 4, guard?.high ?? 0, true);
  return { bytes, indicesAt: REQUEST_HEAD_BYTES, valuesAt };
}

/**
 * How many items fit one request and its reply.
 *
 * @param bytesMax Most bytes of each.
 * @param indexBytes Bytes of an index, 0 if there are none.
 * @param valueBytes Bytes of a value of each item in the request, 0 if there are none.
 * @param resultBytes Bytes of a value of each item in the reply, 0 if there are none.
 * @returns The number, at least 1.
 */
export function itemsPerRequest(
  bytesMax: number,
  indexBytes: number,
  valueBytes: number,
  resultBytes: number,
): number {
  // 16: both lists begin at a multiple of 8, and there may be one value for all.
  const request = (bytesMax - REQUEST_HEAD_BYTES - 16) / Math.max(1, indexBytes + valueBytes);
  const reply = (bytesMax - REPLY_HEAD_BYTES) / Math.max(1, resultBytes);
  return Math.max(1, Math.floor(Math.min(request, reply)));
}

/**
 * Whether the PE whose memory was changed waits for a value there, and has to be woken.
 *
 * @param bytes What holds a reply that was just made.
 * @param at Where it begins there.
 * @returns Whether it has to be.
 */
export function replyWakes(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 1] !== 0;
}

/**
 * Looks how an operation went.
 *
 * @param reply The reply.
 * @param what What was to be done, to continue "Cannot".
 * @param pe The PE that has the memory.
 * @returns Whether it is done; if not, the part holds something else by now.
 * @throws {ProtocolError} If the PE refused the request.
 */
export function replyDone(reply: Uint8Array, what: string, pe: number): boolean {
  if (reply[0] === OPERATION_STATUS.ok) return true;
  if (reply[0] === OPERATION_STATUS.stale) return false;
  throw new ProtocolError(
    `Cannot ${what}: PE ${pe} finds no such elements in its memory, or no such operation`,
    { pe },
  );
}

/**
 * Rounds up to a multiple of 8.
 *
 * @param bytes Number of bytes.
 * @returns The next multiple.
 */
export function align8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
