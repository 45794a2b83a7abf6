/**
 * A limit on everything: the bounds the runtime checks against, with the reason for each.
 *
 * @module
 */

/**
 * Most PEs of a job on one machine; bounds the control area and the number of rings (its square).
 */
export const PES_MAX = 256;

/**
 * Alignment of every allocation in the heap in bytes: a cache line, so that objects of two owners
 * never share one.
 */
export const ALLOCATION_ALIGN = 64;

/**
 * From this size on, the elements of an allocation begin on a page of {@linkcode HEAP_PAGE_BYTES}:
 * the kernel copies such memory to and from sockets up to 1.15 times as fast as memory that begins
 * 64 to 256 bytes into one (gets of 1 MiB over TCP). At 64 KiB it makes no difference.
 */
export const PAGED_BYTES_MIN = 256 * 1024;

/** Bytes of a page that large allocations begin on. */
export const HEAP_PAGE_BYTES = 4096;

/** Most bytes of one AM payload: what a JavaScript buffer and a 31-bit frame length can hold. */
export const PAYLOAD_BYTES_MAX = 2 ** 30;

/** Longest slice of a blocking wait in milliseconds: how late a PE notices that the job failed. */
export const WAIT_SLICE_MS = 50;

/**
 * Shortest and longest slice of a wait for a value in memory that PEs of other processes write too,
 * in milliseconds: what the network writes there wakes nobody.
 */
export const FAR_WAIT_SLICE_MS_MIN = 0.02;
export const FAR_WAIT_SLICE_MS = 2;

/**
 * Longest slice of a wait in which nothing happens for long, in milliseconds. Whatever ends a wait
 * wakes it, the failure of the job too, so slices only guard against what must not happen.
 */
export const IDLE_SLICE_MS = 400;

/** Bytes of the text that describes a failure in the control area. */
export const FAILURE_TEXT_BYTES = 16 * 1024;

/** Bytes each PE can contribute to one turn of a collective. */
export const EXCHANGE_BYTES = 512;

/** Bytes of the area for that, which begins with the arguments of the collective: whole lines. */
export const EXCHANGE_AREA_BYTES: number = EXCHANGE_BYTES + 64;
