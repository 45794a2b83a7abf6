/**
 * A process of a job, as its agent sees it.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { Buffer } from "node:buffer";
import type { Duplex, Readable } from "node:stream";
import { type LongLine, passOutput } from "./agent_output.ts";
import { LineSplitter } from "./lines.ts";
import { PMI_LINE_CHARACTERS_MAX } from "./pmi_server.ts";
import type { FromAgent, JobSignal } from "./protocol.ts";
import { describeStillness, LifeWatch } from "./life_watch.ts";

/** The descriptor that a process finds its PMI connection at. */
const PMI_FD = 3;
/** How long more is waited for after the end of a process, while nothing comes, in milliseconds. */
const DRAIN_MS = 300;
/** How often is looked whether something comes, in milliseconds. */
const DRAIN_LOOK_MS = 20;

/** What to start, and whom to tell. */
export interface AgentProcessOptions {
  readonly rank: number;
  readonly command: readonly string[];
  /** Whether it runs this library from its beginning, and so says what it does in its start. */
  readonly ours: boolean;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Tells the launcher; the promise settles when it may be told more. */
  readonly say: (message: FromAgent) => Promise<void>;
  /** Answers a PMI line, or leaves it to the launcher. */
  readonly answer: (line: string) => string | undefined;
  /** Whose long line is under way, shared by the processes of the agent. */
  readonly longLines: Readonly<Record<"stdout" | "stderr", LongLine>>;
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
  #watch: LifeWatch | undefined;
  #runs = true;
  /** How many pieces of output wait to be taken by the launcher. */
  #saying = 0;
  /** When output came, or was taken, last. */
  #saidAt = 0;

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
    this.#watch = new LifeWatch(pid, options.ours);
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
   * Looks whether it lives, while no other process does; to be called twice a second.
   *
   * @param suspended Whether it has been stopped on purpose.
   */
  look(suspended: boolean): void {
    if (!this.#runs) return;
    if (suspended) return this.#watch?.forgive();
    const still = this.#watch?.look(performance.now());
    if (!still) return;
    this.#options.say({
      type: "still",
      rank: this.#options.rank,
      why: describeStillness(still),
    });
  }

  /**
   * Sends a line to its PMI connection.
   *
   * @param line The line without its line feed.
   */
  sendPmi(line: string): void {
    this.#watch?.told(line);
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
    await this.#drain();
    await this.#options.say({ type: "exit", rank: this.#options.rank, code, signal });
  }

  /** Waits for the rest of the output. A process it left behind may keep its streams open. */
  async #drain(): Promise<void> {
    this.#saidAt = performance.now();
    let isOver = false;
    const over = Promise.all(this.#streams).then(() => isOver = true);
    while (!isOver && (this.#saying > 0 || performance.now() - this.#saidAt < DRAIN_MS)) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const look = new Promise((resolve) => timer = setTimeout(resolve, DRAIN_LOOK_MS));
      await Promise.race([over, look]);
      clearTimeout(timer);
    }
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
          const known = this.#watch?.heard(line) ?? answer(line);
          if (known === undefined) await say({ type: "pmi", rank, line });
          else this.sendPmi(known);
        }
      }
    } catch {
      // Closed the hard way.
    }
  }

  #passOutput(stream: Readable, isError: boolean): Promise<void> {
    const { rank, say, longLines } = this.#options;
    return passOutput(this.#noticed(stream), {
      rank,
      isError,
      longLine: isError ? longLines.stderr : longLines.stdout,
      say: async (message) => {
        this.#saying++;
        await say(message);
        this.#saying--;
        this.#saidAt = performance.now();
      },
    });
  }

  async *#noticed(stream: Readable): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      this.#saidAt = performance.now();
      yield chunk;
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
