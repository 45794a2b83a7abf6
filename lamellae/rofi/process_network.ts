/**
 * The network of a process, as its supervisor opens it, watches it, and closes it.
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
import {
  type Config,
  environment,
  readBootstrapConfig,
  readLauncherConfig,
} from "../../internal/config.ts";
import { HandshakeError } from "../../internal/errors.ts";
import { compileKernels, instantiateKernels } from "../../internal/kernels.ts";
import { memoryViews } from "../../internal/memory_views.ts";
import {
  type Bootstrap,
  compareHello,
  type Hello,
  platformHello,
  startBootstrap,
} from "../bootstrap/mod.ts";
import { atomicCompareExchange, atomicLoad, atomicStore } from "../../internal/atomics.ts";
import { defaultRingBytes, type Layout, type Share } from "../local/layout.ts";
import { type Card, parseCard, pesPerProcess, tokenOf } from "./card.ts";
import { CONTROL, networkLayout, type NetworkShape } from "./network_layout.ts";
import { type NetworkStart, type Peer, pesOf } from "./network_start.ts";
import { Port } from "./port.ts";
import { PROGRESS_WORKER_NAME, type ProgressMessage } from "./progress_thread.ts";
import { Standstill } from "./standstill.ts";

/** Counts the versions of what processes say to each other. */
const PROTOCOL = 1;

const PROGRESS = new URL("./progress_thread.ts", import.meta.url);

/**
 * Bytes of a ring at the least, whatever is asked: a message holds a quarter of it, and each has
 * its price.
 */
const RING_BYTES_MIN = 65536;
/** Before a text that the user has read already. */
const REPORTED = "reported:";
/** How long other processes have to settle what is under way when one fails, in milliseconds. */
const SETTLE_MS = 200;
/** How long the first process has to tell why the job cannot start, in milliseconds. */
const FIRST_MS = 1000;
/** How long the end of the progress thread is waited for, in milliseconds. */
const STOP_MS = 1000;
/** Exit code for what cannot be started as asked. */
const SETUP_EXIT_CODE = 2;
/** Time between looks whether it has ended. */
const STOP_LOOK_MS = 5;

/** The network of a process. */
export class ProcessNetwork {
  /** Which PEs of the world are in this process. */
  readonly share: Share;
  /** Bytes of the ring from one PE to another. */
  readonly ringBytes: number;
  readonly #bootstrap: Bootstrap;
  readonly #config: Config;
  readonly #version: string;
  readonly #shape: NetworkShape;
  #fabric: Fabric | undefined;
  #start: NetworkStart | undefined;
  #words: Int32Array | undefined;
  /** Whether there is a progress thread. */
  #running = false;
  #standstill: Standstill | undefined;

  private constructor(
    bootstrap: Bootstrap,
    config: Config,
    version: string,
    share: Omit<Share, "networkBytes">,
  ) {
    this.#bootstrap = bootstrap;
    this.#config = config;
    this.#version = version;
    const { nearPes, numPes } = share;
    const asked = config.ringBytes ?? defaultRingBytes(nearPes * numPes);
    this.ringBytes = Math.max(asked, RING_BYTES_MIN);
    const batchBytes = this.ringBytes / 4;
    this.#shape = { nearPes, numPes, processes: bootstrap.size, batchBytes };
    this.share = { ...share, networkBytes: networkLayout(0, this.#shape).bytes };
  }

  /**
   * Finds the other processes of the job.
   *
   * @param config The settings.
   * @param version Version of the library.
   * @returns The network, not open yet.
   * @throws {HandshakeError} If the launcher does not play along, or the numbers do not fit.
   */
  static async join(config: Config, version: string): Promise<ProcessNetwork> {
    const settings = { config: readBootstrapConfig(environment), env: environment };
    const bootstrap = await startBootstrap(settings);
    try {
      const asked = readLauncherConfig(environment).pesPerProcess;
      const nearPes = pesPerProcess(config.pes, asked, bootstrap.size);
      const numPes = nearPes * bootstrap.size;
      const firstPe = nearPes * bootstrap.rank;
      return new ProcessNetwork(bootstrap, config, version, { numPes, firstPe, nearPes });
    } catch (error) {
      Deno.exit(await giveUp(bootstrap, error));
    }
  }

  /**
   * Opens the endpoint, meets the other processes, and starts the progress thread.
   *
   * @param layout Where everything lies.
   * @param memory The memory of the process.
   * @returns What every thread needs to know.
   * @throws {HandshakeError} If the processes differ; says in what.
   * @throws {TransportError} If the provider fails.
   * @throws {FeatureLevelError} If there is no libfabric, or no usable provider.
   */
  async open(layout: Layout, memory: WebAssembly.Memory): Promise<NetworkStart> {
    sweepShm();
    const { provider, domain } = this.#config;
    const fabric = this.#fabric = openFabric({ provider, domain, contexts: true });
    const address = baseAddress(memory.buffer);
    const own = fabric.register(address, BigInt(layout.totalBytes));
    const { rank, job } = this.#bootstrap;
    const token = tokenOf(job);
    const bell = fabric.oneHost ? createBell(token) : undefined;
    const cards = await this.#meet(layout, {
      name: fabric.name.toHex(),
      key: String(own.key),
      base: String(own.base),
      bell: bell?.path ?? "",
    });
    const hosts = cards.map(({ hello }) => hello.host);
    const addresses = fabric.insert(cards.map(({ name }) => Uint8Array.fromHex(name)));
    const peers = cards.map(({ key, base, bell: path }, other): Peer => ({
      address: addresses[other]!,
      key: BigInt(key),
      base: BigInt(base),
      bell: other === rank ? bell?.address ?? 0n : path ? openBell(path, token) : 0n,
      host: hosts[other]!,
    }));
    const neighbours = hosts.filter((host) => host === hosts[rank]).length;
    const net = networkLayout(layout.network, this.#shape);
    const start: NetworkStart = {
      layout,
      net,
      memoryAddress: Number(address),
      rank,
      pesPerProcess: layout.nearPes,
      pesOnHost: neighbours * layout.nearPes,
      peers,
      token,
      fabric: {
        provider: fabric.provider,
        ep: fabric.ep,
        cq: fabric.cq,
        desc: own.desc,
        anyBuffer: (fabric.mrMode & FI.FI_MR_LOCAL) === 0,
        waits: fabric.waitable === "sleeps",
        waitObject: fabric.waitObject,
        oneHost: fabric.oneHost,
        injectBytes: fabric.info.injectSize,
        transferBytesMax: Math.min(fabric.info.maxMsgSize, 2 ** 30),
      },
    };
    await this.#begin(start, memory, bell);
    return start;
  }

  async #meet(layout: Layout, own: Omit<Card, "hello">): Promise<Card[]> {
    const { barrierFactor, closures } = this.#config;
    const hello: Hello = {
      ...platformHello(),
      host: hostName(),
      protocol: PROTOCOL,
      version: this.#version,
      pesPerProcess: layout.nearPes,
      heapBytes: layout.heapBytes,
      ringBytes: layout.ringBytes,
      closures,
      barrierFactor,
      provider: this.#fabric!.provider,
    };
    const texts = await this.#bootstrap.exchange(JSON.stringify({ hello, ...own }));
    const cards = texts.map(parseCard);
    const differences = compareHello(cards.map((card) => card.hello));
    if (differences.length === 0) return cards;
    throw new HandshakeError(
      `The processes of the job do not fit together:\n  ${differences.join("\n  ")}`,
      { op: "build" },
    );
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
    views.i32[(net.control + CONTROL.probe) >>> 2] = 1;
    this.#standstill = new Standstill(start, views.i32);
    this.#standstill.begin();
    const module = compileKernels(layout.memory64);
    const kernels = instantiateKernels(memory, { memory64: layout.memory64, module });
    // The progress thread, which does not run yet, goes on with what this port began.
    const port = new Port(start, net.nearPes, kernels, views);
    port.postReceives();
    port.calls.close();
    await this.#bootstrap.barrier();
    const rung = bell?.mapped() === start.peers.length - 1;
    bell?.close();
    views.i32[(net.control + CONTROL.rung) >>> 2] = rung ? 1 : 0;
    const worker = new Worker(PROGRESS, { type: "module", name: PROGRESS_WORKER_NAME });
    const message: ProgressMessage = { start, memory, module };
    worker.postMessage(message);
    this.#running = true;
  }

  /**
   * @returns Settles when the launcher or another process is gone, with what is known of it.
   */
  async lost(): Promise<string> {
    const { message } = await this.#bootstrap.lost();
    // What knows processes by their numbers only, says rank.
    const { nearPes } = this.share;
    return message.replace(
      /\brank (\d+)\b/g,
      (_, rank: string) => pesOf({ pesPerProcess: nearPes }, Number(rank)),
    );
  }

  /** The PEs of this process, for messages. */
  get name(): string {
    return pesOf({ pesPerProcess: this.share.nearPes }, this.#bootstrap.rank);
  }

  /** Whether the launcher tells the user why the job fails, once for all processes. */
  get isLaunched(): boolean {
    return this.#bootstrap.agent === "lamellar";
  }

  /** Whether the other processes know why the job fails. */
  get told(): boolean {
    return !this.#start || this.#load(CONTROL.told) !== 0;
  }

  /**
   * Compares notes on how long nothing moved: that goes round with the signs of life.
   *
   * @param stalledMs How long nothing moved in this process, in milliseconds.
   * @returns How long nothing moved in any, as far as is known.
   */
  shareStalled(stalledMs: number): number {
    this.#standstill?.tell(stalledMs);
    return this.#standstill?.least() ?? 0;
  }

  #load(word: number): number {
    return atomicLoad(this.#words!, (this.#start!.net.control + word) >>> 2);
  }

  /**
   * Waits until every process has come to its end, however long its program goes on after its
   * world was closed.
   */
  async meetAtEnd(): Promise<void> {
    await this.#bootstrap.barrier(Infinity);
  }

  /**
   * Ends the whole job. Our launcher tells the user why; under others this process has.
   *
   * @param exitCode Its exit code.
   * @param text Why, and perhaps a stack below it.
   */
  async abort(exitCode: number, text: string): Promise<void> {
    if (this.isLaunched) return await this.#bootstrap.abort(exitCode, text);
    // Others kill at once, and the PEs of other processes have something to say, too.
    await after(SETTLE_MS);
    await this.#bootstrap.abort(exitCode, `${REPORTED} ${text.split("\n", 1)[0]}`);
  }

  /**
   * Ends a job that cannot begin, and says why, once.
   *
   * @param error Why it cannot.
   * @returns The exit code.
   */
  async giveUp(error: unknown): Promise<number> {
    const code = await giveUp(this.#bootstrap, error);
    if (await this.#stopProgress()) this.#fabric?.close();
    return code;
  }

  /** Ends the progress thread, closes the endpoint, and takes leave of the launcher. */
  async close(): Promise<void> {
    const stopped = await this.#stopProgress();
    // An endpoint that a thread still uses cannot be closed; the process ends with it.
    if (stopped) this.#fabric?.close();
    // Of a process that was killed, too.
    sweepShm();
    await this.#bootstrap.close();
  }

  async #stopProgress(): Promise<boolean> {
    const start = this.#start;
    if (!start || !this.#running) return true;
    const { control } = start.net;
    const words = this.#words!;
    atomicStore(words, (control + CONTROL.stop) >>> 2, 1);
    if (this.#load(CONTROL.rung)) {
      new HostBells(start.peers.map(({ bell }) => bell)).ring(start.rank);
    } else {
      using calls = fabricCalls(start.fabric.ep, start.fabric.cq);
      calls.cqSignal(start.fabric.cq);
    }
    const end = performance.now() + STOP_MS;
    // The lock is kept: a PE that goes on after a failure must not read a queue that is closed.
    const lock = (control + CONTROL.pollLock) >>> 2;
    while (this.#load(CONTROL.stopped) === 0 || atomicCompareExchange(words, lock, 0, 1) !== 0) {
      if (performance.now() > end) return false;
      await new Promise((resolve) => setTimeout(resolve, STOP_LOOK_MS));
    }
    return true;
  }
}

/**
 * Says why a job cannot begin: by the launcher if it is ours, by the first process where all find
 * the same, and else by who found it.
 */
async function giveUp(bootstrap: Bootstrap, error: unknown): Promise<number> {
  const text = error instanceof Error ? error.message : String(error);
  if (bootstrap.agent === "lamellar") await bootstrap.abort(SETUP_EXIT_CODE, text);
  else {
    const told = error instanceof HandshakeError && bootstrap.rank > 0 &&
      await Promise.race([bootstrap.lost(), after(FIRST_MS)]) !== undefined;
    if (!told) console.error(`lamellar: ${text}`);
    await bootstrap.abort(SETUP_EXIT_CODE, `${REPORTED} ${text.split("\n", 1)[0]}`);
  }
  return SETUP_EXIT_CODE;
}

function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
}

function hostName(): string {
  if (Deno.permissions.querySync({ name: "sys", kind: "hostname" }).state !== "granted") {
    return environment("HOSTNAME") ?? "localhost";
  }
  return Deno.hostname();
}
