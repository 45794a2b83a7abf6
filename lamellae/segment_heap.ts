/**
 * Allocator of one PE's heap segment: best fit over free blocks, neighbours joined when freed. Only
 * the owner allocates in its segment, so the books are plain JavaScript.
 *
 * @module
 */

import { OutOfMemoryError } from "../internal/errors.ts";
import { ALLOCATION_ALIGN, HEAP_PAGE_BYTES, PAGED_BYTES_MIN } from "../internal/limits.ts";

/** What an allocation may ask for. */
export interface AllocateOptions {
  /** Bytes before the elements, whole cache lines: what begins on a page are the elements. */
  head?: number;
  /**
   * Clears memory that was given out before, so that the range holds zeros; memory that was not is
   * left untouched, and takes no room of the machine until it is used.
   */
  clear?: (offset: number, bytes: number) => void;
}

/** Allocates byte ranges of a segment. */
export class SegmentHeap {
  /** Free blocks, sorted by offset: offset and length in bytes. */
  #free: { offset: number; bytes: number }[];
  #used: Map<number, number> = new Map();
  #freeBytes: number;
  /** Memory from here on was never given out and still holds the zeros it came with. */
  #fresh = 0;
  readonly #pe: number;
  /** Bytes of the segment. */
  readonly capacity: number;

  /**
   * @param pe The PE that owns the segment, for messages.
   * @param capacity Its size in bytes.
   */
  constructor(pe: number, capacity: number) {
    this.#pe = pe;
    this.capacity = capacity;
    this.#free = capacity > 0 ? [{ offset: 0, bytes: capacity }] : [];
    this.#freeBytes = capacity;
  }

  /** Bytes that are free, in however many pieces. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /**
   * Takes a range.
   *
   * @param bytes How much; at least one cache line is taken.
   * @param options What comes before its elements, and how it is cleared.
   * @returns Its offset in the segment, aligned to a cache line; the elements of a large range
   * begin on a page where a free block has room for that.
   * @throws {OutOfMemoryError} If no free block is large enough.
   */
  allocate(bytes: number, { head = 0, clear }: AllocateOptions = {}): number {
    const need = Math.max(1, Math.ceil(bytes / ALLOCATION_ALIGN)) * ALLOCATION_ALIGN;
    const paged = bytes - head >= PAGED_BYTES_MIN;
    let offset: number | undefined;
    if (paged) offset = this.#take(need, (from) => pageFrom(from + head) - head);
    offset ??= this.#take(need, (from) => from);
    if (offset === undefined) throw this.#full(bytes);
    this.#used.set(offset, need);
    this.#freeBytes -= need;
    if (offset < this.#fresh) clear?.(offset, Math.min(need, this.#fresh - offset));
    this.#fresh = Math.max(this.#fresh, offset + need);
    return offset;
  }

  /** Takes a range out of the smallest free block that holds it where `start` puts it. */
  #take(need: number, start: (blockOffset: number) => number): number | undefined {
    let best: { offset: number; bytes: number } | undefined;
    for (const block of this.#free) {
      const room = block.bytes - (start(block.offset) - block.offset);
      if (room >= need && (!best || block.bytes < best.bytes)) best = block;
    }
    if (!best) return undefined;
    const offset = start(best.offset);
    const before = { offset: best.offset, bytes: offset - best.offset };
    const after = { offset: offset + need, bytes: best.bytes - before.bytes - need };
    const rest = [before, after].filter((block) => block.bytes > 0);
    this.#free.splice(this.#free.indexOf(best), 1, ...rest);
    return offset;
  }

  /**
   * Gives a range back.
   *
   * @param offset What `allocate` returned.
   * @throws {RangeError} If nothing is allocated there.
   */
  release(offset: number): void {
    const bytes = this.#used.get(offset);
    if (bytes === undefined) {
      throw new RangeError(
        `Cannot free offset ${offset} on PE ${this.#pe}: nothing is allocated there`,
      );
    }
    this.#used.delete(offset);
    this.#freeBytes += bytes;
    const at = this.#insertionPoint(offset);
    this.#free.splice(at, 0, { offset, bytes });
    this.#join(at);
    if (at > 0) this.#join(at - 1);
  }

  #insertionPoint(offset: number): number {
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#free[middle]!.offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Joins block `at` with the next one if they touch. */
  #join(at: number): void {
    const block = this.#free[at];
    const next = this.#free[at + 1];
    if (!block || !next || block.offset + block.bytes !== next.offset) return;
    block.bytes += next.bytes;
    this.#free.splice(at + 1, 1);
  }

  #full(bytes: number): OutOfMemoryError {
    const largest = this.#free.reduce((most, block) => Math.max(most, block.bytes), 0);
    return new OutOfMemoryError(
      `Cannot allocate ${bytes} bytes on PE ${this.#pe}: ${this.#freeBytes} bytes are free ` +
        `(${largest} in one piece) of the ${this.capacity} configured; raise LAMELLAR_HEAP_SIZE`,
      { pe: this.#pe, op: "allocate" },
    );
  }
}

/** The first page boundary from an offset on. */
function pageFrom(offset: number): number {
  return Math.ceil(offset / HEAP_PAGE_BYTES) * HEAP_PAGE_BYTES;
}
