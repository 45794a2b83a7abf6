/**
 * Streams of bytes taken apart into lines.
 *
 * @module
 */

import { GrowingBytes } from "../../internal/growing_bytes.ts";

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** Gathers bytes until lines are whole. */
export class LineSplitter {
  readonly #bytesMax: number;
  readonly #rest = new GrowingBytes();
  #overwrites = false;

  /**
   * Makes an empty one.
   *
   * @param bytesMax How many bytes of a line without end are kept.
   */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** How many bytes of a line wait for its end. */
  get waiting(): number {
    return this.#rest.length;
  }

  /** Whether what waits is to be written over, as a count of what is done, and has no end. */
  get overwrites(): boolean {
    return this.#overwrites;
  }

  /**
   * Takes bytes.
   *
   * @param bytes What came; it may be reused by the caller afterwards.
   * @returns All lines that are whole now, with their line feeds, in one piece; a line that is too
   * long comes in pieces. Undefined if there is nothing.
   */
  push(bytes: Uint8Array): Uint8Array | undefined {
    const end = bytes.lastIndexOf(LINE_FEED) + 1;
    if (end === 0) {
      this.#keep(bytes);
      return this.#rest.length > this.#bytesMax ? this.take() : undefined;
    }
    this.#keep(bytes.subarray(0, end));
    const whole = this.take();
    if (end < bytes.length) this.#keep(bytes.subarray(end));
    return whole;
  }

  /**
   * Takes out what waits for the end of its line.
   *
   * @returns The bytes, or undefined if there are none.
   */
  take(): Uint8Array | undefined {
    this.#overwrites = false;
    return this.#rest.length === 0 ? undefined : this.#rest.take();
  }

  #keep(bytes: Uint8Array): void {
    this.#rest.append(bytes);
    this.#overwrites ||= bytes.includes(CARRIAGE_RETURN);
  }
}

/**
 * Reads a stream line by line.
 *
 * @param stream The stream.
 * @param bytesMax The longest line.
 * @returns The lines without their line feeds. What comes after the last line feed is left out: its
 * writer was cut off.
 * @throws {RangeError} If a line is longer.
 */
export async function* readLines(
  stream: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<string> {
  const splitter = new LineSplitter(Infinity);
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const whole = splitter.push(chunk);
    if (splitter.waiting > bytesMax) {
      throw new RangeError(`Cannot read a line of more than ${bytesMax} bytes`);
    }
    if (whole) yield* decoder.decode(whole.subarray(0, -1)).split("\n");
  }
}
