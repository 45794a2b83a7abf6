/**
 * A process of a job, as its agent sees it.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { Buffer } from "node:buffer";
import type { Duplex, Readable } from "node:stream";
import { LineSplitter } from "./lines.ts";
import { PMI_LINE_CHARACTERS_MAX } from "./pmi_server.ts";
import type { FromAgent, JobSignal } from "./protocol.ts";

/** The descriptor that a process finds its PMI connection at. */
const PMI_FD = 3;
/** How long what a process said is waited for after its end, in milliseconds. */
const DRAIN_MS = 300;
/** How long the beginning of a line waits for its end before it is shown, in milliseconds. */
const PARTIAL_MS = 100;
/** Lines longer than this are shown in pieces. */
const OUTPUT_LINE_BYTES_MAX = 1024 * 1024;

/** What to start, and whom to tell. */
export interface AgentProcessOptions {
  readonly rank: number;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Tells the launcher; the promise settles when it may be told more. */
  readonly say: (message: FromAgent) => Promise<void>;
  /** Answers a PMI line, or leaves it to the launcher. */
  readonly answer: (line: string) => string | undefined;
  /** Called with the process group once it is there. */
  readonly watch: (pid: number) => void;
  /** Called with the process group once it has ended. */
  readonly forget: (pid: number) => void;
}

/** Runs a process at the head of a process group of its own. */
export class AgentProcess {
  readonly #options: AgentProcessOptions;
  readonly #child: ChildProcess;
  readonly #streams: Promise<void>[] = [];
  #runs = true;

  /**
   * Starts the process.
   *
   * @param options What to start.
   */
  constructor(options: AgentProcessOptions) {
    this.#options = options;
    const { rank, command, cwd } = options;
    this.#child = spawn(command[0]!, command.slice(1), {
      cwd,
      env: { ...options.env, PMI_FD: String(PMI_FD), PMI_RANK: String(rank) },
      stdio: [rank === 0 ? "pipe" : "ignore", "pipe", "pipe", "pipe"],
      detached: true,
    });
    this.#child.on("error", (error) => this.#refuse(error));
    const pid = this.#child.pid;
    if (pid === undefined) return;
    options.watch(pid);
    this.#child.on("exit", (code, signal) => this.#ended(pid, code ?? 0, signal ?? ""));
    this.#streams.push(
      this.#passOutput(this.#child.stdout!, false),
      this.#passOutput(this.#child.stderr!, true),
      this.#passPmi(),
    );
    this.#child.stdin?.on("error", () => {
      // A process need not read its input to the end.
    });
  }

  /** Whether the process has not ended yet. */
  get runs(): boolean {
    return this.#runs;
  }

  /**
   * Sends a signal to the process and to all that it started.
   *
   * @param signal The signal.
   */
  signal(signal: JobSignal): void {
    if (this.#runs && this.#child.pid !== undefined) signalGroup(this.#child.pid, signal);
  }

  /**
   * Sends a line to its PMI connection.
   *
   * @param line The line without its line feed.
   */
  sendPmi(line: string): void {
    this.#pmi.write(`${line}\n`);
  }

  /**
   * Passes on input.
   *
   * @param base64 The bytes; none are the end.
   */
  input(base64: string): void {
    const stdin = this.#child.stdin;
    const more = () => void this.#options.say({ type: "more" });
    if (!stdin?.writable) return more();
    if (base64 === "") stdin.end();
    else stdin.write(Buffer.from(base64, "base64"), more);
  }

  get #pmi(): Duplex {
    return this.#child.stdio[PMI_FD] as unknown as Duplex;
  }

  #refuse(error: Error): void {
    if (!this.#runs) return;
    this.#runs = false;
    const { rank, command, cwd, say } = this.#options;
    const why = `cannot be started as ${command[0]} in ${cwd}: ${error.message}`;
    say({ type: "refused", rank, why });
  }

  async #ended(pid: number, code: number, signal: string): Promise<void> {
    this.#runs = false;
    // What it left behind would keep its streams open, and outlive the job.
    signalGroup(pid, "SIGKILL");
    this.#options.forget(pid);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise((resolve) => timer = setTimeout(resolve, DRAIN_MS));
    await Promise.race([Promise.all(this.#streams), limit]);
    clearTimeout(timer);
    await this.#options.say({ type: "exit", rank: this.#options.rank, code, signal });
  }

  async #passPmi(): Promise<void> {
    const { rank, say, answer } = this.#options;
    const splitter = new LineSplitter(Infinity);
    this.#pmi.on("error", () => {
      // The process has gone; its end is told by other means.
    });
    try {
      for await (const chunk of this.#pmi as AsyncIterable<Uint8Array>) {
        const whole = splitter.push(chunk);
        if (splitter.waiting > PMI_LINE_CHARACTERS_MAX) {
          await say({ type: "refused", rank, why: "sent a PMI line without end" });
          return;
        }
        if (!whole) continue;
        for (const line of new TextDecoder().decode(whole.subarray(0, -1)).split("\n")) {
          const known = answer(line);
          if (known === undefined) await say({ type: "pmi", rank, line });
          else this.sendPmi(known);
        }
      }
    } catch {
      // Closed the hard way.
    }
  }

  async #passOutput(stream: Readable, isError: boolean): Promise<void> {
    const splitter = new LineSplitter(OUTPUT_LINE_BYTES_MAX);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => this.#sayOutput(isError, splitter.take());
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        clearTimeout(timer);
        await this.#sayOutput(isError, splitter.push(chunk));
        // Rank 0 may ask for input in the middle of a line.
        if (this.#options.rank === 0 && splitter.waiting > 0) timer = setTimeout(flush, PARTIAL_MS);
      }
    } catch {
      // Closed the hard way.
    }
    clearTimeout(timer);
    await flush();
  }

  async #sayOutput(isError: boolean, bytes: Uint8Array | undefined): Promise<void> {
    if (!bytes) return;
    const { rank, say } = this.#options;
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      await say({ type: "output", rank, isError, text });
    } catch {
      await say({ type: "bytes", rank, isError, base64: Buffer.from(bytes).toString("base64") });
    }
  }
}

function signalGroup(pid: number, signal: JobSignal): void {
  try {
    Deno.kill(-pid, signal);
  } catch {
    // Nothing of the group is left.
  }
}
