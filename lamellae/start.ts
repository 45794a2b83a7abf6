/**
 * How a world gets its lamella: a PE takes the one it was started with, a main thread becomes the
 * supervisor.
 *
 * @module
 */

import type { Config } from "../internal/config.ts";
import { HandshakeError, LamellarError } from "../internal/errors.ts";
import type { Lamella } from "./lamella.ts";
import { createMemory, layoutFor } from "./local/layout.ts";
// Imported so that a program that runs with --cached-only has the module its PEs start with.
import "./process/boot.ts";
import type { HostedOptions, HostedPes } from "./process/hosted_pes.ts";
import { type FinishLeftovers, peContext, type WorldEnd } from "./process/pe_context.ts";
import { supervise } from "./process/supervisor.ts";

export type { FinishLeftovers, HostedOptions, HostedPes };

/** What a PE has from the start. */
export interface StartedPe {
  readonly lamella: Lamella;
  readonly config: Config;
  /** Tells that the world is built, or could not be. */
  endBuild(): void;
  /** Sets what closes the world at the end of the program; undefined once there is none. */
  setWorld(end: WorldEnd | undefined): void;
}

/** What to start where no PE runs yet. */
export interface StartOptions {
  /** URL of the program. */
  readonly program: string;
  readonly args: readonly string[];
  readonly numPes: number;
  readonly config: Config;
}

/**
 * Takes the PE this Worker is.
 *
 * @param version Version of the library that asks.
 * @returns The PE, or undefined on a main thread.
 * @throws {HandshakeError} If the PE was started by another version of the library.
 * @throws {LamellarError} In a Worker that is not a PE.
 */
export function startedPe(version: string): StartedPe | undefined {
  const context = peContext();
  if (!context) {
    if ("WorkerGlobalScope" in globalThis) {
      throw new LamellarError(
        "ERR_NOT_A_PE",
        "Cannot build a world in a Worker of the program: build it in the program itself, and " +
          "exchange messages with the Worker",
        { op: "build" },
      );
    }
    return undefined;
  }
  if (context.version !== version) {
    throw new HandshakeError(
      `Cannot build a world of version ${version}: the launcher has version ${context.version}, ` +
        "import both from the same address",
      { pe: context.lamella.pe, op: "build" },
    );
  }
  context.beginWorld();
  return {
    lamella: context.lamella,
    config: context.config,
    endBuild: () => context.endBuild(),
    setWorld: (end) => context.setWorld(end),
  };
}

/**
 * @returns What whoever started this PE tells its program; undefined if this is no PE.
 */
export function toldToPe(): unknown {
  return peContext()?.told;
}

/**
 * Starts a job from a main thread, which becomes its supervisor, and ends the process with the
 * job's exit code.
 *
 * @param options What to run.
 * @param version Version of the library.
 */
export async function startJob(options: StartOptions, version: string): Promise<never> {
  return await supervise({ ...options, version });
}

/**
 * Starts PEs at the service of this thread, whose program goes on.
 *
 * @param options What to start.
 * @returns The PEs.
 * @throws {RangeError} If the memory for the PEs cannot be had.
 * @throws {FeatureLevelError} If a permission is missing.
 */
export async function startHosted(options: HostedOptions): Promise<HostedPes> {
  const hosted = await import("./process/hosted_pes.ts");
  return new hosted.HostedPes(options);
}

/**
 * Reserves what a job of one process would, to see that it can, and gives it back.
 *
 * @param numPes PEs of the job.
 * @param config The settings.
 * @returns Bytes of the heap of each PE, and of all the memory.
 * @throws {RangeError} If a size is out of range, or the memory cannot be had.
 */
export function tryReserve(
  numPes: number,
  { heapBytes, ringBytes }: Config,
): { heapBytes: number; totalBytes: number } {
  const layout = layoutFor(numPes, ringBytes ?? 0, heapBytes ?? 0);
  createMemory(layout);
  return { heapBytes: layout.heapBytes, totalBytes: layout.totalBytes };
}
