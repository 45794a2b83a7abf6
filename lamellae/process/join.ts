/**
 * How a process joins the others of its job, and what then carries the traffic of their PEs.
 *
 * @module
 */

import {
  type Config,
  environment,
  readBootstrapConfig,
  readLauncherConfig,
} from "../../internal/config.ts";
import { FeatureLevelError, HandshakeError, TimeoutError } from "../../internal/errors.ts";
import { type Bootstrap, startBootstrap } from "../bootstrap/mod.ts";
import { type Host, type Layout, layoutFor } from "../local/layout.ts";
import { HostMemory, hostOf, offerMemory, type Offers } from "../shmem/host_memory.ts";
import { greet } from "./greeting.ts";
import { giveUp, type Joined, type ProcessGroup, SETUP_EXIT_CODE } from "./process_group.ts";
import { pesPerProcess, tagOf } from "./ranks.ts";

/**
 * Finds the other processes of the job.
 *
 * @param config The settings.
 * @param version Version of the library.
 * @returns The processes, not connected yet. If there is no way, the process ends.
 */
export async function joinProcesses(config: Config, version: string): Promise<ProcessGroup> {
  const bootstrap = await startBootstrap({
    config: readBootstrapConfig(environment),
    env: environment,
  }).catch(refuse);
  try {
    const { pesPerProcess } = readLauncherConfig(environment);
    return await joinBy(bootstrap, { config, version, pesPerProcess });
  } catch (error) {
    Deno.exit(await giveUp(bootstrap, error));
  }
}

/** Ends a process that cannot find the others: why says all, and its stack nothing. */
function refuse(error: unknown): never {
  if (!(error instanceof HandshakeError || error instanceof TimeoutError)) throw error;
  console.error(`lamellar: ${error.message}`);
  Deno.exit(SETUP_EXIT_CODE);
}

/** What a process wants. */
export interface Wishes {
  readonly config: Config;
  /** Version of the library. */
  readonly version: string;
  /** PEs of each process, if that is said. */
  readonly pesPerProcess: number | undefined;
}

/**
 * As `joinProcesses`, once the processes have found each other. All of a host share memory where
 * they can, unless something else was asked for.
 *
 * @param bootstrap How they did.
 * @param wishes What this process wants.
 * @returns The processes, not connected yet.
 * @throws {HandshakeError} If the processes do not fit together.
 * @throws {FeatureLevelError} If they cannot share memory although that was asked for.
 */
export async function joinBy(bootstrap: Bootstrap, wishes: Wishes): Promise<ProcessGroup> {
  const { config, version } = wishes;
  const { job, rank, size } = bootstrap;
  const nearPes = pesPerProcess(config.pes, wishes.pesPerProcess, size);
  const pes = { numPes: nearPes * size, firstPe: nearPes * rank, nearPes };
  const tag = tagOf(job);
  const own = offerMemory(tag);
  bootstrap.enter("greeting");
  const { hellos, memories, secret, together } = await greet(bootstrap, {
    config,
    version,
    pes,
    memory: own.path,
  });
  const joined = { bootstrap, config, pes, hellos, secret, together };
  const offers = { bootstrap, own, paths: memories, tag };
  const hosts = new Set(hellos.map(({ host }) => host)).size;
  return await shmemGroup(joined, offers, hosts) ?? await rofiGroup(joined, offers, hosts);
}

/** The processes with shared memory alone, if that is wanted and possible. */
async function shmemGroup(
  joined: Joined,
  offers: Offers,
  hosts: number,
): Promise<ProcessGroup | undefined> {
  const { backend, domain, provider, shareMemory } = joined.config;
  const asked = backend === "shmem";
  // Who names a provider wants to see it used.
  const open = backend === undefined && provider === undefined && domain === undefined;
  if (!asked && !(open && hosts === 1 && shareMemory !== false)) return undefined;
  const { ShmemGroup, shmemShare } = await import("../shmem/shmem_group.ts");
  const layout = roomFor(joined, { ...shmemShare(joined), host: hostOfThis(joined) });
  joined.bootstrap.enter("memory");
  const obstacle = hosts > 1 ? `the processes are on ${hosts} hosts` : layout;
  const memory = typeof obstacle === "string" ? obstacle : await HostMemory.open(obstacle, offers);
  if (typeof memory !== "string") return new ShmemGroup(joined, memory);
  if (!asked) return undefined;
  throw new FeatureLevelError(
    `Cannot use the shmem lamella: ${memory}; use LAMELLAR_BACKEND=rofi`,
    { op: "build" },
  );
}

/**
 * The processes over libfabric; those of a host share memory if there are several hosts, or if the
 * provider is shared memory itself, of which ours is the quicker.
 */
async function rofiGroup(joined: Joined, offers: Offers, hosts: number): Promise<ProcessGroup> {
  const { ProcessNetwork, rofiShare } = await import("../rofi/process_network.ts");
  const { provider, shareMemory: asked } = joined.config;
  const host = hostOfThis(joined);
  if ((asked ?? (hosts > 1 || provider === "shm")) && host.places > 1) {
    joined.bootstrap.enter("memory");
    const layout = roomFor(joined, { ...rofiShare(joined, host.places), host });
    const memory = typeof layout === "string" ? layout : await HostMemory.open(layout, offers);
    if (typeof memory !== "string") return new ProcessNetwork(joined, memory.layout, memory);
    if (asked) {
      throw new FeatureLevelError(
        `Cannot share memory: ${memory}; unset LAMELLAR_SHARE_MEMORY`,
        { op: "build" },
      );
    }
  }
  joined.bootstrap.enter("network");
  offers.own.file?.close();
  return new ProcessNetwork(joined, layoutOf(joined, rofiShare(joined, 1)), undefined);
}

function hostOfThis({ bootstrap, hellos }: Joined): Host {
  return hostOf(hellos.map(({ host }) => host), bootstrap.rank);
}

function layoutOf(
  { config, pes }: Joined,
  { ringBytes, ...share }: Parts,
): Layout {
  return layoutFor({ ...pes, ...share }, ringBytes, config.heapBytes ?? 0);
}

/** Where everything is, or why there is no room for it in one memory. */
function roomFor(joined: Joined, parts: Parts): Layout | string {
  try {
    return layoutOf(joined, parts);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return error.message;
  }
}

/** What memory has to hold for what carries the traffic. */
interface Parts {
  /** Bytes of the area for the network. */
  readonly networkBytes: number;
  /** Bytes of the ring from one PE to another. */
  readonly ringBytes: number;
  readonly host?: Host;
}
