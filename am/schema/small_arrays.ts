/**
 * Memory for the small typed arrays of payloads. A buffer for each costs more than its message: it
 * takes some 800 ns, a view of one that is there 80. Such arrays are therefore one after the other
 * in buffers that they share. No memory is used twice; a buffer goes when the last of its arrays
 * does.
 *
 * @module
 */

/** Small enough that a program which keeps one array in a hundred wastes little. */
const BUFFER_BYTES = 16_384;

/** Arrays up to so many bytes are small. */
export const SMALL_BYTES_MAX = 512;

/** Gives small typed arrays their memory. */
export class SmallArrays {
  /** Where the memory that was taken last begins in its buffer, a multiple of 8. */
  last = 0;
  #buffer = new ArrayBuffer(BUFFER_BYTES);
  #used = 0;

  /**
   * Takes memory for an array.
   *
   * @param bytes How much, up to {@linkcode SMALL_BYTES_MAX}.
   * @returns The buffer that it is in, from `last` on; it holds zeros.
   */
  take(bytes: number): ArrayBuffer {
    if (this.#used + bytes > BUFFER_BYTES) {
      this.#buffer = new ArrayBuffer(BUFFER_BYTES);
      this.#used = 0;
    }
    this.last = this.#used;
    this.#used += (bytes + 7) & ~7;
    return this.#buffer;
  }
}
