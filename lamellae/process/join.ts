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
import { FeatureLevelError } from "../../internal/errors.ts";
import { type Bootstrap, startBootstrap } from "../bootstrap/mod.ts";
import { type Layout, layoutFor, type Share } from "../local/layout.ts";
import { HostMemory, hostOf, offerMemory, type Offers } from "../shmem/host_memory.ts";
import { greet } from "./greeting.ts";
import { giveUp, type Joined, type ProcessGroup } from "./process_group.ts";
import { pesPerProcess, tokenOf } from "./ranks.ts";

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
  });
  try {
    const { pesPerProcess } = readLauncherConfig(environment);
    return await joinBy(bootstrap, { config, version, pesPerProcess });
  } catch (error) {
    Deno.exit(await giveUp(bootstrap, error));
  }
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
  const tag = tokenOf(job);
  const own = offerMemory(tag);
  const { hellos, memories } = await greet(bootstrap, { config, version, pes, memory: own.path });
  const joined = { bootstrap, config, pes, hellos };
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
  const layout = sharedLayout(joined, shmemShare(joined));
  const memory = hosts === 1
    ? await HostMemory.open(layout, offers)
    : `the processes are on ${hosts} hosts`;
  if (typeof memory !== "string") return new ShmemGroup(joined, layout, memory);
  if (!asked) return undefined;
  throw new FeatureLevelError(
    `Cannot use the shmem lamella: ${memory}; use LAMELLAR_BACKEND=rofi`,
    { op: "build" },
  );
}

/** The processes over libfabric; those of a host share memory if there are several hosts. */
async function rofiGroup(joined: Joined, offers: Offers, hosts: number): Promise<ProcessGroup> {
  const { ProcessNetwork, rofiShare } = await import("../rofi/process_network.ts");
  const asked = joined.config.shareMemory;
  const share = rofiShare(joined);
  const layout = sharedLayout(joined, share);
  if ((asked ?? hosts > 1) && layout.host!.places > 1) {
    const memory = await HostMemory.open(layout, offers);
    if (typeof memory !== "string") return new ProcessNetwork(joined, layout, memory);
    if (asked) {
      throw new FeatureLevelError(
        `Cannot share memory: ${memory}; unset LAMELLAR_SHARE_MEMORY`,
        { op: "build" },
      );
    }
  } else offers.own.file?.close();
  return new ProcessNetwork(joined, layoutOf(joined, share), undefined);
}

/** Where everything lies if the processes of a host share memory. */
function sharedLayout(joined: Joined, share: SharedParts): Layout {
  const { bootstrap, hellos } = joined;
  return layoutOf(joined, {
    ...share,
    host: hostOf(hellos.map(({ host }) => host), bootstrap.rank),
  });
}

function layoutOf(
  { config, pes }: Joined,
  { ringBytes, ...share }: SharedParts & Pick<Share, "host">,
): Layout {
  return layoutFor({ ...pes, ...share }, ringBytes, config.heapBytes ?? 0);
}

/** What memory has to hold for what carries the traffic. */
export interface SharedParts {
  /** Bytes of the area for the network. */
  readonly networkBytes: number;
  /** Bytes of the ring from one PE to another. */
  readonly ringBytes: number;
}
