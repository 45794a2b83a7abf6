/**
 * What a Worker is told when it becomes a PE, and where the library finds it: under a well-known
 * symbol rather than in a module variable, so that a launcher and a program that import the library
 * from different addresses can compare their versions instead of starting two worlds.
 *
 * @module
 */

import type { Config } from "../../internal/config.ts";
import type { Layout } from "../local/layout.ts";
import type { Lamella } from "../lamella.ts";
import type { NetworkStart } from "../rofi/network_start.ts";

/** Name of the Workers that are PEs; no other Worker runs the boot module. */
export const PE_WORKER_NAME = "lamellar-pe";

/** The message that starts a PE. */
export interface StartMessage {
  readonly pe: number;
  readonly layout: Layout;
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  /** The network, if the job has several processes. */
  readonly network: NetworkStart | undefined;
  /** URL of the program. */
  readonly program: string;
  readonly args: readonly string[];
  readonly config: Config;
  /** Version of the library that started the PE. */
  readonly version: string;
  /** Bytes that its objects may take, if going beyond that ends the PE and not the process. */
  readonly objectBytesMax?: number;
  /** What whoever starts the PE tells its program. */
  readonly told?: unknown;
}

/**
 * Closes a world at the end of its program.
 *
 * @param finish Waits for what is left of the program.
 */
export type WorldEnd = (finish: FinishLeftovers) => Promise<void>;

/**
 * Waits for what is left of the program when its module has ended.
 *
 * @param awaits Tells whether it awaits something that no operation of Deno stands for.
 */
export type FinishLeftovers = (awaits: () => boolean) => Promise<void>;

/** The PE this Worker is. */
export interface PeContext {
  readonly lamella: Lamella;
  readonly config: Config;
  readonly version: string;
  /** What whoever started the PE tells its program. */
  readonly told: unknown;
  /** Called when the program begins to build a world. */
  beginWorld(): void;
  /** Called when it has built it, or could not. */
  endBuild(): void;
  /**
   * Called when there is a world, with what closes it at the end of a program that does not do it
   * itself, and with nothing once it is closed.
   */
  setWorld(end: WorldEnd | undefined): void;
}

const KEY = Symbol.for("lamellar.pe");

/**
 * @returns The PE this Worker is, or undefined on a main thread and in other Workers.
 */
export function peContext(): PeContext | undefined {
  return (globalThis as Record<symbol, unknown>)[KEY] as PeContext | undefined;
}

/**
 * Makes this Worker a PE.
 *
 * @param context What it is told.
 */
export function setPeContext(context: PeContext): void {
  (globalThis as Record<symbol, unknown>)[KEY] = context;
}
