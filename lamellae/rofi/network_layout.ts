/**
 * What the network area of a process's memory holds: words that its threads share, records of
 * operations under way, buffers for messages, and the argument structures of libfabric calls, which
 * are written here so that a call passes constant pointers only.
 *
 * A *thread* is a PE of the process, by its place among them, or the progress thread, the last.
 *
 * @module
 */

import { SCRATCH_BYTES } from "../../internal/kernels_spread.ts";

const LINE_BYTES = 64;

/** Byte offsets of the words that all threads share; each has a line of its own. */
export const CONTROL = {
  /** Taken by the thread that reads the completion queue. */
  pollLock: 0,
  /** Counts how often PEs have read the queue. */
  polls: LINE_BYTES,
  /** Set by a PE that wants the lock while the progress thread holds it. */
  claim: 2 * LINE_BYTES,
  /** Doorbell of the progress thread: sleeping word, event counter. */
  bell: 3 * LINE_BYTES,
  /** Whether the progress thread reads the queue. */
  watching: 4 * LINE_BYTES,
  /** Asks the progress thread to end. */
  stop: 5 * LINE_BYTES,
  /** Set once it has ended. */
  stopped: 6 * LINE_BYTES,
  /** Set once the other processes have been told that the job fails. */
  told: 7 * LINE_BYTES,
  /** The receive buffer that is to be handled next; belongs to the holder of the lock. */
  cursor: 8 * LINE_BYTES,
  /** When something moved last in this process. */
  stalled: 9 * LINE_BYTES,
  /** The process that a call could not reach, and 1; the error of that call follows. */
  broken: 10 * LINE_BYTES,
  /** Set if every other process can wake the thread of this one. */
  woken: 11 * LINE_BYTES,
  /** Whether the only PE of the process sleeps in the queue, and the progress thread need not. */
  guarded: 12 * LINE_BYTES,
  /** Whether the progress thread sleeps long, because the queue is guarded. */
  relieved: 13 * LINE_BYTES,
  /** Set once the processes that listen for signs of life of this one have got the first. */
  spoken: 14 * LINE_BYTES,
  /** Counts messages that are not of this job; two words about the first follow. */
  strangers: 15 * LINE_BYTES,
} as const;

const CONTROL_BYTES = 16 * LINE_BYTES;

/** Byte offsets inside a record. The first 64 bytes belong to the provider (`fi_context2`). */
export const RECORD = {
  /** One of {@linkcode RECORD_KIND}. */
  kind: 64,
  /** Completions still to come; whether a send buffer is in use, or a receive buffer full. */
  pending: 68,
  /** The thread that waits for it. */
  owner: 72,
  /** The other process. */
  rank: 76,
  /** Counts uses, so that a late reply is not taken for another. */
  generation: 80,
  /** Where the reply of an operation is to be written, and how many bytes it may have. */
  replyAt: 84,
  replyBytes: 88,
  /** Bytes of the message that a receive buffer holds, and the error with which it came. */
  bytes: 92,
  error: 96,
} as const;

/** Binary digits of {@linkcode RECORD_BYTES}. */
export const RECORD_SHIFT = 7;

/** Bytes from one record to the next. */
export const RECORD_BYTES = 1 << RECORD_SHIFT;

/** What a record stands for. */
export const RECORD_KIND = {
  none: 0,
  receive: 1,
  send: 2,
  transfer: 3,
  /** A message that may get lost. */
  sign: 4,
} as const;

/** Bytes before the payload of a message. */
export const MESSAGE_HEADER_BYTES = 32;

/** Completions read at a time. */
export const COMPLETIONS_MAX = 16;

/** Bytes of one completion, `struct fi_cq_msg_entry`. */
export const COMPLETION_BYTES = 24;

/** Byte offsets inside the area of a thread. */
export const THREAD = {
  completions: 0,
  /** `struct fi_cq_err_entry`. */
  failed: 512,
  /** `struct fi_msg`, its vector and descriptor. */
  message: 640,
  /** `struct fi_msg_rma`, its vectors and descriptor. */
  transfer: 768,
  /** The same for a put that asks whether those before it have arrived. */
  ask: 896,
  /** The words of {@linkcode COALESCED}, and the same for transfers that go out in one call. */
  coalesced: 1024,
  scratch: 1408,
} as const;

const THREAD_BYTES = THREAD.scratch + SCRATCH_BYTES;

/** Byte offsets of words about the transfers that wait to go out in one call. */
export const COALESCED = {
  /** Taken by the thread that adds one, or makes the call. */
  lock: 0,
  count: 4,
  /** Whether they are puts. */
  write: 8,
  /** The other process. */
  rank: 12,
  /** Where the structures are. */
  call: 64,
} as const;

/** Most transfers that go out in one call. */
export const COALESCED_MAX = 4;

/** Bytes of the argument structures of one posted receive. */
export const RECEIVE_CALL_BYTES = 128;

/** How much a process needs. */
export interface NetworkShape {
  /** PEs of this process. */
  readonly nearPes: number;
  /** PEs of the world. */
  readonly numPes: number;
  /** Processes of the job. */
  readonly processes: number;
  /** Most bytes of frames in one message. */
  readonly batchBytes: number;
}

/** Where everything of the network area is: byte addresses in the memory. */
export interface NetworkLayout extends NetworkShape {
  readonly control: number;
  /** A word for each process: counts its heartbeats. */
  readonly beats: number;
  /** A word for each process: when something moved last, by what it said. */
  readonly stalled: number;
  /** A word for each pair of near PE and PE: how far the other has read the near one's frames. */
  readonly heads: number;
  readonly records: number;
  readonly receives: number;
  /** Send buffers of each thread. */
  readonly slots: number;
  /** Transfers that each thread can have under way. */
  readonly transfers: number;
  readonly threads: number;
  readonly receiveCalls: number;
  readonly receiveBuffers: number;
  readonly slotBuffers: number;
  /** A buffer of each thread for an operation that is served later than it came. */
  readonly lateRequests: number;
  /** Bytes of a buffer, header included. */
  readonly bufferBytes: number;
  /** Bytes of the whole area. */
  readonly bytes: number;
}

/** Least payload of a message: a memory operation should not be cut into too many. */
const PAYLOAD_BYTES_MIN = 8192;
const SLOTS = 24;
const TRANSFERS = 512;

/**
 * Lays out the area.
 *
 * @param base Where it begins.
 * @param shape How much is needed.
 * @returns The layout.
 */
export function networkLayout(base: number, shape: NetworkShape): NetworkLayout {
  const threads = shape.nearPes + 1;
  const receives = Math.min(256, 32 + 4 * shape.processes);
  const bufferBytes = Math.max(shape.batchBytes, PAYLOAD_BYTES_MIN) + MESSAGE_HEADER_BYTES +
    (LINE_BYTES - MESSAGE_HEADER_BYTES);
  let end = base;
  const take = (bytes: number): number => {
    const at = end;
    end = Math.ceil((at + bytes) / LINE_BYTES) * LINE_BYTES;
    return at;
  };
  const perThread = SLOTS + TRANSFERS;
  return {
    ...shape,
    receives,
    slots: SLOTS,
    transfers: TRANSFERS,
    bufferBytes,
    control: take(CONTROL_BYTES),
    beats: take(4 * shape.processes),
    stalled: take(4 * shape.processes),
    heads: take(4 * shape.nearPes * shape.numPes),
    records: take((receives + threads * perThread) * RECORD_BYTES),
    threads: take(threads * THREAD_BYTES),
    receiveCalls: take(receives * RECEIVE_CALL_BYTES),
    receiveBuffers: take(receives * bufferBytes),
    slotBuffers: take(threads * SLOTS * bufferBytes),
    lateRequests: take(threads * bufferBytes),
    bytes: end - base,
  };
}

/**
 * @param net The layout.
 * @param thread A thread.
 * @returns The byte address of its area.
 */
export function threadOf(net: NetworkLayout, thread: number): number {
  return net.threads + thread * THREAD_BYTES;
}

/**
 * @param net The layout.
 * @param thread A thread.
 * @returns The number of the record of its first send buffer; those of its transfers follow.
 */
export function firstRecordOf(net: NetworkLayout, thread: number): number {
  return net.receives + thread * (net.slots + net.transfers);
}

/**
 * @param net The layout.
 * @returns How many records there are.
 */
export function recordCount(net: NetworkLayout): number {
  return firstRecordOf(net, net.nearPes + 1);
}

/**
 * @param net The layout.
 * @param thread A thread.
 * @param slot One of its send buffers.
 * @returns The byte address of the buffer.
 */
export function slotOf(net: NetworkLayout, thread: number, slot: number): number {
  return net.slotBuffers + (thread * net.slots + slot) * net.bufferBytes;
}
