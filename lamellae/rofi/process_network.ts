/**
 * The network of a process, as its supervisor opens it and closes it.
 *
 * @module
 */

import {
  baseAddress,
  type BellPage,
  createBell,
  type Fabric,
  fabricCalls,
  FI,
  HostBells,
  openBell,
  openFabric,
  sweepShm,
} from "../../ffi/mod.ts";
import { compileKernels, instantiateKernels } from "../../internal/kernels.ts";
import { memoryViews } from "../../internal/memory_views.ts";
import { atomicCompareExchange, atomicLoad, atomicStore } from "../../internal/atomics.ts";
import { isFailing } from "../local/failure_record.ts";
import { BLOCK, blockOf, defaultRingBytes, OPEN, ownPesOf } from "../local/layout.ts";
import { PE_STATE, STATUS } from "../local/pe_status.ts";
import { refuseDifferences } from "../process/greeting.ts";
import { type Joined, ProcessGroup } from "../process/process_group.ts";
import { tagOf } from "../process/ranks.ts";
import { messageTokens } from "../process/secret.ts";
import { HOST_BYTES } from "../shmem/host_words.ts";
import { type Card, parseCard } from "./card.ts";
import { CONTROL, networkLayout, type NetworkShape } from "./network_layout.ts";
import type { NetworkStart, Peer } from "./network_start.ts";
import { Port } from "./port.ts";
import { PROGRESS_WORKER_NAME, type ProgressMessage } from "./progress_thread.ts";
import { Standstill } from "./standstill.ts";
import { Strangers } from "./strangers.ts";

const PROGRESS = new URL("./progress_thread.ts", import.meta.url);

/**
 * Bytes of a ring at the least, whatever is asked: a message holds a quarter of it, and each has
 * its price.
 */
const RING_BYTES_MIN = 65536;
/** How long what was said is given to leave, in milliseconds. */
const TURN_MS = 5;
/** How long the end of the progress thread is waited for, in milliseconds. */
const STOP_MS = 1000;
/** Time between looks whether it has ended. */
const STOP_LOOK_MS = 5;

/** What the network of a process needs. */
function shapeOf({ bootstrap, pes }: Joined, ringBytes: number): NetworkShape {
  const { nearPes, numPes } = pes;
  return { nearPes, numPes, processes: bootstrap.size, batchBytes: ringBytes / 4 };
}

/**
 * @param joined What is known of the processes.
 * @param places How many of them share a memory.
 * @returns What the memory of one has to hold.
 */
export function rofiShare(
  joined: Joined,
  places: number,
): { networkBytes: number; ringBytes: number } {
  const { nearPes, numPes } = joined.pes;
  const asked = joined.config.ringBytes ?? defaultRingBytes(places * nearPes * numPes);
  const ringBytes = Math.max(asked, RING_BYTES_MIN);
  const networkBytes = networkLayout(0, shapeOf(joined, ringBytes)).bytes + HOST_BYTES;
  return { networkBytes, ringBytes };
}

/** The processes of a job that talk over libfabric. */
export class ProcessNetwork extends ProcessGroup {
  #fabric: Fabric | undefined;
  #start: NetworkStart | undefined;
  #words: Int32Array | undefined;
  /** Whether there is a progress thread. */
  #running = false;
  #standstill: Standstill | undefined;
  #strangers: Strangers | undefined;
  #noticed = false;

  override async open(memory: WebAssembly.Memory): Promise<NetworkStart> {
    const { layout } = this;
    sweepShm();
    const { bootstrap, config, together } = this.joined;
    const { provider, domain } = config;
    // What was said last leaves before the call that nothing interrupts.
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
    const fabric = this.#fabric = openFabric({
      provider,
      domain,
      loopback: together,
      contexts: true,
    });
    const address = baseAddress(memory.buffer);
    const own = fabric.share(address + BigInt(layout.open), BigInt(layout.openBytes));
    const desc = fabric.use(address, BigInt(layout.totalBytes));
    const { rank, job } = bootstrap;
    const tag = tagOf(job);
    const bell = fabric.oneHost ? createBell(tag) : undefined;
    const card: Card = {
      provider: fabric.provider,
      name: fabric.name.toHex(),
      key: String(own.key),
      base: String(own.base),
      bell: bell?.path ?? "",
    };
    bootstrap.enter("connecting");
    const texts = await bootstrap.exchange(JSON.stringify(card));
    const cards = texts.map(parseCard);
    const { hellos } = this.joined;
    refuseDifferences(hellos.map((hello, i) => ({ ...hello, provider: cards[i]!.provider })));
    const addresses = fabric.insert(cards.map(({ name }) => Uint8Array.fromHex(name)));
    const peers = cards.map(({ key, base, bell: path }, other): Peer => ({
      address: addresses[other]!,
      key: BigInt(key),
      base: BigInt(base),
      bell: other === rank ? bell?.address ?? 0n : path ? openBell(path, tag) : 0n,
      host: hellos[other]!.host,
    }));
    const neighbours = peers.filter(({ host }) => host === peers[rank]!.host).length;
    const net = networkLayout(layout.network, shapeOf(this.joined, layout.ringBytes));
    const start: NetworkStart = {
      layout,
      net,
      memoryAddress: Number(address),
      rank,
      pesPerProcess: layout.nearPes,
      pesOnHost: neighbours * layout.nearPes,
      peers,
      tokens: messageTokens(this.joined.secret, bootstrap.size),
      fabric: {
        provider: fabric.provider,
        ep: fabric.ep,
        cq: fabric.cq,
        desc,
        anyBuffer: (fabric.mrMode & FI.FI_MR_LOCAL) === 0,
        waits: fabric.waitable === "sleeps",
        waitObject: fabric.waitObject,
        oneHost: fabric.oneHost,
        injectBytes: fabric.info.injectSize,
        transferBytesMax: Math.min(fabric.info.maxMsgSize, 2 ** 30),
        transferPiecesMax: Math.min(fabric.info.txIovLimit, fabric.info.rmaIovLimit),
        orderedPutBytesMax: fabric.info.orderedPutSize,
      },
    };
    await this.#begin(start, memory, bell);
    this.shared?.serve(rank, () => {
      if (isFailing(this.shared!.views)) this.shared!.wakeOwn();
    });
    return start;
  }

  /** Receives before anybody can send: the others wait for this process. */
  async #begin(
    start: NetworkStart,
    memory: WebAssembly.Memory,
    bell: BellPage | undefined,
  ): Promise<void> {
    this.#start = start;
    const { layout, net } = start;
    const views = memoryViews(memory.buffer);
    this.#words = views.i32;
    views.i32[(layout.open + OPEN.probe) >>> 2] = 1;
    this.#standstill = new Standstill(start, views.i32);
    this.#standstill.begin();
    this.#strangers = new Strangers(views, net);
    const module = compileKernels(layout.memory64);
    const kernels = instantiateKernels(memory, { memory64: layout.memory64, module });
    // The progress thread, which does not run yet, goes on with what this port began.
    const port = new Port(start, net.nearPes, kernels, views);
    port.postReceives();
    port.silence();
    port.calls.close();
    await this.joined.bootstrap.barrier();
    const woken = bell?.mapped() === start.peers.length - 1;
    bell?.close();
    views.i32[(net.control + CONTROL.woken) >>> 2] = woken ? 1 : 0;
    const worker = new Worker(PROGRESS, { type: "module", name: PROGRESS_WORKER_NAME });
    const message: ProgressMessage = { start, memory, module };
    worker.postMessage(message);
    this.#running = true;
  }

  protected override get isHeard(): boolean {
    return this.#load(CONTROL.spoken) !== 0;
  }

  /** The progress thread tells them. */
  override tell(): boolean {
    return !this.#start || this.#load(CONTROL.told) !== 0;
  }

  /** That goes round with the signs of life. */
  override shareStalled(stalledMs: number): number {
    this.#standstill?.tell(stalledMs);
    return this.#standstill?.least() ?? 0;
  }

  /** The first message of a stranger; the rest is counted. */
  override notice(): string | undefined {
    if (this.#noticed || !this.#strangers?.count) return undefined;
    this.#noticed = true;
    return `${this.name} dropped a message that is not of this job, and drops more in silence: ` +
      this.#strangers.describeFirst();
  }

  #load(word: number): number {
    return atomicLoad(this.#words!, (this.#start!.net.control + word) >>> 2);
  }

  /**
   * Ends the progress thread, and closes the endpoint if no thread can use it any more: each PE has
   * given it up by itself, and none is still to bind to it. Else, as in a job that fails, it is
   * there until the process ends, which is about to happen.
   */
  protected override async leave(): Promise<void> {
    await super.leave();
    const stopped = await this.#stopProgress();
    if (stopped && this.#areAllFinished()) this.#closeEndpoint();
    // Of a process that was killed, too.
    sweepShm(this.#fabric !== undefined);
  }

  /**
   * Closes the endpoint. What a stranger has begun and not ended can keep libfabric from closing
   * all of it, which must not make the job fail: the end of the process does the rest.
   */
  #closeEndpoint(): void {
    try {
      this.#fabric?.close();
    } catch (error) {
      console.error(`lamellar: ${this.name} ended with the network open: ${error}`);
    }
  }

  #areAllFinished(): boolean {
    const words = this.#words;
    return words !== undefined && ownPesOf(this.layout).every((pe) => {
      const status = (blockOf(this.layout, pe) + BLOCK.status) / 4;
      return atomicLoad(words, status + STATUS.state) === PE_STATE.finished;
    });
  }

  async #stopProgress(): Promise<boolean> {
    const start = this.#start;
    if (!start || !this.#running) return true;
    const { control } = start.net;
    const words = this.#words!;
    atomicStore(words, (control + CONTROL.stop) >>> 2, 1);
    if (this.#load(CONTROL.woken)) {
      new HostBells(start.peers.map(({ bell }) => bell)).wake(start.rank);
    } else {
      using calls = fabricCalls(start.fabric.ep, start.fabric.cq);
      calls.cqSignal(start.fabric.cq);
    }
    const end = performance.now() + STOP_MS;
    // The lock is kept: nobody may read a queue that is closed, or while the process ends.
    const lock = (control + CONTROL.pollLock) >>> 2;
    while (this.#load(CONTROL.stopped) === 0 || atomicCompareExchange(words, lock, 0, 1) !== 0) {
      if (performance.now() > end) return false;
      await new Promise((resolve) => setTimeout(resolve, STOP_LOOK_MS));
    }
    return true;
  }
}
