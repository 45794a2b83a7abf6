/**
 * The processes of a job, as the supervisor of one of them sees them: how they found each other is
 * the same for all, what carries the traffic of their PEs is not.
 *
 * @module
 */

import type { Config } from "../../internal/config.ts";
import { HandshakeError } from "../../internal/errors.ts";
import type { Bootstrap, Hello } from "../bootstrap/mod.ts";
import type { Layout, Share } from "../local/layout.ts";
import type { NetworkStart } from "../rofi/network_start.ts";
import type { HostMemory } from "../shmem/host_memory.ts";
import { pesOf } from "./ranks.ts";

/** Before a text that the user has read already. */
const REPORTED = "reported:";
/** How long other processes have to settle what is under way when one fails, in milliseconds. */
const SETTLE_MS = 200;
/** How long the first process has to tell why the job cannot start, in milliseconds. */
const FIRST_MS = 1000;
/** Exit code for what cannot be started as asked. */
export const SETUP_EXIT_CODE = 2;

/** What is known once the processes have found each other, and have the same settings. */
export interface Joined {
  readonly bootstrap: Bootstrap;
  readonly config: Config;
  /** Which PEs of the world are in this process. */
  readonly pes: Pick<Share, "numPes" | "firstPe" | "nearPes">;
  /** What each process has said of itself. */
  readonly hellos: readonly Hello[];
  /** Whether all are on one host and in one network. */
  readonly together: boolean;
  /** The secret of the job. */
  readonly secret: Uint8Array;
}

/** The processes of a job. */
export abstract class ProcessGroup {
  /** Where everything is in the memory of this process. */
  readonly layout: Layout;
  /** What is known of the processes. */
  protected readonly joined: Joined;
  /** The memory that those of this host share, if they do. */
  protected readonly shared: HostMemory | undefined;
  #started = false;

  /**
   * @param joined What is known of the processes.
   * @param layout Where everything is.
   * @param shared The memory that those of this host share.
   */
  constructor(joined: Joined, layout: Layout, shared: HostMemory | undefined) {
    this.joined = joined;
    this.layout = layout;
    this.shared = shared;
  }

  /**
   * Takes the memory of the process over, before anything is written to it.
   *
   * @param memory The memory.
   * @throws {RangeError} If it cannot be shared after all.
   */
  adopt(memory: WebAssembly.Memory): void {
    this.shared?.map(memory);
  }

  /**
   * Connects the processes.
   *
   * @param memory The memory of the process.
   * @returns What every PE needs to know of the network, if there is one.
   * @throws {HandshakeError} If the processes differ; says in what.
   * @throws {TransportError} If the provider fails.
   * @throws {FeatureLevelError} If there is no libfabric, or no usable provider.
   */
  abstract open(memory: WebAssembly.Memory): Promise<NetworkStart | undefined>;

  /** Whether the listeners for signs of life of this process have got the first. */
  protected abstract get isHeard(): boolean;

  /** Notes that the processes are connected, and the PEs of this one are about to start. */
  enterPes(): void {
    this.joined.bootstrap.enter("pes");
  }

  /**
   * Ends the start of this process once others watch over it; to be called now and then, from the
   * start of its PEs on.
   */
  watchStart(): void {
    if (this.#started || !this.isHeard) return;
    this.#started = true;
    this.joined.bootstrap.enter("started");
  }

  /**
   * Sees to it that the other processes learn why the job fails.
   *
   * @returns Whether they know it.
   */
  abstract tell(): boolean;

  /**
   * Compares notes on how long nothing moved.
   *
   * @param stalledMs How long nothing moved in this process, in milliseconds.
   * @returns How long nothing moved in any, as far as is known.
   */
  abstract shareStalled(stalledMs: number): number;

  /**
   * @returns What the user should be told now, once, although the job goes on; or undefined.
   */
  notice(): string | undefined {
    return undefined;
  }

  /** Ends what `open` began. */
  protected leave(): Promise<void> {
    this.shared?.stop();
    return Promise.resolve();
  }

  /**
   * @returns Settles when the launcher or another process is gone, with what is known of it.
   */
  async lost(): Promise<string> {
    const { message } = await this.joined.bootstrap.lost();
    // What knows processes by their numbers only, says rank.
    return message.replace(/\brank (\d+)\b/g, (_, rank: string) => this.#nameOf(Number(rank)));
  }

  #nameOf(rank: number): string {
    return pesOf({ pesPerProcess: this.joined.pes.nearPes }, rank);
  }

  /** The PEs of this process, for messages. */
  get name(): string {
    return this.#nameOf(this.joined.bootstrap.rank);
  }

  /** Whether the launcher tells the user why the job fails, once for all processes. */
  get isLaunched(): boolean {
    return this.joined.bootstrap.agent === "lamellar";
  }

  /**
   * Waits until every process has come to its end, however long its program goes on after its
   * world was closed.
   */
  async meetAtEnd(): Promise<void> {
    await this.joined.bootstrap.barrier(Infinity);
  }

  /**
   * Ends the whole job. Our launcher tells the user why; under others this process has.
   *
   * @param exitCode Its exit code.
   * @param text Why, and perhaps a stack below it.
   */
  async abort(exitCode: number, text: string): Promise<void> {
    const { bootstrap } = this.joined;
    if (this.isLaunched) return await bootstrap.abort(exitCode, text);
    // Others kill at once, and the PEs of other processes have something to say, too.
    await after(SETTLE_MS);
    await bootstrap.abort(exitCode, `${REPORTED} ${text.split("\n", 1)[0]}`);
  }

  /**
   * Ends a job that cannot begin, and says why, once.
   *
   * @param error Why it cannot.
   * @returns The exit code.
   */
  async giveUp(error: unknown): Promise<number> {
    const code = await giveUp(this.joined.bootstrap, error);
    await this.leave();
    return code;
  }

  /** Takes leave of the other processes and of the launcher. */
  async close(): Promise<void> {
    await this.leave();
    await this.joined.bootstrap.close();
  }
}

/**
 * Says why a job cannot begin: by the launcher if it is ours, by the first process where all find
 * the same, and else by the process that found it.
 *
 * @param bootstrap How the processes found each other.
 * @param error Why it cannot.
 * @returns The exit code.
 */
export async function giveUp(bootstrap: Bootstrap, error: unknown): Promise<number> {
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
