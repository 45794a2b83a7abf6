/**
 * The progress thread of a process, a Worker that never runs user code: it reads the network while
 * no PE does, so that a PE may compute, await or sleep without keeping others waiting; it tells the
 * other processes that this one lives, and when the job fails, why.
 *
 * While PEs look themselves it keeps out of their way, but for a look at the clock each millisecond
 * or two. When none has looked for that long, or one goes to sleep, it takes the queue and sleeps
 * in `fi_cq_sread(3)`.
 *
 * @module
 */

import { TransportError } from "../../internal/errors.ts";
import { instantiateKernels } from "../../internal/kernels.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import type { Kernels } from "../../internal/kernels.ts";
import { isFailing, readFailure, ringSupervisor, writeFailure } from "../local/failure_record.ts";
import { Arrivals } from "./arrivals.ts";
import { MESSAGE } from "./message.ts";
import { CONTROL, THREAD, threadOf } from "./network_layout.ts";
import { hearers, type NetworkStart } from "./network_start.ts";
import { Port } from "./port.ts";
import { Silence, type Silent } from "./silence.ts";

/** Name of the Worker that is a progress thread. */
export const PROGRESS_WORKER_NAME = "lamellar-progress";

/** The message that starts it. */
export interface ProgressMessage {
  readonly start: NetworkStart;
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
}

/** How long it keeps out of the PEs' way before it looks whether they still look. */
const NAP_MS = 1;
/** Longest sleep in the network. */
const SLEEP_MS = 100;
/** Time between looks at a network that cannot be slept in: it doubles while nothing comes. */
const VISIT_MS_MIN = 0.05;
const VISIT_MS_MAX = 1;
/** Time between signs of life. */
const BEAT_MS = 500;
/** How long the others are told that the job fails. */
const LAST_WORDS_MS = 300;

/** The parts of a Worker's global scope that are used here. */
interface WorkerScope {
  name?: string;
  onmessage: ((event: MessageEvent<ProgressMessage>) => void) | null;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;

if (scope.name === PROGRESS_WORKER_NAME) {
  scope.onmessage = ({ data }) => {
    const { start, memory, module } = data;
    const { layout, net } = start;
    const scratch = threadOf(net, net.nearPes) + THREAD.scratch;
    const kernels = instantiateKernels(memory, { memory64: layout.memory64, module, scratch });
    new ProgressThread(start, kernels, memoryViews(memory.buffer)).run();
    scope.close();
  };
}

class ProgressThread {
  readonly #start: NetworkStart;
  readonly #kernels: Kernels;
  readonly #views: MemoryViews;
  readonly #port: Port;
  readonly #control: number;
  readonly #silence: Silence;
  #beaten = 0;
  /** Rings of the bell that have been followed. */
  #heard = 0;

  constructor(start: NetworkStart, kernels: Kernels, views: MemoryViews) {
    this.#start = start;
    this.#kernels = kernels;
    this.#views = views;
    this.#control = start.net.control;
    this.#port = new Port(start, start.net.nearPes, kernels, views);
    new Arrivals(this.#port);
    this.#silence = new Silence(start, views.i32, performance.now());
  }

  /** Works until it is asked to stop. Never throws. */
  run(): void {
    try {
      while (!this.#load(CONTROL.stop)) {
        this.#keepOut();
        if (this.#start.fabric.waits) this.#watch();
        else this.#visit();
        this.#speak();
      }
    } catch (error) {
      // Nothing can be sent any more once the network is being closed.
      if (!this.#load(CONTROL.stop)) this.#fail(error);
    }
    this.#kernels.store32(this.#control + CONTROL.stopped, 1);
    ringSupervisor(this.#views);
  }

  #load(word: number): number {
    return this.#kernels.load32(this.#control + word);
  }

  /** Lets the PEs read the queue for as long as they do, or until one goes to sleep. */
  #keepOut(): void {
    const bell = this.#control + CONTROL.bell;
    for (;;) {
      const polls = this.#load(CONTROL.polls);
      // No abort word: it would end every nap once the job fails.
      this.#kernels.wait(bell, this.#control + CONTROL.stop, this.#heard, 1, NAP_MS * 1e6);
      this.#speak();
      const rings = this.#kernels.load32(bell + 4);
      const rung = rings !== this.#heard;
      this.#heard = rings;
      if (rung || this.#load(CONTROL.stop) || this.#load(CONTROL.polls) === polls) return;
    }
  }

  /** Reads the queue until a PE wants it. */
  #watch(): void {
    const port = this.#port;
    if (!port.take()) return;
    this.#kernels.store32(this.#control + CONTROL.claim, 0);
    this.#kernels.store32(this.#control + CONTROL.watching, 1);
    try {
      while (!this.#load(CONTROL.claim) && !this.#load(CONTROL.stop)) {
        port.sleep(SLEEP_MS);
        this.#speak();
      }
    } finally {
      this.#kernels.store32(this.#control + CONTROL.watching, 0);
      port.leave();
    }
  }

  /**
   * Reads the queue now and then until a PE does, for a network that cannot be slept in. The lock
   * is not kept, so that a PE need not ask for it.
   */
  #visit(): void {
    const bell = this.#control + CONTROL.bell;
    const polls = this.#load(CONTROL.polls);
    let napMs = VISIT_MS_MIN;
    while (this.#load(CONTROL.polls) === polls && !this.#load(CONTROL.stop)) {
      const port = this.#port;
      let came = 0;
      if (port.take()) {
        try {
          came = port.look();
        } finally {
          port.leave();
        }
      }
      this.#kernels.wait(bell, this.#control + CONTROL.stop, this.#heard, 1, napMs * 1e6);
      const rings = this.#kernels.load32(bell + 4);
      napMs = came > 0 || rings !== this.#heard ? VISIT_MS_MIN : Math.min(2 * napMs, VISIT_MS_MAX);
      this.#heard = rings;
      this.#speak();
    }
  }

  /** Says what has to be said to other processes now. */
  #speak(): void {
    if (isFailing(this.#views)) return this.#tellFailure();
    const now = performance.now();
    if (now - this.#beaten < BEAT_MS) return;
    this.#beaten = now;
    const { net } = this.#start;
    const words = this.#views.i32;
    // Nothing moved for as long as it did neither here nor at those who tell this process.
    const stalled = hearers(this.#start, -1).reduce(
      (least, rank) => Math.min(least, words[(net.stalled >>> 2) + rank]!),
      words[(this.#control + CONTROL.stalled) >>> 2]!,
    );
    for (const rank of hearers(this.#start, 1)) this.#beat(rank, stalled);
    const silent = this.#silence.look(now);
    if (silent) this.#reportSilence(silent);
  }

  #beat(rank: number, stalledMs: number): void {
    const slot = this.#port.tryAcquire();
    if (slot < 0) return;
    try {
      this.#port.send(slot, MESSAGE.beat, this.#start.rank, 0, rank, 0, stalledMs);
    } catch (error) {
      // At the end of a job others close their endpoints earlier. Before it, they miss the sign.
      if (!(error instanceof TransportError)) throw error;
    }
  }

  #reportSilence({ rank, limitMs }: Silent): void {
    const { layout, peers, pesPerProcess } = this.#start;
    const first = rank * pesPerProcess;
    const pes = pesPerProcess === 1 ? `PE ${first}` : `PE ${first}-${first + pesPerProcess - 1}`;
    const text = `${pes} on ${peers[rank]!.host} gave no sign of life for ${limitMs / 1000} s`;
    writeFailure(layout, this.#views, -1, 1, text);
  }

  /** Tells every process why the job fails, once; those that cannot be reached are passed over. */
  #tellFailure(): void {
    if (this.#load(CONTROL.told)) return;
    const { peers, rank } = this.#start;
    const failure = readFailure(this.#views);
    if (!failure.far) {
      const text = new TextEncoder().encode(failure.text);
      this.#port.lastWords(LAST_WORDS_MS);
      for (let other = 0; other < peers.length; other++) {
        if (other !== rank) this.#tell(other, failure.pe, failure.exitCode, text);
      }
      this.#port.flush(LAST_WORDS_MS);
    }
    this.#kernels.store32(this.#control + CONTROL.told, 1);
    ringSupervisor(this.#views);
  }

  #tell(rank: number, pe: number, exitCode: number, text: Uint8Array): void {
    const port = this.#port;
    try {
      const slot = port.acquire();
      const payload = port.payloadOf(slot);
      const part = text.subarray(0, port.payloadBytesMax);
      this.#views.u8.set(part, payload);
      port.send(slot, MESSAGE.fail, this.#start.rank, 0, rank, part.length, pe, exitCode);
    } catch {
      // It may be the one that is gone; its launcher ends it if it is not.
    }
  }

  #fail(error: unknown): void {
    const { layout } = this.#start;
    const what = error instanceof Error ? error.message : String(error);
    writeFailure(layout, this.#views, -1, 1, `PE ${layout.firstPe} lost the network: ${what}`);
    try {
      this.#tellFailure();
    } catch {
      this.#kernels.store32(this.#control + CONTROL.told, 1);
    }
  }
}
