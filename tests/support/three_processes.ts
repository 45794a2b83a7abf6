/**
 * How a failure test of three PEs runs on each lamella.
 *
 * @module
 */

import type { RunOptions } from "./run.ts";
import { overLibfabric } from "./spread.ts";

/** Nothing moves for so long, until the job ends. */
export const STUCK = {
  LAMELLAR_DEADLOCK_WARNING_TIMEOUT: "0.4",
  LAMELLAR_DEADLOCK_TIMEOUT: "1.2",
} as const;

/** Options by the name of the lamella. */
export const LAMELLAE: Readonly<Record<string, Partial<RunOptions>>> = {
  local: {},
  shmem: { env: { LAMELLAR_BACKEND: "shmem" }, launcherFlags: ["--processes", "3"] },
  "rofi on tcp": { env: overLibfabric("tcp"), launcherFlags: ["--processes", "3"] },
};
