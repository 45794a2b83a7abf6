/**
 * Labels before the lines of an output.
 *
 * @module
 */

import { GrowingBytes } from "./growing_bytes.ts";

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** Labels one output, which may come in pieces that end anywhere. */
export class LineLabels {
  readonly #label: Uint8Array;
  /** Whether the label of the line that is written on stands there already. */
  #begun = false;
  /** Whether the last piece ended in a carriage return, which may belong to a line end. */
  #returned = false;

  /**
   * @param label What to put before each line.
   */
  constructor(label: string) {
    this.#label = new TextEncoder().encode(label);
  }

  /** Notes that the line that is written on has been ended by somebody else. */
  begin(): void {
    this.#begun = false;
    this.#returned = false;
  }

  /**
   * Labels a piece. What follows a carriage return is written over the line, label and all, so it
   * gets one of its own.
   *
   * @param bytes The piece.
   * @returns The piece with labels.
   */
  add(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const labelled = new GrowingBytes();
    if (this.#returned && bytes[0] === LINE_FEED) this.#begun = true;
    let from = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      const returns = byte === CARRIAGE_RETURN && bytes[at + 1] !== LINE_FEED;
      if (!this.#begun && !returns) {
        labelled.append(bytes.subarray(from, at));
        labelled.append(this.#label);
        from = at;
        this.#begun = true;
      }
      if (byte === LINE_FEED || returns) this.#begun = false;
    }
    labelled.append(bytes.subarray(from));
    if (bytes.length > 0) this.#returned = bytes.at(-1) === CARRIAGE_RETURN;
    return labelled.take();
  }
}
