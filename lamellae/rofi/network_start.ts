/**
 * What every thread of a process needs to know of the network: plain data, which the supervisor
 * posts to the PEs and to the progress thread.
 *
 * @module
 */

import type { WaitObject } from "../../ffi/mod.ts";
import type { Layout } from "../local/layout.ts";
import type { Ranked } from "../process/ranks.ts";
import type { NetworkLayout } from "./network_layout.ts";

/** Another process, or this one. */
export interface Peer {
  /** Its `fi_addr_t`. */
  readonly address: bigint;
  /** The key of what it has open. */
  readonly key: bigint;
  /** Where that begins, as remote memory access names it. */
  readonly base: bigint;
  /** Where its bell is in the memory of this process; 0n if it has none. */
  readonly bell: bigint;
  /** Its host, for messages. */
  readonly host: string;
}

/** The network of a process. */
export interface NetworkStart extends Ranked {
  readonly layout: Layout;
  readonly net: NetworkLayout;
  /** The address of the memory's first byte in this process. */
  readonly memoryAddress: number;
  /** PEs of all processes of this host. */
  readonly pesOnHost: number;
  readonly peers: readonly Peer[];
  /**
   * Two words for each process, which messages to it begin with: a sender that lacks them is a
   * stranger.
   */
  readonly tokens: Int32Array;
  readonly fabric: {
    readonly provider: string;
    readonly ep: bigint;
    readonly cq: bigint;
    /** Descriptor of the memory. */
    readonly desc: bigint;
    /** Whether buffers outside of the memory may be used in transfers. */
    readonly anyBuffer: boolean;
    /** Whether `fi_cq_sread` sleeps rather than spins. */
    readonly waits: boolean;
    /** What sleeps by a descriptor need, where the provider gives it away. */
    readonly waitObject: WaitObject | undefined;
    /** Whether the provider reaches processes of this host only. */
    readonly oneHost: boolean;
    readonly injectBytes: number;
    readonly transferBytesMax: number;
    /** Most pieces of one transfer, at either side. */
    readonly transferPiecesMax: number;
    /** Longest put that is done in the order of the calls; 0 if none is. */
    readonly orderedPutBytesMax: number;
  };
}

/**
 * @param start The network.
 * @param pe A PE of the world.
 * @returns The process that has it.
 */
export function rankOf(start: NetworkStart, pe: number): number {
  return Math.floor(pe / start.pesPerProcess);
}
