/**
 * The launcher's own output: what the processes wrote, whole line by whole line.
 *
 * @module
 */

/** So much may wait to be written before the writers have to wait. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
/** How long the end of a long line is waited for while nothing of it comes, in milliseconds. */
const LONG_LINE_MS = 2000;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** Where bytes go. */
export interface Sink {
  write(bytes: Uint8Array): Promise<number>;
}

/** One output stream that several processes share. */
export class Output {
  readonly #sink: Sink;
  readonly #onBroken: () => void;
  #tail: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  #broken = false;
  /** Who wrote the beginning of a line whose end is not there yet. */
  #open: number | undefined;
  /** Who is in the middle of a long line that the others wait behind. */
  #holder: number | undefined;
  #released = Promise.withResolvers<void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #waiting = new Set<Promise<void>>();

  /**
   * Makes the stream.
   *
   * @param sink Where it goes.
   * @param onBroken Called once if nobody reads it any more.
   */
  constructor(sink: Sink, onBroken: () => void) {
    this.#sink = sink;
    this.#onBroken = onBroken;
  }

  /**
   * Writes whole lines, or the beginning of one. Whoever else writes then waits for its end if more
   * of it comes, and else begins a new line.
   *
   * @param rank Who wrote it; -1 for the launcher.
   * @param bytes What was written.
   * @param more Whether the rest of the last line comes next.
   * @returns A promise that settles when more may be written.
   */
  write(rank: number, bytes: Uint8Array, more = false): Promise<void> {
    if (this.#holder === undefined || this.#holder === rank) return this.#write(rank, bytes, more);
    const written = this.#writeLater(rank, bytes, more);
    this.#waiting.add(written);
    return written.finally(() => this.#waiting.delete(written));
  }

  /**
   * Waits until all is written. Nothing more comes.
   *
   * @returns A promise that settles then; never if the reader takes nothing.
   */
  async drained(): Promise<void> {
    this.#release();
    await Promise.all(this.#waiting);
    await this.#tail;
  }

  async #writeLater(rank: number, bytes: Uint8Array, more: boolean): Promise<void> {
    while (this.#holder !== undefined && this.#holder !== rank) await this.#released.promise;
    await this.#write(rank, bytes, more);
  }

  #write(rank: number, bytes: Uint8Array, more: boolean): Promise<void> {
    if (bytes.length > 0) {
      // What is written over a line needs no new one.
      const joins = this.#open === undefined || this.#open === rank || bytes[0] === CARRIAGE_RETURN;
      if (!joins) this.#append(Uint8Array.of(LINE_FEED));
      this.#open = bytes.at(-1) === LINE_FEED ? undefined : rank;
      this.#append(bytes);
    }
    this.#release();
    if (more) {
      this.#holder = rank;
      this.#timer = setTimeout(() => this.#release(), LONG_LINE_MS);
    }
    return this.#waitingBytes > WAITING_BYTES_MAX ? this.#tail : Promise.resolve();
  }

  /** Lets the others write. */
  #release(): void {
    clearTimeout(this.#timer);
    if (this.#holder === undefined) return;
    this.#holder = undefined;
    this.#released.resolve();
    this.#released = Promise.withResolvers();
  }

  #append(bytes: Uint8Array): void {
    this.#waitingBytes += bytes.length;
    this.#tail = this.#tail.then(async () => {
      try {
        for (let at = 0; at < bytes.length && !this.#broken;) {
          at += await this.#sink.write(bytes.subarray(at));
        }
      } catch {
        this.#broken = true;
        this.#onBroken();
      }
      this.#waitingBytes -= bytes.length;
    });
  }
}
