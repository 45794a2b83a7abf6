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
import { startBootstrap } from "../bootstrap/mod.ts";
import { giveUp, type Joined, type ProcessGroup } from "./process_group.ts";
import { pesPerProcess } from "./ranks.ts";

/**
 * Finds the other processes of the job. They share memory if all are on one host and nothing else
 * was asked for.
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
    const { rank, size } = bootstrap;
    const nearPes = pesPerProcess(config.pes, readLauncherConfig(environment).pesPerProcess, size);
    const pes = { numPes: nearPes * size, firstPe: nearPes * rank, nearPes };
    return await groupOf({ bootstrap, config, version, pes });
  } catch (error) {
    Deno.exit(await giveUp(bootstrap, error));
  }
}

async function groupOf(joined: Joined): Promise<ProcessGroup> {
  const { backend, domain, provider } = joined.config;
  // Who names a provider wants to see it used.
  const open = backend === undefined && provider === undefined && domain === undefined;
  if (open || backend === "shmem") {
    const { ShmemGroup } = await import("../shmem/shmem_group.ts");
    const group = await ShmemGroup.join(joined);
    if (group) return group;
  }
  const { ProcessNetwork } = await import("../rofi/process_network.ts");
  return new ProcessNetwork(joined);
}
