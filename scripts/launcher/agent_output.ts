/**
 * What a process writes, on its way from the process to the launcher.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { LineSplitter } from "./lines.ts";
import type { FromAgent } from "./protocol.ts";

/** How long the beginning of a line waits for its end before it is shown, in milliseconds. */
const PARTIAL_MS = 100;
/** The same once a part of it has been passed on and others wait for its end. */
const LONG_LINE_MS = 1000;
/** A longer line is passed on in pieces. */
const PIECE_BYTES_MAX = 1024 * 1024;
const LINE_FEED = 10;

/** Lets the processes of an agent pass on long lines one after the other. */
export class LongLine {
  #rank: number | undefined;
  #over = Promise.withResolvers<void>();

  /**
   * Waits until no other process is in the middle of a line. It is the turn of this one then, until
   * it has told how its line goes on: of several that waited, only one goes on.
   *
   * @param rank The process.
   */
  async turn(rank: number): Promise<void> {
    while (this.#rank !== undefined && this.#rank !== rank) await this.#over.promise;
    this.#rank = rank;
  }

  /**
   * Tells how the line of a process goes on, once it is its turn.
   *
   * @param rank The process.
   * @param more Whether the end of its line is still to come.
   */
  set(rank: number, more: boolean): void {
    if (more) this.#rank = rank;
    else if (this.#rank === rank) {
      this.#rank = undefined;
      this.#over.resolve();
      this.#over = Promise.withResolvers();
    }
  }
}

/** What an output is, and whom to tell. */
export interface PassOptions {
  readonly rank: number;
  readonly isError: boolean;
  /** Tells the launcher; settles when it may be told more. */
  readonly say: (message: FromAgent) => Promise<void>;
  /** Shared by the processes of the agent. */
  readonly longLine: LongLine;
}

/**
 * Passes an output on, in whole lines as far as possible. What has no end is passed on when nothing
 * has come for a while, where somebody may wait for it, or is to see it at once.
 *
 * @param stream What the process writes.
 * @param options What it is, and whom to tell.
 */
export async function passOutput(
  stream: AsyncIterable<Uint8Array>,
  options: PassOptions,
): Promise<void> {
  const { rank, longLine } = options;
  const splitter = new LineSplitter(PIECE_BYTES_MAX);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let inLine = false;
  const pass = async (bytes: Uint8Array | undefined, more: boolean): Promise<void> => {
    longLine.set(rank, more);
    if (bytes === undefined && inLine === more) return;
    inLine = more;
    await sayOutput(options, bytes ?? new Uint8Array(), more);
  };
  const flush = async (): Promise<void> => {
    await longLine.turn(rank);
    await pass(splitter.take(), false);
  };
  try {
    for await (const chunk of stream) {
      clearTimeout(timer);
      await longLine.turn(rank);
      const whole = splitter.push(chunk);
      await pass(whole, whole ? whole.at(-1) !== LINE_FEED : inLine);
      if (splitter.overwrites) await flush();
      if (inLine) timer = setTimeout(flush, LONG_LINE_MS);
      // The first process may ask for input in the middle of a line.
      else if (rank === 0 && splitter.waiting > 0) timer = setTimeout(flush, PARTIAL_MS);
    }
  } catch {
    // Closed the hard way.
  }
  clearTimeout(timer);
  await flush();
}

async function sayOutput(
  { rank, isError, say }: PassOptions,
  bytes: Uint8Array,
  more: boolean,
): Promise<void> {
  let message: FromAgent;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    message = { type: "output", rank, isError, more, text };
  } catch {
    const base64 = Buffer.from(bytes).toString("base64");
    message = { type: "bytes", rank, isError, more, base64 };
  }
  await say(message);
}
