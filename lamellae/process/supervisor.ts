/**
 * The supervisor: the main thread of a process. It starts the PEs, watches over them, and ends the
 * process with the right exit code; it runs nothing of the user's.
 *
 * @module
 */

import { adviseHugePages } from "../../ffi/libc.ts";
import { type Config, environment, readBootstrapConfig } from "../../internal/config.ts";
import { FeatureLevelError } from "../../internal/errors.ts";
import { compileKernels } from "../../internal/kernels.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import { checkPermissions } from "../../internal/platform.ts";
import { bootstrapMeans } from "../bootstrap/means.ts";
import {
  type FailureRecord,
  isFailing,
  readFailure,
  STUCK,
  wakeSupervisor,
  writeFailure,
} from "../local/failure_record.ts";
import {
  createMemory,
  HEADER,
  type Layout,
  LAYOUT_MAGIC,
  layoutFor,
  ownPesOf,
} from "../local/layout.ts";
import { PE_STATE, STATUS, statusOfAll } from "../local/pe_status.ts";
import type { NetworkStart } from "../rofi/network_start.ts";
import { Bell } from "./bell.ts";
import type { ProcessGroup } from "./process_group.ts";
import { reportInOwnRow } from "./open_row.ts";
import { PE_WORKER_NAME, type StartMessage } from "./pe_context.ts";
import { DEADLOCK_MARK, Watchdog } from "./watchdog.ts";

/** How often the supervisor looks at the PEs when nobody wakes it, in milliseconds. */
const LOOK_MS = 500;
/** The same once the job is failing, or seems to be stuck. */
const LOOK_SOON_MS = 50;
/** How long the supervisor may do nothing but start PEs, in milliseconds. */
const BREATH_MS = 250;
/** How long PEs may clean up after a failure before the process ends, in milliseconds. */
const GRACE_MS = 400;

/** What is wrong with a program for which PEs were started in vain. */
const NO_WORLD =
  "the program ended without building a world; probably nothing calls the function " +
  "that builds it, or a condition that is false on PEs guards the call";

const BOOT = new URL("./boot.ts", import.meta.url);

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
 * @throws {FeatureLevelError} If a permission is missing.
 */
export async function supervise(job: Job): Promise<never> {
  checkPermissions(BOOT.href);
  const { config, numPes, version } = job;
  const group = isSpread(config) ? await join(config, version) : undefined;
  try {
    const supervisor = new Supervisor(job, group?.layout ?? layoutOf(config, numPes), group);
    Deno.exit(await supervisor.run());
  } catch (error) {
    if (!group) throw error;
    Deno.exit(await group.giveUp(error));
  }
}

function layoutOf({ heapBytes, ringBytes }: Config, numPes: number): Layout {
  return layoutFor(numPes, ringBytes ?? 0, heapBytes ?? 0);
}

/** Loads what only jobs of several processes need, a third of all modules, and joins the others. */
async function join(config: Config, version: string): Promise<ProcessGroup> {
  const { joinProcesses } = await import("./join.ts");
  return await joinProcesses(config, version);
}

/**
 * Whether the job has several processes. Started by a launcher, each would else be a world of its
 * own and do the whole work.
 */
function isSpread({ backend }: Config): boolean {
  if (backend === "rofi" || backend === "shmem") return true;
  const means = bootstrapMeans({ config: readBootstrapConfig(environment), env: environment });
  if (backend === undefined || means === "alone") return means !== "alone";
  throw new FeatureLevelError(
    "Cannot run several processes on the local lamella: unset LAMELLAR_BACKEND, or start one " +
      "process with LAMELLAR_PES",
    { op: "build" },
  );
}

class Supervisor {
  readonly #job: Job;
  readonly #group: ProcessGroup | undefined;
  readonly #layout: Layout;
  readonly #memory: WebAssembly.Memory;
  readonly #views: MemoryViews;
  readonly #watchdog: Watchdog;
  /** The PEs of this process. */
  readonly #pes: readonly number[];
  #meeting: "under way" | "over" | undefined;
  #interrupts = 0;
  /** Whether PEs have been started. */
  #runs = false;
  /** How long the job has been failing, and when that was counted last. */
  #failing: { ms: number; countedAt: number } | undefined;

  constructor(job: Job, layout: Layout, group: ProcessGroup | undefined) {
    this.#job = job;
    this.#group = group;
    this.#layout = layout;
    this.#memory = createMemory(this.#layout);
    group?.adopt(this.#memory);
    this.#pes = ownPesOf(this.#layout);
    adviseHugePages(this.#memory.buffer, this.#layout.open);
    this.#views = memoryViews(this.#memory.buffer);
    this.#views.i32[HEADER.magic >>> 2] = LAYOUT_MAGIC;
    if (job.config.label) reportInOwnRow(this.#views.i32);
    this.#watchdog = new Watchdog(
      this.#layout,
      this.#views,
      job.config,
      (stalledMs) => group?.shareStalled(stalledMs) ?? stalledMs,
    );
  }

  async run(): Promise<number> {
    // The shm provider has handlers of its own, which end the process if they find none.
    this.#listenForSignals();
    const start = await this.#group?.open(this.#memory);
    this.#runs = true;
    this.#group?.enterPes();
    const module = compileKernels(this.#layout.memory64);
    let breath = performance.now();
    for (const pe of this.#pes) {
      // Starting a Worker blocks for some 15 ms, in which the PEs before it go on.
      this.#startWorker(pe).postMessage(this.#startMessage(pe, module, start));
      if (performance.now() - breath < BREATH_MS) continue;
      // Other processes expect signs of life.
      await new Promise((resolve) => setTimeout(resolve, 0));
      breath = performance.now();
    }
    this.#group?.lost().then((why) => this.#lose(why));
    const bell = new Bell(this.#views);
    for (;;) {
      const seen = bell.read();
      this.#group?.watchStart();
      const code = this.#look();
      if (code !== undefined) {
        await this.#leave(code);
        return code;
      }
      const soon = this.#failing !== undefined || this.#watchdog.suspects;
      await bell.wait(seen, soon ? LOOK_SOON_MS : LOOK_MS);
    }
  }

  #startWorker(pe: number): Worker {
    const worker = new Worker(BOOT, { type: "module", name: PE_WORKER_NAME });
    // Errors of the program never come here, so this one is the runtime's own or Deno's.
    worker.onerror = (event) => {
      event.preventDefault();
      const place = event.filename ? ` at ${event.filename}:${event.lineno}` : "";
      this.#fail(pe, 1, `PE ${pe} failed: ${event.message}${place}`);
    };
    return worker;
  }

  #startMessage(
    pe: number,
    module: WebAssembly.Module,
    network: NetworkStart | undefined,
  ): StartMessage {
    const { program, args, config, version } = this.#job;
    return {
      pe,
      layout: this.#layout,
      memory: this.#memory,
      module,
      network,
      program,
      args,
      config,
      version,
    };
  }

  #fail(pe: number, exitCode: number, text: string): void {
    writeFailure(this.#layout, this.#views, pe, exitCode, text);
  }

  /** Ends the job after the launcher or a process has gone, in silence if it said why itself. */
  #lose(why: string): void {
    const [, reported] = /\breported: (.*)$/.exec(why) ?? [];
    writeFailure(this.#layout, this.#views, -1, 1, reported ?? why, reported !== undefined);
  }

  /** Takes leave of the other processes. */
  async #leave(code: number): Promise<void> {
    const group = this.#group;
    if (!group) return;
    if (this.#fails()) await group.abort(code, readFailure(this.#views).text);
    await group.close();
  }

  /**
   * Whether the job fails. Once all processes have met at the end it cannot any more: what breaks
   * then is that another has closed its endpoint already.
   */
  #fails(): boolean {
    return this.#meeting !== "over" && isFailing(this.#views);
  }

  /** Returns the exit code once the job is over. */
  #look(): number | undefined {
    if (this.#fails()) return this.#lookAtFailure();
    const notice = this.#group?.notice();
    if (notice !== undefined) console.error(`lamellar: ${notice}`);
    const states = this.#words(STATUS.state);
    if (states.every((state) => state === PE_STATE.finished)) {
      if (this.#didNothing()) this.#fail(-1, 1, NO_WORLD);
      else if (this.#hasMetOthers()) return this.#exitCode();
      return undefined;
    }
    const absent = this.#absence(states);
    const stuck = absent ?? this.#watchdog.lookForLost(states) ?? this.#watchdog.look(states);
    if (stuck !== undefined) this.#fail(absent === undefined ? STUCK : -1, 1, stuck);
    return undefined;
  }

  /** The endpoint has to stay until every process is done with it. */
  #hasMetOthers(): boolean {
    if (!this.#group || this.#meeting === "over") return true;
    if (this.#meeting === undefined) {
      this.#meeting = "under way";
      this.#group.meetAtEnd().then(() => {
        this.#meeting = "over";
        wakeSupervisor(this.#views);
      }, (error: Error) => this.#fail(-1, 1, error.message));
    }
    return false;
  }

  #exitCode(): number {
    return this.#words(STATUS.exitCode).find((code) => code !== 0) ?? 0;
  }

  /** Whether no PE has built a world, nor ended by intent without one. */
  #didNothing(): boolean {
    const intended = [STATUS.joined, STATUS.exited, STATUS.exitCode];
    return intended.every((word) => this.#words(word).every((value) => value === 0));
  }

  /** A PE that ended without a world is missing in the worlds of the others, for ever. */
  #absence(states: readonly number[]): string | undefined {
    const joined = this.#words(STATUS.joined);
    const present = joined.indexOf(1);
    const absent = states.findIndex((state, i) => state === PE_STATE.finished && !joined[i]);
    if (present < 0 || absent < 0) return undefined;
    return `PE ${this.#pes[absent]} failed: its program ended without building a world, ` +
      `and PE ${this.#pes[present]} built one: every PE must build its world and await it ` +
      "at the top level";
  }

  #lookAtFailure(): number | undefined {
    const record = readFailure(this.#views);
    const now = performance.now();
    if (!this.#failing) this.#report(record);
    const failing = this.#failing ??= { ms: 0, countedAt: now };
    // While the whole process stood still its PEs could not clean up either.
    failing.ms += Math.min(now - failing.countedAt, 2 * LOOK_SOON_MS);
    failing.countedAt = now;
    const over = this.#words(STATUS.state).every((state) =>
      state === PE_STATE.finished || state === PE_STATE.failed
    );
    const told = this.#group?.tell() ?? true;
    if (!(over && told) && failing.ms < GRACE_MS) return undefined;
    return record.exitCode;
  }

  #report({ far, text }: FailureRecord): void {
    const told = far || this.#group?.isLaunched;
    if (!told) return console.error(`lamellar: ${text}`);
    // Who tells that the job is stuck sees its own PEs only, and they may wait for ours.
    const { culprits } = this.#watchdog;
    if (culprits && text.includes(DEADLOCK_MARK)) console.error(`lamellar: ${culprits}`);
  }

  /** A word of the status of each PE. */
  #words(word: number): number[] {
    return statusOfAll(this.#layout, this.#views.i32, word);
  }

  #listenForSignals(): void {
    const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
    for (const name of Object.keys(codes) as (keyof typeof codes)[]) {
      try {
        Deno.addSignalListener(name, () => {
          if (++this.#interrupts > 1 || !this.#runs) Deno.exit(codes[name]);
          const { name: pes } = this.#group ?? {};
          const text = pes ? `${pes} got ${name}` : `the job was ended by ${name}`;
          this.#fail(-1, codes[name], text);
        });
      } catch {
        // This platform does not have the signal.
      }
    }
  }
}
