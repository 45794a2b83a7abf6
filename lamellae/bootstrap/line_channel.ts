/**
 * Lines of text over a socket: what PMI-1 and the rendezvous have in common. Everything is bounded:
 * the length of a line, the lines that wait to be read, and the time of a wait.
 *
 * @module
 */

import type { Socket } from "node:net";
import { ClosedError, HandshakeError, TimeoutError } from "../../internal/errors.ts";
import { launcherLost, within } from "./bootstrap.ts";

/** Most lines that wait to be read: no peer of ours sends more without an answer, by far. */
const LINES_MAX = 100_000;

/** What a channel is told about its peer. */
export interface LineChannelOptions {
  /** Who is on the other side, as in "the launcher (PMI_FD=6)". */
  readonly peer: string;
  /** Most bytes of a line. */
  readonly lineBytesMax: number;
}

/** Lines of text over a socket. */
export class LineChannel {
  /** Who is on the other side. */
  readonly peer: string;
  readonly #socket: Socket;
  readonly #lines: string[] = [];
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  readonly #closed = Promise.withResolvers<Error>();
  #lineBytesMax: number;
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #end: Error | undefined;
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;

  /**
   * @param socket A socket that is connected, or will be.
   * @param options The peer, and how long its lines may be.
   */
  constructor(socket: Socket, options: LineChannelOptions) {
    this.peer = options.peer;
    this.#socket = socket;
    this.#lineBytesMax = options.lineBytesMax;
    socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
    socket.on("error", (cause: Error & { code?: string }) => {
      // Closed by a process that had not read all.
      if (cause.code === "ECONNRESET" || cause.code === "EPIPE") return gone();
      this.#finish(launcherLost(`The connection to ${this.peer} failed: ${cause.message}`, cause));
    });
    const gone = () => this.#finish(launcherLost(`The connection to ${this.peer} was closed`));
    socket.on("end", gone);
    socket.on("close", gone);
    // A wait has a timer of its own; the connection alone need not keep the process alive.
    socket.unref();
  }

  /**
   * Settles when the connection has ended.
   *
   * @returns Why it ended.
   */
  get closed(): Promise<Error> {
    return this.#closed.promise;
  }

  /**
   * Allows longer lines, once the peer is known.
   *
   * @param bytes Most bytes of a line.
   */
  setLineBytesMax(bytes: number): void {
    this.#lineBytesMax = bytes;
  }

  /**
   * Sends a line.
   *
   * @param line The text, without its end of line.
   * @returns A promise that settles once the system has it; it never rejects, the channel ends.
   */
  send(line: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#end) return resolve();
      this.#socket.write(`${line}\n`, () => resolve());
    });
  }

  /**
   * Takes the next line, however long that takes; only one call may be pending.
   *
   * @returns The line.
   * @throws {LamellarError} If the connection ends before.
   */
  next(): Promise<string> {
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (this.#end) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /**
   * Takes the next line, which has to come in time; if it does not, the connection is closed, for
   * nobody could tell what a late line answers.
   *
   * @param limitMs How long to wait, in milliseconds.
   * @param what What is waited for, as in "the barrier".
   * @returns The line.
   * @throws {TimeoutError} If it does not come in time.
   * @throws {LamellarError} If the connection ends before.
   */
  receive(limitMs: number, what: string): Promise<string> {
    return within(this.next(), limitMs, () => {
      const error = new TimeoutError(
        `Waited ${limitMs / 1000} s for ${what}, and ${this.peer} did not answer`,
        { op: "bootstrap" },
      );
      this.end(error);
      return error;
    });
  }

  /**
   * Ends the connection.
   *
   * @param reason Why; what is pending is rejected with it.
   */
  end(reason: Error): void {
    this.#finish(reason);
  }

  #take(chunk: Uint8Array): void {
    let from = 0;
    for (;;) {
      const at = chunk.indexOf(10, from);
      const piece = chunk.subarray(from, at < 0 ? chunk.length : at);
      this.#pieceBytes += piece.length;
      if (this.#pieceBytes > this.#lineBytesMax) {
        return this.#refuse(`a line of more than ${this.#lineBytesMax} bytes`);
      }
      if (piece.length > 0) this.#pieces.push(piece);
      if (at < 0 || this.#end) return;
      from = at + 1;
      const line = this.#line();
      if (line === undefined) return this.#refuse("bytes that are not UTF-8 text");
      this.#deliver(line);
    }
  }

  #line(): string | undefined {
    const bytes = new Uint8Array(this.#pieceBytes);
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.#pieceBytes = 0;
    try {
      return this.#decoder.decode(bytes);
    } catch {
      return undefined;
    }
  }

  #deliver(line: string): void {
    const waiting = this.#waiting;
    if (waiting) {
      this.#waiting = undefined;
      waiting.resolve(line);
    } else if (this.#lines.push(line) > LINES_MAX) {
      this.#refuse(`more than ${LINES_MAX} lines that nobody asked for`);
    }
  }

  #refuse(what: string): void {
    this.#finish(new HandshakeError(`${capital(this.peer)} sent ${what}`, { op: "bootstrap" }));
  }

  #finish(reason: Error): void {
    if (this.#end) return;
    this.#end = reason;
    this.#socket.destroy();
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
    this.#closed.resolve(reason);
  }
}

/**
 * @param text Part of a sentence.
 * @returns The same as the beginning of a sentence.
 */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/**
 * The reason of a connection that this side has closed in good order.
 *
 * @returns An error for uses afterwards.
 */
export function closedHere(): ClosedError {
  return new ClosedError("The bootstrap is closed", { op: "bootstrap" });
}
