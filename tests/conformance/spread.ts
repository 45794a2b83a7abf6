/**
 * The conformance table over several processes.
 *
 * @module
 */

import { overLibfabric } from "../support/spread.ts";
import { conformance } from "./suite.ts";

/** Processes and PEs of each. */
const SHAPES = [
  { processes: 2, pes: 1 },
  { processes: 3, pes: 1 },
  { processes: 4, pes: 1 },
  { processes: 2, pes: 2 },
  { processes: 1, pes: 4 },
];

/** Makes a test of every case, in every shape, on the shmem lamella. */
export function conformanceOfShmem(): void {
  conformance({ name: "shmem", env: { LAMELLAR_BACKEND: "shmem" }, shapes: SHAPES });
}

/**
 * Makes a test of every case, in every shape, on the rofi lamella.
 *
 * @param provider The libfabric provider.
 */
export function conformanceOver(provider: string): void {
  conformance({
    name: `rofi on ${provider}`,
    env: overLibfabric(provider),
    shapes: SHAPES,
  });
}

/** Makes a test of every case on the rofi lamella where no PE is far. */
export function conformanceOfOneHost(): void {
  conformance({
    name: "rofi on shared memory",
    // Asked for, so that a job that cannot share memory fails.
    env: { LAMELLAR_ROFI_PROVIDER: "shm", LAMELLAR_SHARE_MEMORY: "1" },
    shapes: [{ processes: 2, pes: 2 }],
  });
}

/**
 * Makes a test of every case on the rofi lamella, on two hosts whose processes share memory: as
 * many on each, and more on one than on the other.
 *
 * @param provider The libfabric provider between the hosts.
 */
export function conformanceOfHosts(provider: string): void {
  conformance({
    name: `rofi on ${provider}`,
    env: {
      LAMELLAR_ROFI_PROVIDER: provider,
      // Asked for, so that a job that cannot share memory fails.
      LAMELLAR_SHARE_MEMORY: "1",
      // With few signals, what one host contributes comes to the other through one of its PEs.
      LAMELLAR_BARRIER_DISSEMINATION_FACTOR: "1",
    },
    shapes: [
      { processes: 4, pes: 1, hosts: 2 },
      { processes: 3, pes: 2, hosts: 2 },
    ],
  });
}

/**
 * Makes a test of most cases on the rofi lamella, with two processes.
 *
 * @param provider The libfabric provider.
 */
export function someConformanceOver(provider: string): void {
  conformance({
    name: `rofi on ${provider}`,
    env: overLibfabric(provider),
    shapes: [{ processes: 2, pes: 1 }],
    groups: ["world and messages", "regions", "teams"],
  });
}
