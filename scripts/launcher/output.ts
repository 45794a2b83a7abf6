/**
 * The launcher's own output: what the processes wrote, whole line by whole line.
 *
 * @module
 */

/** So much may wait to be written before those who write have to wait. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
const LINE_FEED = 10;

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
   * Writes whole lines, or the beginning of one. Whoever else writes then begins a new line.
   *
   * @param rank Who wrote it; -1 for the launcher.
   * @param bytes What was written.
   * @returns A promise that settles when more may be written.
   */
  write(rank: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return Promise.resolve();
    if (this.#open !== undefined && this.#open !== rank) this.#append(Uint8Array.of(LINE_FEED));
    this.#open = bytes.at(-1) === LINE_FEED ? undefined : rank;
    this.#append(bytes);
    return this.#waitingBytes > WAITING_BYTES_MAX ? this.#tail : Promise.resolve();
  }

  /**
   * Waits until all is written.
   *
   * @returns A promise that settles then; never if the reader takes nothing.
   */
  drained(): Promise<void> {
    return this.#tail;
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
