/**
 * Serves the operations of other processes at the memory of one PE. It runs in whichever thread of
 * the process polls the network, so it runs nothing of the user's, waits for nothing, and believes
 * nothing that a request says.
 *
 * @module
 */

import type { Kernels } from "../internal/kernels.ts";
import type { AtomicUpdate, ElementKernels, IntegerKernels } from "../internal/kernels_element.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import {
  align8,
  ATOMICS,
  FLAG,
  OPERATION,
  OPERATION_STATUS,
  OPERATION_TYPES,
  PART_HEADER,
  PART_HEADER_BYTES,
  REPLY_HEAD_BYTES,
  REQUEST,
  REQUEST_HEAD_BYTES,
} from "./memory_operations.ts";

/** A value of any element type. */
type Value = number | bigint;

/** Any of the typed arrays. */
interface Values {
  readonly length: number;
  [index: number]: Value;
}

interface ValuesClass {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, at: number, count: number): Values;
}

type AnyKernels = ElementKernels<Value> & Partial<IntegerKernels<Value>>;

/** An operation whose head has been checked. */
interface Served {
  readonly views: MemoryViews;
  readonly request: Uint8Array;
  readonly reply: Uint8Array;
  readonly core: Kernels;
  readonly kernels: AnyKernels;
  readonly operation: number;
  readonly atomic: number;
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
  /** A typed array of the element type. */
  readonly valuesOf: (bytes: Uint8Array, at: number, count: number) => Values;
}

/** By the number of the type. */
const ARRAYS = [
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  BigUint64Array,
  BigInt64Array,
  Float32Array,
  Float64Array,
] as unknown as readonly ValuesClass[];

/** The kernel of each way to change an element, by its number. */
const ATOMIC_KERNELS = ATOMICS.map((name) =>
  `atomic${name === "swap" ? "Xchg" : name[0]!.toUpperCase() + name.slice(1)}`
) as readonly (keyof AnyKernels)[];

const FLAGS_ALL: number = FLAG.guarded | FLAG.single | FLAG.wide;
const REFUSED = -1;

/**
 * Serves an operation.
 *
 * @param kernels Kernels of this thread over the memory of the process, with a scratch area.
 * @param views The memory.
 * @param base Address of the segment of the PE whose memory is meant, a multiple of 8.
 * @param limitBytes Bytes of that segment.
 * @param request The request: its bytes and no more.
 * @param reply Where the reply goes, at least `REPLY_HEAD_BYTES`; what does not fit is refused.
 * @returns Bytes of the reply. Then ask `replyRings` whether the PE has to be rung.
 */
export function serveOperation(
  kernels: Kernels,
  views: MemoryViews,
  base: number,
  limitBytes: number,
  request: Uint8Array,
  reply: Uint8Array,
): number {
  if (request.byteOffset % 8 !== 0) {
    return serveOperation(kernels, views, base, limitBytes, request.slice(), reply);
  }
  if (reply.byteOffset % 8 !== 0) {
    const aligned = new Uint8Array(reply.length);
    const bytes = serveOperation(kernels, views, base, limitBytes, request, aligned);
    reply.set(aligned.subarray(0, bytes));
    return bytes;
  }
  reply.fill(0, 0, REPLY_HEAD_BYTES);
  if (request.length < REQUEST_HEAD_BYTES) return refuse(reply);
  const head = new DataView(request.buffer, request.byteOffset, REQUEST_HEAD_BYTES);
  const part = head.getFloat64(REQUEST.part, true);
  if (!isOffset(part, limitBytes) || part % PART_HEADER_BYTES !== 0 || part < PART_HEADER_BYTES) {
    return refuse(reply);
  }
  const header = base + part - PART_HEADER_BYTES;
  if ((request[REQUEST.flags]! & FLAG.guarded) !== 0 && !holds(views, header, head)) {
    reply[0] = OPERATION_STATUS.stale;
    return REPLY_HEAD_BYTES;
  }
  const extent = views.f64[(header + PART_HEADER.bytes) / 8]!;
  if (!isOffset(extent, limitBytes - part)) return refuse(reply);
  const served = readHead(kernels, views, base + part, extent, head, request, reply);
  const bytes = served ? run(served, header) : REFUSED;
  if (bytes === REFUSED) return refuse(reply);
  reply[1] = writes(request[REQUEST.operation]!) &&
      kernels.load32(header + PART_HEADER.waits) !== 0
    ? 1
    : 0;
  return REPLY_HEAD_BYTES + bytes;
}

function refuse(reply: Uint8Array): number {
  reply[0] = OPERATION_STATUS.malformed;
  return REPLY_HEAD_BYTES;
}

/** Whether the header holds the generation of the request. */
function holds(views: MemoryViews, header: number, head: DataView): boolean {
  const at = (header + PART_HEADER.generation) / 4;
  const low = head.getInt32(REQUEST.generation, true);
  const high = head.getInt32(REQUEST.generation + 4, true);
  // What is free holds zeros, and no region has them.
  return low !== 0 && views.i32[at] === low && views.i32[at + 1] === high;
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
  views: MemoryViews,
  start: number,
  extent: number,
  head: DataView,
  request: Uint8Array,
  reply: Uint8Array,
): Served | undefined {
  const type = request[REQUEST.type]!;
  const flags = request[REQUEST.flags]!;
  const arrayClass = ARRAYS[type];
  const name = OPERATION_TYPES[type];
  if (!arrayClass || !name || (flags & ~FLAGS_ALL) !== 0) return undefined;
  const width = arrayClass.BYTES_PER_ELEMENT;
  const position = head.getFloat64(REQUEST.position, true);
  const span = head.getFloat64(REQUEST.span, true);
  if (!isOffset(position, extent) || position % width !== 0) return undefined;
  if (!isOffset(span, Number.MAX_SAFE_INTEGER)) return undefined;
  return {
    views,
    request,
    reply,
    core: kernels,
    kernels: kernels.of(name) as unknown as AnyKernels,
    operation: request[REQUEST.operation]!,
    atomic: request[REQUEST.atomic]!,
    width,
    count: head.getUint32(REQUEST.count, true),
    at: start + position,
    room: extent - position,
    span,
    single: (flags & FLAG.single) !== 0,
    wide: (flags & FLAG.wide) !== 0,
    valuesOf: (bytes, at, count) => new arrayClass(bytes.buffer, bytes.byteOffset + at, count),
  };
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
      return runIndexed(served);
    case OPERATION.leave:
      if (served.request.length !== REQUEST_HEAD_BYTES) return REFUSED;
      served.core.add32(header + PART_HEADER.disposals, 1);
      return 0;
    default:
      return REFUSED;
  }
}

/** Whether a request ends where it should, and its reply has room. */
function fits({ request, reply }: Served, requestBytes: number, resultBytes: number): boolean {
  return request.length === requestBytes && REPLY_HEAD_BYTES + resultBytes <= reply.length;
}

function runContiguous(served: Served): number {
  const { operation, request, reply, views, width, count, at, room, span } = served;
  const bytes = count * width;
  if (bytes > room) return REFUSED;
  if (operation === OPERATION.check) {
    return span <= room && fits(served, REQUEST_HEAD_BYTES, 0) ? 0 : REFUSED;
  }
  if (operation === OPERATION.put) {
    if (!fits(served, REQUEST_HEAD_BYTES + bytes, 0)) return REFUSED;
    views.u8.set(request.subarray(REQUEST_HEAD_BYTES), at);
    return 0;
  }
  if (!fits(served, REQUEST_HEAD_BYTES, bytes)) return REFUSED;
  reply.set(views.u8.subarray(at, at + bytes), REPLY_HEAD_BYTES);
  return bytes;
}

function runStrided(served: Served): number {
  const { operation, request, reply, kernels, width, count, at, room, span } = served;
  if (span < width || span % width !== 0) return REFUSED;
  if (count === 0 || (count - 1) * span + width > room) return REFUSED;
  const bytes = count * width;
  if (operation === OPERATION.putStrided) {
    if (!fits(served, REQUEST_HEAD_BYTES + bytes, 0)) return REFUSED;
    const values = served.valuesOf(request, REQUEST_HEAD_BYTES, count);
    for (let i = 0; i < count; i++) kernels.store(at + i * span, values[i]!);
    return 0;
  }
  if (!fits(served, REQUEST_HEAD_BYTES, bytes)) return REFUSED;
  const values = served.valuesOf(reply, REPLY_HEAD_BYTES, count);
  for (let i = 0; i < count; i++) values[i] = kernels.load(at + i * span);
  return bytes;
}

function runSingle(served: Served): number {
  const { operation, request, reply, kernels, width, at, room } = served;
  if (served.count !== 1 || width > room) return REFUSED;
  const operands = operation === OPERATION.load
    ? 0
    : operation === OPERATION.compareExchange
    ? 2
    : 1;
  const results = operation === OPERATION.update ? 0 : 1;
  if (!fits(served, REQUEST_HEAD_BYTES + operands * width, results * width)) return REFUSED;
  const values = served.valuesOf(request, REQUEST_HEAD_BYTES, operands);
  let before: Value;
  if (operation === OPERATION.load) before = kernels.atomicLoad(at);
  else if (operation === OPERATION.compareExchange) {
    before = kernels.cas(at, values[0]!, values[1]!);
  } else {
    const kernel = atomicKernel(served);
    if (!kernel) return REFUSED;
    before = kernel(at, values[0]!);
  }
  if (results === 0) return 0;
  served.valuesOf(reply, REPLY_HEAD_BYTES, 1)[0] = before;
  return width;
}

/** The kernel that changes an element; none for a number or type that has none. */
function atomicKernel({ kernels, atomic, operation }: Served): AtomicUpdate<Value> | undefined {
  const name = ATOMIC_KERNELS[atomic];
  if (name === undefined) return undefined;
  const gives = operation === OPERATION.fetch || operation === OPERATION.fetchIndexed;
  // A store gives nothing.
  if (gives && name === "atomicStore") return undefined;
  return kernels[name] as AtomicUpdate<Value> | undefined;
}

function runIndexed(served: Served): number {
  const { operation, request, reply, width, count, room, span, single, wide } = served;
  if (span * width > room) return REFUSED;
  const gives = operation === OPERATION.getIndexed || operation === OPERATION.fetchIndexed;
  const operands = operation === OPERATION.getIndexed ? 0 : single ? 1 : count;
  const valuesAt = align8(REQUEST_HEAD_BYTES + count * (wide ? 8 : 4));
  const bytes = gives ? count * width : 0;
  if (!fits(served, valuesAt + operands * width, bytes)) return REFUSED;
  const { buffer, byteOffset } = request;
  const indices = wide
    ? new Float64Array(buffer, byteOffset + REQUEST_HEAD_BYTES, count)
    : new Uint32Array(buffer, byteOffset + REQUEST_HEAD_BYTES, count);
  for (let i = 0; i < count; i++) {
    const index = indices[i]!;
    if (!(index < span) || (wide && !isOffset(index, span))) return REFUSED;
  }
  const values = served.valuesOf(request, valuesAt, operands);
  const step = single ? 0 : 1;
  const done = gives
    ? readIndexed(served, indices, values, step, served.valuesOf(reply, REPLY_HEAD_BYTES, count))
    : writeIndexed(served, indices, values, step);
  return done ? bytes : REFUSED;
}

function writeIndexed(
  served: Served,
  indices: ArrayLike<number>,
  values: Values,
  step: number,
): boolean {
  const { kernels, width, at, count } = served;
  if (served.operation === OPERATION.putIndexed) {
    for (let i = 0; i < count; i++) kernels.store(at + indices[i]! * width, values[i * step]!);
    return true;
  }
  const kernel = atomicKernel(served);
  if (!kernel) return false;
  for (let i = 0; i < count; i++) kernel(at + indices[i]! * width, values[i * step]!);
  return true;
}

function readIndexed(
  served: Served,
  indices: ArrayLike<number>,
  values: Values,
  step: number,
  results: Values,
): boolean {
  const { kernels, width, at, count } = served;
  if (served.operation === OPERATION.getIndexed) {
    for (let i = 0; i < count; i++) results[i] = kernels.load(at + indices[i]! * width);
    return true;
  }
  const kernel = atomicKernel(served);
  if (!kernel) return false;
  for (let i = 0; i < count; i++) results[i] = kernel(at + indices[i]! * width, values[i * step]!);
  return true;
}
