/**
 * The progress thread of a process, a Worker that never runs user code: it reads the network while
 * no PE does, so that a PE may compute, await or sleep without keeping others waiting; it tells the
 * other processes that this one lives, and when the job fails, why.
 *
 * While PEs look themselves it keeps out of their way, but for a look at a counter every few
 * milliseconds. When none has looked for that long, or one goes to sleep, it takes the queue and
 * sleeps there. The only PE of a process sleeps there itself, and relieves it.
 *
 * @module
 */

import { fabricError } from "../../ffi/mod.ts";
import { instantiateKernels } from "../../internal/kernels.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import type { Kernels } from "../../internal/kernels.ts";
import { isFailing, readFailure, wakeSupervisor, writeFailure } from "../local/failure_record.ts";
import { hearers, pesOf } from "../process/ranks.ts";
import { Silence } from "../process/silence.ts";
import { Arrivals } from "./arrivals.ts";
import { CoalescedCall } from "./coalesced_call.ts";
import { MESSAGE } from "./message.ts";
import { CONTROL, THREAD, threadOf } from "./network_layout.ts";
import type { NetworkStart } from "./network_start.ts";
import { Port } from "./port.ts";
import { Standstill } from "./standstill.ts";

/** Name of the Worker that is a progress thread. */
export const PROGRESS_WORKER_NAME = "lamellar-progress";

/** The message that starts it. */
export interface ProgressMessage {
  readonly start: NetworkStart;
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
}

/**
 * How long it keeps out of the PEs' way before it looks whether they still look: it doubles while
 * they do, for its own looks take time from theirs.
 */
const NAP_MS_MIN = 1;
const NAP_MS_MAX = 4;
/** Longest sleep in the network. */
const SLEEP_MS = 100;
/** Time between looks at a network that cannot be slept in: it doubles while nothing comes. */
const VISIT_MS_MIN = 0.05;
const VISIT_MS_MAX = 1;
/** Time between signs of life. */
const BEAT_MS = 500;
/** Time until a sign is given again that was refused. */
const BEAT_AGAIN_MS = 20;
/**
 * How long a sign that is overdue is insisted on: PEs that send more than the other process takes
 * leave no room for it.
 */
const INSIST_MS = 20;
/** How long a launcher that knows why a process cannot be reached has to say it. */
const BROKEN_MS = 500;
/** Time between looks for signs of life. */
const LISTEN_MS = 250;
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
  /** Transfers of each PE that wait to go out. */
  readonly #coalesced: readonly CoalescedCall[];
  readonly #silence: Silence;
  readonly #standstill: Standstill;
  /** When all others got the last sign; the first is given at once: before it, they are patient. */
  #beaten = performance.now() - BEAT_MS;
  /** When that was tried last. */
  #tried = 0;
  #listened = 0;
  #brokenSince = 0;
  /** Wakes that have been followed. */
  #heard = 0;

  constructor(start: NetworkStart, kernels: Kernels, views: MemoryViews) {
    this.#start = start;
    this.#kernels = kernels;
    this.#views = views;
    this.#control = start.net.control;
    this.#port = new Port(start, start.net.nearPes, kernels, views);
    new Arrivals(this.#port);
    const pes = Array.from({ length: start.net.nearPes }, (_, thread) => thread);
    this.#coalesced = pes.map((thread) => new CoalescedCall(this.#port, thread));
    const beats = start.net.beats >>> 2;
    this.#silence = new Silence(start, (rank) => views.i32[beats + rank]!, performance.now());
    this.#standstill = new Standstill(start, views.i32);
    // A process that stands still takes no messages, so that sending to it may wait for ever.
    this.#port.waits.onWait(() => this.#listen());
  }

  /** Works until it is asked to stop. Never throws. */
  run(): void {
    try {
      while (!this.#load(CONTROL.stop)) {
        this.#keepOut();
        if (this.#start.fabric.waits) this.#watch();
        else if (this.#load(CONTROL.woken)) this.#doze();
        else this.#visit();
        this.#speak();
      }
    } catch (error) {
      // Nothing can be sent any more once the network is being closed.
      if (!this.#load(CONTROL.stop)) this.#fail(error);
    }
    this.#kernels.store32(this.#control + CONTROL.stopped, 1);
    wakeSupervisor(this.#views);
  }

  #load(word: number): number {
    return this.#kernels.load32(this.#control + word);
  }

  /** Lets the PEs read the queue for as long as they do, or until one goes to sleep. */
  #keepOut(): void {
    for (let napMs = NAP_MS_MIN;; napMs = Math.min(2 * napMs, NAP_MS_MAX)) {
      const polls = this.#load(CONTROL.polls);
      const relieved = this.#nap(napMs);
      this.#speak();
      const wakes = this.#kernels.load32(this.#control + CONTROL.bell + 4);
      const woken = wakes !== this.#heard;
      this.#heard = wakes;
      if (this.#load(CONTROL.stop)) return;
      // A PE that was asleep in the queue is awake, or still sleeps there: it will look, or say so.
      if (!relieved && (woken || this.#load(CONTROL.polls) === polls)) return;
    }
  }

  /** Sleeps a little, or until a PE that sleeps in the queue is awake; returns which. */
  #nap(napMs: number): boolean {
    const relieved = this.#control + CONTROL.relieved;
    const guarded = (): boolean => this.#load(CONTROL.guarded) !== 0;
    const long = guarded();
    if (long) this.#kernels.store32(relieved, 1);
    // The PE may have woken before it could see that it has to wake the thread.
    const ms = long && guarded() ? SLEEP_MS : napMs;
    const bell = this.#control + CONTROL.bell;
    // No abort word: it would end every nap once the job fails.
    this.#kernels.wait(bell, this.#control + CONTROL.stop, this.#heard, 1, ms * 1e6);
    if (long) this.#kernels.store32(relieved, 0);
    return long;
  }

  /** Reads the queue until a PE wants it. */
  #watch(): void {
    const port = this.#port;
    if (!port.take()) return;
    this.#kernels.store32(this.#control + CONTROL.claim, 0);
    this.#kernels.store32(this.#control + CONTROL.watching, 1);
    try {
      const called = (): boolean =>
        this.#load(CONTROL.claim) !== 0 || this.#load(CONTROL.stop) !== 0;
      while (!called()) {
        port.sleep(SLEEP_MS, called);
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
      const came = this.#port.visit();
      this.#kernels.wait(bell, this.#control + CONTROL.stop, this.#heard, 1, napMs * 1e6);
      const wakes = this.#kernels.load32(bell + 4);
      napMs = came > 0 || wakes !== this.#heard ? VISIT_MS_MIN : Math.min(2 * napMs, VISIT_MS_MAX);
      this.#heard = wakes;
      this.#speak();
    }
  }

  /**
   * As `#visit`, where other processes wake it. Some messages come in several parts, for which
   * nobody does: so the naps are short at first.
   */
  #doze(): void {
    const port = this.#port;
    let napMs = VISIT_MS_MIN;
    this.#kernels.store32(this.#control + CONTROL.claim, 0);
    this.#kernels.store32(this.#control + CONTROL.watching, 1);
    const polls = this.#load(CONTROL.polls);
    while (
      this.#load(CONTROL.polls) === polls && !this.#load(CONTROL.claim) && !this.#load(CONTROL.stop)
    ) {
      napMs = port.doze(Math.min(napMs, SLEEP_MS)) > 0 ? VISIT_MS_MIN : 2 * napMs;
      this.#speak();
    }
    this.#kernels.store32(this.#control + CONTROL.watching, 0);
  }

  /** Says what has to be said to other processes now. */
  #speak(): void {
    if (isFailing(this.#views)) return this.#tellFailure();
    // PEs that look make these calls themselves; the others may not do so for long.
    for (let i = 0; i < this.#coalesced.length; i++) this.#coalesced[i]!.flush(false);
    this.#listen();
    const now = performance.now();
    if (now - this.#beaten < BEAT_MS || now - this.#tried < BEAT_AGAIN_MS) return;
    // The first messages to a process may be refused while it is being connected.
    this.#tried = now;
    const until = now - this.#beaten > 2 * BEAT_MS ? now + INSIST_MS : now;
    const stalled = this.#standstill.least();
    const told = hearers(this.#start, 1).map((rank) => this.#beat(rank, stalled, until));
    if (!told.every(Boolean)) return;
    this.#beaten = now;
    this.#views.i32[(this.#control + CONTROL.spoken) >>> 2] = 1;
  }

  /** At the end of a job others close their endpoints earlier. Before it, they miss the sign. */
  #beat(rank: number, stalledMs: number, until: number): boolean {
    return this.#say(rank, until, (slot) => {
      this.#port.head(slot, MESSAGE.beat, this.#start.rank, 0, stalledMs);
      return 0;
    });
  }

  /** Sends what may get lost, as soon as there is room for it, up to some time. */
  #say(rank: number, until: number, write: (slot: number) => number): boolean {
    const port = this.#port;
    for (;;) {
      const slot = port.tryAcquire();
      if (slot >= 0 && port.trySend(slot, rank, write(slot))) return true;
      if (performance.now() >= until) return false;
      port.poll();
    }
  }

  /** Ends the job if a process is silent or cannot be reached. */
  #listen(): void {
    const now = performance.now();
    const broken = this.#load(CONTROL.broken);
    if (broken !== 0) this.#lookAtBroken(broken < 0 ? -1 : broken - 1, now);
    if (now - this.#listened < LISTEN_MS) return;
    this.#listened = now;
    const silent = this.#silence.look(now);
    if (silent) writeFailure(this.#start.layout, this.#views, -1, 1, silent);
  }

  #lookAtBroken(rank: number, now: number): void {
    this.#brokenSince ||= now;
    if (now - this.#brokenSince < BROKEN_MS) return;
    const { layout, fabric, peers } = this.#start;
    const { errno, text } = fabricError(this.#load(CONTROL.broken + 4), "reach it", { op: "" });
    const what = rank < 0
      ? `${pesOf(this.#start, this.#start.rank)} lost a message`
      : `${pesOf(this.#start, rank)} on ${peers[rank]!.host} cannot be reached`;
    const told = `${what}: ${text} (${fabric.provider}, error ${errno})`;
    writeFailure(layout, this.#views, -1, 1, told);
  }

  /** Tells every process why the job fails, once; those that cannot be reached are passed over. */
  #tellFailure(): void {
    if (this.#load(CONTROL.told)) return;
    const { peers, rank } = this.#start;
    const failure = readFailure(this.#views);
    if (!failure.far) {
      const text = new TextEncoder().encode(failure.text);
      this.#port.waits.lastWords(LAST_WORDS_MS);
      const until = performance.now() + LAST_WORDS_MS;
      for (let other = 0; other < peers.length; other++) {
        if (other !== rank) this.#tell(other, until, failure.pe, failure.exitCode, text);
      }
      this.#port.flush(LAST_WORDS_MS);
    }
    this.#kernels.store32(this.#control + CONTROL.told, 1);
    wakeSupervisor(this.#views);
  }

  #tell(rank: number, until: number, pe: number, exitCode: number, text: Uint8Array): void {
    const port = this.#port;
    const part = text.subarray(0, port.payloadBytesMax);
    try {
      this.#say(rank, until, (slot) => {
        port.head(slot, MESSAGE.fail, this.#start.rank, 0, pe, exitCode);
        this.#views.u8.set(part, port.payloadOf(slot));
        return part.length;
      });
    } catch {
      // It may be the one that is gone; its launcher ends it if it is not.
    }
  }

  #fail(error: unknown): void {
    const { layout, rank } = this.#start;
    const what = error instanceof Error ? error.message : String(error);
    const text = `${pesOf(this.#start, rank)} lost the network: ${what}`;
    writeFailure(layout, this.#views, -1, 1, text);
    try {
      this.#tellFailure();
    } catch {
      this.#kernels.store32(this.#control + CONTROL.told, 1);
    }
  }
}
