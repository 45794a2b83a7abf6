/**
 * The supervisor: the main thread of a process. It starts the PEs, watches over them, and ends the
 * process with the right exit code; it runs nothing of the user's.
 *
 * @module
 */

import { atomicLoad } from "../../internal/atomics.ts";
import type { Config } from "../../internal/config.ts";
import { compileKernels } from "../../internal/kernels.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import { isFailing, readFailure, writeFailure } from "./failure_record.ts";
import {
  BLOCK,
  blockOf,
  createMemory,
  HEADER,
  type Layout,
  LAYOUT_MAGIC,
  layoutFor,
  PE_STATE,
  STATUS,
} from "./layout.ts";
import { failureText } from "./local_lamella.ts";
import { PE_WORKER_NAME, type StartMessage } from "./pe_context.ts";
import { Watchdog } from "./watchdog.ts";

/** How often the supervisor looks at the PEs, in milliseconds. */
const LOOK_MS = 25;
/** How long PEs may clean up after a failure before the process ends, in milliseconds. */
const GRACE_MS = 400;

/** What to run. */
export interface Job {
  /** URL of the program. */
  readonly program: string;
  readonly args: readonly string[];
  readonly numPes: number;
  readonly config: Config;
  /** Version of the library. */
  readonly version: string;
}

/**
 * Runs a job and ends the process with its exit code.
 *
 * @param job What to run.
 * @throws {RangeError} If the memory for the PEs cannot be had.
 */
export async function supervise(job: Job): Promise<never> {
  const supervisor = new Supervisor(job);
  Deno.exit(await supervisor.run());
}

class Supervisor {
  readonly #job: Job;
  readonly #layout: Layout;
  readonly #memory: WebAssembly.Memory;
  readonly #views: MemoryViews;
  readonly #watchdog: Watchdog;
  #interrupts = 0;
  #failingSince = 0;

  constructor(job: Job) {
    this.#job = job;
    this.#layout = layoutFor(job.numPes, job.config.ringBytes ?? 0, job.config.heapBytes ?? 0);
    this.#memory = createMemory(this.#layout);
    this.#views = memoryViews(this.#memory.buffer);
    this.#views.i32[HEADER.magic >>> 2] = LAYOUT_MAGIC;
    this.#watchdog = new Watchdog(this.#layout, this.#views, job.config);
  }

  async run(): Promise<number> {
    const module = compileKernels(this.#layout.memory64);
    for (let pe = 0; pe < this.#job.numPes; pe++) this.#startPe(pe, module);
    this.#listenForSignals();
    return await new Promise((resolve) => {
      const timer = setInterval(() => {
        const code = this.#look();
        if (code === undefined) return;
        clearInterval(timer);
        resolve(code);
      }, LOOK_MS);
      this.#onMessage = () => {
        const code = this.#look();
        if (code !== undefined) resolve(code);
      };
    });
  }

  #onMessage: () => void = () => {};

  #startPe(pe: number, module: WebAssembly.Module): void {
    const { program, args, config, version } = this.#job;
    const worker = new Worker(new URL("./boot.ts", import.meta.url), {
      type: "module",
      name: PE_WORKER_NAME,
    });
    worker.onmessage = () => this.#onMessage();
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(pe, 1, failureText(pe, event.error ?? new Error(event.message)));
    };
    const message: StartMessage = {
      pe,
      layout: this.#layout,
      memory: this.#memory,
      module,
      program,
      args,
      config,
      version,
    };
    worker.postMessage(message);
  }

  #fail(pe: number, exitCode: number, text: string): void {
    writeFailure(this.#layout, this.#views, pe, exitCode, text);
  }

  /** Returns the exit code once the job is over. */
  #look(): number | undefined {
    if (isFailing(this.#views)) return this.#lookAtFailure();
    const states = this.#states();
    if (states.every((state) => state === PE_STATE.finished)) return 0;
    const verdict = this.#watchdog.look(states);
    if (verdict) this.#fail(-1, 1, verdict);
    return undefined;
  }

  #lookAtFailure(): number | undefined {
    const record = readFailure(this.#views);
    if (this.#failingSince === 0) {
      this.#failingSince = performance.now();
      console.error(`lamellar: ${record.text}`);
    }
    const over = this.#states().every((state) =>
      state === PE_STATE.finished || state === PE_STATE.failed
    );
    if (!over && performance.now() - this.#failingSince < GRACE_MS) return undefined;
    return record.exitCode;
  }

  #states(): number[] {
    return Array.from(
      { length: this.#layout.numPes },
      (_, pe) =>
        atomicLoad(
          this.#views.i32,
          (blockOf(this.#layout, pe) + BLOCK.status) / 4 + STATUS.state,
        ),
    );
  }

  #listenForSignals(): void {
    const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
    for (const name of Object.keys(codes) as (keyof typeof codes)[]) {
      try {
        Deno.addSignalListener(name, () => {
          if (++this.#interrupts > 1) Deno.exit(codes[name]);
          this.#fail(-1, codes[name], `the job was ended by ${name}`);
        });
      } catch {
        // This platform does not have the signal.
      }
    }
  }
}
