/**
 * PEs at the service of a program that stays what it is: a server, a test, a notebook. The thread
 * that starts them is their client. It watches over them without blocking, and nothing of the
 * process changes: no handlers for signals, no exit, no patches.
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import { adviseHugePages } from "../../ffi/libc.ts";
import { atomicStore } from "../../internal/atomics.ts";
import type { Config } from "../../internal/config.ts";
import type { LamellarError } from "../../internal/errors.ts";
import { compileKernels, instantiateKernels } from "../../internal/kernels.ts";
import { checkPermissions } from "../../internal/platform.ts";
import { ClientLamella } from "../local/client_lamella.ts";
import {
  CLOSED,
  isFailing,
  wakePe,
  wakeSupervisor,
  writeFailure,
} from "../local/failure_record.ts";
import {
  BLOCK,
  blockOf,
  createMemory,
  HEADER,
  type Layout,
  LAYOUT_MAGIC,
  layoutFor,
  ownPesOf,
} from "../local/layout.ts";
import { LIVE, PE_STATE, STATUS, statusIndex, statusOfAll } from "../local/pe_status.ts";
import { type Lamella, WAIT_FOR } from "../lamella.ts";
import { Bell } from "./bell.ts";
import { fullText } from "./memory_watch.ts";
import { PE_WORKER_NAME, type StartMessage } from "./pe_context.ts";
import { Watchdog } from "./watchdog.ts";

/** How often the PEs are looked at when nobody tells that something happened, in milliseconds. */
const LOOK_MS = 500;
/** The same once they fail, in milliseconds. */
const LOOK_SOON_MS = 50;
/** How long PEs may clean up after a failure before their threads are ended, in milliseconds. */
const GRACE_MS = 400;
/** How long a PE may take to answer whether anything keeps it alive, in milliseconds. */
const ANSWER_MS = 500;
/** How often its answer is looked for, in milliseconds. */
const ANSWER_LOOK_MS = 20;
/** Numbers of sessions are from here to twice as many. */
const SESSION_MIN = 2 ** 19;
/** Longest delay of a timer. */
const FOREVER_MS = 2 ** 31 - 1;

const BOOT = new URL("./boot.ts", import.meta.url);

/** What to start. */
export interface HostedOptions {
  /** URL of what each PE runs. */
  readonly program: string;
  readonly args: readonly string[];
  /** What its program is told. */
  readonly told: unknown;
  readonly numPes: number;
  readonly config: Config;
  /** Version of the library. */
  readonly version: string;
  /** Bytes of JavaScript objects that each PE may have. */
  readonly objectBytesMax: number;
}

/** A PE and its thread. */
interface HostedPe {
  readonly pe: number;
  readonly worker: Worker;
  /** Whether its thread has ended, as far as Deno tells. */
  ended: boolean;
}

/** PEs that run in threads of this process, at the service of this one. */
export class HostedPes {
  /** How the client reaches them. */
  readonly lamella: Lamella;
  readonly #layout: Layout;
  readonly #memory: WebAssembly.Memory;
  readonly #options: HostedOptions;
  readonly #bell: Bell;
  readonly #watchdog: Watchdog;
  /** Whether the PEs are being asked what keeps them alive. */
  #isAsking = false;
  #pes: readonly HostedPe[] = [];
  /** Holds the process while the client waits for something. */
  readonly #holder: ReturnType<typeof setInterval>;
  #waits = false;
  #isHeld = true;
  /** Whether somebody waits for the end. */
  #isAwaited = false;
  readonly #over: Promise<void>;
  #isOver = false;
  /** Whether the programs of the PEs may end. */
  #mayEnd = false;
  #failedAt: number | undefined;

  /**
   * Starts the PEs. Whether they come up is seen by what they say.
   *
   * @param options What to start.
   * @throws {RangeError} If the memory for the PEs cannot be had.
   * @throws {FeatureLevelError} If a permission is missing.
   */
  constructor(options: HostedOptions) {
    checkPermissions(BOOT.href);
    const { config, numPes } = options;
    const { heapBytes = 0, ringBytes = 0 } = config;
    const session = SESSION_MIN + crypto.getRandomValues(new Uint32Array(1))[0]! % SESSION_MIN;
    const share = { numPes, firstPe: 0, nearPes: numPes, networkBytes: 0, clients: 1, session };
    this.#options = options;
    this.#layout = layoutFor(share, ringBytes, heapBytes);
    this.#memory = createMemory(this.#layout);
    adviseHugePages(this.#memory.buffer, this.#layout.open);
    const module = compileKernels(this.#layout.memory64);
    const kernels = instantiateKernels(this.#memory, {
      memory64: this.#layout.memory64,
      module,
      scratch: blockOf(this.#layout, numPes) + BLOCK.scratch,
    });
    this.lamella = new ClientLamella(this.#layout, this.#memory, kernels, (waits) => {
      this.#waits = waits;
      this.#hold();
    });
    const { views } = this.lamella;
    views.i32[HEADER.magic >>> 2] = LAYOUT_MAGIC;
    this.#bell = new Bell(views);
    // It ends nothing, unless the user has set a limit.
    const { deadlockMs = 0 } = config;
    this.#watchdog = new Watchdog(this.#layout, views, { ...config, deadlockMs });
    this.#holder = setInterval(() => {}, FOREVER_MS);
    this.#hold();
    this.#pes = ownPesOf(this.#layout).map((pe) => this.#start(pe, module));
    this.#over = this.#watch();
  }

  /** Lets the process end although the client waits for something. */
  unref(): void {
    this.#isHeld = false;
    this.#hold();
  }

  /** Keeps the process alive while the client waits for something, as from the start. */
  ref(): void {
    this.#isHeld = true;
    this.#hold();
  }

  #hold(): void {
    const timer = this.#holder as unknown as number;
    if (this.#isAwaited || (this.#isHeld && this.#waits)) Deno.refTimer(timer);
    else Deno.unrefTimer(timer);
  }

  /**
   * Keeps the process alive until no PE is left.
   *
   * @returns Settles then.
   */
  ended(): Promise<void> {
    this.#isAwaited = true;
    this.#hold();
    return this.#over;
  }

  /** Takes note that the programs of the PEs end from now on, as they were told. */
  expectEnd(): void {
    this.#mayEnd = true;
  }

  /**
   * Ends the threads of all PEs, whatever they do. A thread that computes goes on until its loop
   * ends or the process does: nothing can stop it.
   *
   * @param why The error of what is under way.
   */
  end(why: string): void {
    if (this.#isOver) return;
    this.#fail(CLOSED, why);
    this.#failedAt = -Infinity;
    wakeSupervisor(this.lamella.views);
  }

  /**
   * Finds the PEs that compute: nobody can stop them. They are those that do not answer what keeps
   * them alive, since their event loops do not run.
   *
   * @returns Those PEs, after some tenths of a second.
   */
  async findComputing(): Promise<number[]> {
    const { views: { i32 } } = this.lamella;
    this.#isAsking = true;
    const states = this.#words(STATUS.state);
    const asked = ownPesOf(this.#layout).filter((pe) => states[pe]! < PE_STATE.finished);
    for (const pe of asked) {
      atomicStore(i32, statusIndex(this.#layout, pe, STATUS.live), LIVE.asked);
    }
    const silent = (): number[] => {
      const answers = this.#words(STATUS.live);
      return asked.filter((pe) => answers[pe] === LIVE.asked);
    };
    for (const until = performance.now() + ANSWER_MS; performance.now() < until;) {
      if (silent().length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, ANSWER_LOOK_MS));
    }
    this.#isAsking = false;
    return silent();
  }

  /** Why the PEs fail, or null. */
  get failure(): LamellarError | null {
    return this.lamella.failure();
  }

  #start(pe: number, module: WebAssembly.Module): HostedPe {
    const { args, config, objectBytesMax, program, told, version } = this.#options;
    // Of the two kinds of Workers, this one ends alone when its memory is full.
    const worker = new Worker(entryOf(BOOT), {
      name: PE_WORKER_NAME,
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(objectBytesMax / 2 ** 20) },
    });
    const hosted: HostedPe = { pe, worker, ended: false };
    worker.unref();
    worker.on("error", (error: Error & { code?: string }) => {
      const full = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      const what = full ? fullText(objectBytesMax) : error.message;
      this.#fail(pe, `PE ${pe} failed: ${what}`);
    });
    worker.on("exit", () => {
      hosted.ended = true;
      if (this.#words(STATUS.state)[pe]! < PE_STATE.finished) {
        this.#fail(pe, `PE ${pe} failed: its thread ended`);
      }
      wakeSupervisor(this.lamella.views);
    });
    const message: StartMessage = {
      pe,
      layout: this.#layout,
      memory: this.#memory,
      module,
      network: undefined,
      program,
      args,
      config,
      version,
      objectBytesMax,
      told,
    };
    worker.postMessage(message);
    return hosted;
  }

  #fail(pe: number, text: string): void {
    writeFailure(this.#layout, this.lamella.views, pe, 1, text);
  }

  /** A word of the status of each PE. */
  #words(word: number): number[] {
    return statusOfAll(this.#layout, this.lamella.views.i32, word);
  }

  /** Watches over the PEs until none is left. */
  async #watch(): Promise<void> {
    for (;;) {
      const seen = this.#bell.read();
      if (this.#look()) break;
      const soon = this.#failedAt !== undefined;
      await this.#bell.wait(seen, soon ? LOOK_SOON_MS : LOOK_MS, false);
    }
    this.#isOver = true;
    clearInterval(this.#holder);
    await Promise.all(this.#pes.map(({ ended, worker }) => ended ? undefined : worker.terminate()));
    // What waits for news of the PEs would keep their memory for ever.
    wakePe(this.#layout, this.lamella.views, this.#layout.numPes);
    wakeSupervisor(this.lamella.views);
  }

  /** Returns whether the PEs are over. */
  #look(): boolean {
    const { views } = this.lamella;
    const states = this.#words(STATUS.state);
    const over = states.every((state) => state >= PE_STATE.finished);
    if (!isFailing(views)) {
      const ended = this.#mayEnd ? -1 : states.indexOf(PE_STATE.finished);
      if (ended >= 0) this.#fail(ended, `PE ${ended} failed: its program ended by itself`);
      else if (over) return true;
      else this.#lookForStall(states);
      return false;
    }
    const now = performance.now();
    this.#failedAt ??= now;
    return over || now - this.#failedAt >= GRACE_MS;
  }

  /** Reports PEs that wait for each other while nothing moves; idle ones wait for the program. */
  #lookForStall(states: readonly number[]): void {
    const waits = this.#words(STATUS.waitKind).some((kind) => kind !== WAIT_FOR.nothing);
    if (!waits || this.#isAsking) return;
    const stuck = this.#watchdog.look(states);
    if (stuck !== undefined) this.#fail(-1, stuck);
  }
}

/** What a Worker of Node begins with: it takes files and texts, and no addresses of the Web. */
function entryOf(boot: URL): URL {
  if (boot.protocol === "file:") return boot;
  return new URL(`data:text/javascript,import ${encodeURIComponent(JSON.stringify(boot.href))};`);
}
