/**
 * Serves the operations of other processes at the memory of one PE. It runs in whichever thread of
 * the process polls the network, so it runs nothing of the user's, waits for nothing, and believes
 * nothing that a request says.
 *
 * @module
 */

import { ELEMENT_OPS, type ElementOpInfo } from "../internal/element_ops.ts";
import { type ElementInfo, elementInfo, ELEMENTS, type MemoryType } from "../internal/elements.ts";
import type { Kernels } from "../internal/kernels.ts";
import type { AtomicUpdate, ElementKernels, IntegerKernels } from "../internal/kernels_element.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import {
  align8,
  FLAG,
  indexedKernelName,
  OPERATION,
  OPERATION_STATUS,
  PART_HEADER,
  PART_HEADER_BYTES,
  REPLY_HEAD_BYTES,
  REQUEST,
  REQUEST_HEAD_BYTES,
} from "./memory_operations.ts";

/** A value of any element type. */
type Value = number | bigint;

type AnyKernels = ElementKernels<Value> & Partial<IntegerKernels<Value>>;

/** Some bytes of the memory. */
export interface MemoryRange {
  /** Address of the first, a multiple of 8. */
  readonly at: number;
  /** How many. */
  readonly bytes: number;
}

/** An operation whose head has been checked. */
interface Served {
  readonly request: MemoryRange;
  readonly reply: MemoryRange;
  readonly core: Kernels;
  readonly kernels: AnyKernels;
  readonly operation: number;
  readonly op: ElementOpInfo | undefined;
  /** Bytes of an element. */
  readonly width: number;
  readonly count: number;
  /** Address of the first element. */
  readonly at: number;
  /** Bytes from there to the end of the part. */
  readonly room: number;
  readonly span: number;
  readonly single: boolean;
  readonly wide: boolean;
}

/** What stands for a float where bits are compared: as a number, NaN may not keep its bits. */
const BITS_TYPES: Readonly<Partial<Record<MemoryType, MemoryType>>> = { f32: "u32", f64: "u64" };

const FLAGS_ALL: number = FLAG.guarded | FLAG.single | FLAG.wide;
const REFUSED = -1;

/**
 * Serves an operation.
 *
 * @param kernels Kernels of this thread over the memory of the process, with a scratch area.
 * @param views The memory.
 * @param base Address of the segment of the PE whose memory is meant, a multiple of 8.
 * @param limitBytes Bytes of that segment.
 * @param request Where the request is: it and no more.
 * @param reply Where the reply goes, at least `REPLY_HEAD_BYTES`; what does not fit is refused.
 * @returns Bytes of the reply. Then ask `replyWakes` whether the PE has to be woken.
 */
export function serveOperation(
  kernels: Kernels,
  views: MemoryViews,
  base: number,
  limitBytes: number,
  request: MemoryRange,
  reply: MemoryRange,
): number {
  const { f64, i32, u8 } = views;
  const { at } = request;
  u8.fill(0, reply.at, reply.at + REPLY_HEAD_BYTES);
  if (request.bytes < REQUEST_HEAD_BYTES) return refuse(u8, reply);
  const part = f64[(at + REQUEST.part) / 8]!;
  if (!isOffset(part, limitBytes) || part % PART_HEADER_BYTES !== 0 || part < PART_HEADER_BYTES) {
    return refuse(u8, reply);
  }
  const header = base + part - PART_HEADER_BYTES;
  if ((u8[at + REQUEST.flags]! & FLAG.guarded) !== 0 && !holds(i32, header, at)) {
    u8[reply.at] = OPERATION_STATUS.stale;
    return REPLY_HEAD_BYTES;
  }
  const extent = f64[(header + PART_HEADER.bytes) / 8]!;
  if (!isOffset(extent, limitBytes - part)) return refuse(u8, reply);
  const served = readHead(kernels, views, base + part, extent, request, reply);
  const bytes = served ? run(served, header) : REFUSED;
  if (bytes === REFUSED) return refuse(u8, reply);
  u8[reply.at + 1] = writes(u8[at + REQUEST.operation]!) &&
      kernels.load32(header + PART_HEADER.waits) !== 0
    ? 1
    : 0;
  return REPLY_HEAD_BYTES + bytes;
}

function refuse(u8: Uint8Array, reply: MemoryRange): number {
  u8[reply.at] = OPERATION_STATUS.malformed;
  return REPLY_HEAD_BYTES;
}

/** Whether the header holds the generation of the request. */
function holds(words: Int32Array, header: number, request: number): boolean {
  const found = (header + PART_HEADER.generation) / 4;
  const wanted = (request + REQUEST.generation) / 4;
  // What is free holds zeros, and no region has them.
  return words[wanted] !== 0 && words[found] === words[wanted] &&
    words[found + 1] === words[wanted + 1];
}

/** Whether a number that came over the wire is an offset up to a limit. */
function isOffset(value: number, limit: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= limit;
}

function writes(operation: number): boolean {
  return operation !== OPERATION.check && operation !== OPERATION.get &&
    operation !== OPERATION.getStrided && operation !== OPERATION.getIndexed &&
    operation !== OPERATION.load && operation !== OPERATION.leave;
}

function readHead(
  kernels: Kernels,
  { f64, u32, u8 }: MemoryViews,
  start: number,
  extent: number,
  request: MemoryRange,
  reply: MemoryRange,
): Served | undefined {
  const head = request.at;
  const operation = u8[head + REQUEST.operation]!;
  const flags = u8[head + REQUEST.flags]!;
  const type = typeOf(u8[head + REQUEST.type]!, operation);
  if (!type || (flags & ~FLAGS_ALL) !== 0) return undefined;
  const width = type.bytes;
  const position = f64[(head + REQUEST.position) / 8]!;
  const span = f64[(head + REQUEST.span) / 8]!;
  if (!isOffset(position, extent) || position % width !== 0) return undefined;
  if (!isOffset(span, Number.MAX_SAFE_INTEGER)) return undefined;
  return {
    request,
    reply,
    core: kernels,
    kernels: kernels.of(type.memory) as unknown as AnyKernels,
    operation,
    op: ELEMENT_OPS[u8[head + REQUEST.atomic]!],
    width,
    count: u32[(head + REQUEST.count) / 4]!,
    at: start + position,
    room: extent - position,
    span,
    single: (flags & FLAG.single) !== 0,
    wide: (flags & FLAG.wide) !== 0,
  };
}

/** The type that a request names, as memory is to be read. */
function typeOf(code: number, operation: number): ElementInfo | undefined {
  const type = ELEMENTS[code]?.memory;
  if (type === undefined) return undefined;
  return elementInfo(comparesBits(operation) ? BITS_TYPES[type] ?? type : type);
}

function comparesBits(operation: number): boolean {
  return operation === OPERATION.compareExchange || operation === OPERATION.compareExchangeIndexed;
}

/** Runs an operation; returns the bytes of the values it gave, or `REFUSED`. */
function run(served: Served, header: number): number {
  switch (served.operation) {
    case OPERATION.check:
    case OPERATION.put:
    case OPERATION.get:
      return runContiguous(served);
    case OPERATION.putStrided:
    case OPERATION.getStrided:
      return runStrided(served);
    case OPERATION.load:
    case OPERATION.update:
    case OPERATION.fetch:
    case OPERATION.compareExchange:
      return runSingle(served);
    case OPERATION.putIndexed:
    case OPERATION.getIndexed:
    case OPERATION.updateIndexed:
    case OPERATION.fetchIndexed:
    case OPERATION.compareExchangeIndexed:
      return runIndexed(served);
    case OPERATION.leave:
      if (served.request.bytes !== REQUEST_HEAD_BYTES) return REFUSED;
      served.core.add32(header + PART_HEADER.disposals, 1);
      return 0;
    default:
      return REFUSED;
  }
}

/** Whether a request ends where it should, and its reply has room. */
function fits({ request, reply }: Served, requestBytes: number, resultBytes: number): boolean {
  return request.bytes === requestBytes && REPLY_HEAD_BYTES + resultBytes <= reply.bytes;
}

/** Where the values of a request begin that has no indices. */
function operandsOf({ request }: Served): number {
  return request.at + REQUEST_HEAD_BYTES;
}

function resultsOf({ reply }: Served): number {
  return reply.at + REPLY_HEAD_BYTES;
}

function runContiguous(served: Served): number {
  const { operation, core, width, count, at, room, span } = served;
  const bytes = count * width;
  if (bytes > room) return REFUSED;
  if (operation === OPERATION.check) {
    return span <= room && fits(served, REQUEST_HEAD_BYTES, 0) ? 0 : REFUSED;
  }
  if (operation === OPERATION.put) {
    if (!fits(served, REQUEST_HEAD_BYTES + bytes, 0)) return REFUSED;
    core.copy(at, operandsOf(served), bytes);
    return 0;
  }
  if (!fits(served, REQUEST_HEAD_BYTES, bytes)) return REFUSED;
  core.copy(resultsOf(served), at, bytes);
  return bytes;
}

function runStrided(served: Served): number {
  const { operation, core, width, count, at, request, room, span } = served;
  const valuesAt = align8(REQUEST_HEAD_BYTES + 4);
  if (request.bytes < valuesAt) return REFUSED;
  const block = width * (core.load32(operandsOf(served)) >>> 0);
  if (block === 0 || span < block || span % width !== 0) return REFUSED;
  if (count === 0 || (count - 1) * span + block > room) return REFUSED;
  const bytes = count * block;
  if (operation === OPERATION.putStrided) {
    if (!fits(served, valuesAt + bytes, 0)) return REFUSED;
    core.stridedCopy(at, span, request.at + valuesAt, block, block, count);
    return 0;
  }
  if (!fits(served, valuesAt, bytes)) return REFUSED;
  core.stridedCopy(resultsOf(served), block, at, span, block, count);
  return bytes;
}

function runSingle(served: Served): number {
  const { operation, kernels, width, at, room } = served;
  if (served.count !== 1 || width > room) return REFUSED;
  const operands = operation === OPERATION.load
    ? 0
    : operation === OPERATION.compareExchange
    ? 2
    : 1;
  const results = operation === OPERATION.update ? 0 : 1;
  if (!fits(served, REQUEST_HEAD_BYTES + operands * width, results * width)) return REFUSED;
  const from = operandsOf(served);
  let before: Value;
  if (operation === OPERATION.load) before = kernels.atomicLoad(at);
  else if (operation === OPERATION.compareExchange) {
    before = kernels.cas(at, kernels.load(from), kernels.load(from + width));
  } else {
    const kernel = atomicKernel(served);
    if (!kernel) return REFUSED;
    before = kernel(at, kernels.load(from));
  }
  if (results === 0) return 0;
  kernels.store(resultsOf(served), before);
  return width;
}

/** The kernel that changes an element; none for a number or type that has none. */
function atomicKernel({ kernels, op, operation }: Served): AtomicUpdate<Value> | undefined {
  if (op === undefined || (operation === OPERATION.fetch && !op.fetches)) return undefined;
  return kernels[op.kernel];
}

function runIndexed(served: Served): number {
  const { operation, core, width, count, at, room, span, single, wide } = served;
  if (span * width > room) return REFUSED;
  const exchanges = operation === OPERATION.compareExchangeIndexed;
  const gives = exchanges || operation === OPERATION.getIndexed ||
    operation === OPERATION.fetchIndexed;
  const itemOperands = operation === OPERATION.getIndexed ? 0 : exchanges ? 2 : 1;
  const operands = itemOperands * (single ? 1 : count);
  const indexBytes = wide ? 8 : 4;
  const valuesAt = align8(REQUEST_HEAD_BYTES + count * indexBytes);
  const bytes = gives ? count * width : 0;
  if (!fits(served, valuesAt + operands * width, bytes)) return REFUSED;
  const name = indexedKernelName(operation, served.op);
  const kernel = name && served.kernels[name];
  if (!kernel) return REFUSED;
  const indices = operandsOf(served);
  const values = served.request.at + valuesAt;
  const step = single ? 0 : itemOperands * width;
  // Kernels end at the first index out of range.
  const done = kernel(
    core.spreadOver(at, span, width),
    indices,
    indexBytes,
    values,
    step,
    resultsOf(served),
    count,
  );
  return done === count ? bytes : REFUSED;
}
