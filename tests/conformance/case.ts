/**
 * What a conformance case is: a function that every PE of a world runs, and the few tools it has.
 *
 * @module
 */

import type { LamellarWorld } from "../../mod.ts";

/** What a case may use besides the world. */
export interface Tools {
  /** What the random numbers come from; the driver prints it with a failure. */
  readonly seed: number;
  /** A random number below 1, another sequence on each PE. */
  random(): number;
  /** A random number below 1, the same sequence on all PEs. */
  sharedRandom(): number;
}

/** One promise of the interface that every lamella keeps. */
export interface Case {
  /** What is promised, as a sentence. */
  readonly name: string;
  /** Says with how many PEs it can be tried; without it, with any number. */
  readonly pes?: (numPes: number) => boolean;
  /** How long it may take; 20 000 ms without it. */
  readonly limitMs?: number;
  /** Whether later cases build on it, so that it runs even if the program starts behind it. */
  readonly prepares?: true;
  /** Runs on every PE; throws if the promise is broken. */
  run(world: LamellarWorld, t: Tools): void | Promise<void>;
}

/**
 * @param numPes Number of PEs.
 * @returns Whether there is another PE to talk to.
 */
export function several(numPes: number): boolean {
  return numPes > 1;
}

/**
 * @param world The world.
 * @returns The PE after this one, around the end.
 */
export function rightOf(world: LamellarWorld): number {
  return (world.myPe + 1) % world.numPes;
}

/**
 * @param world The world.
 * @returns The PE before this one, around the end.
 */
export function leftOf(world: LamellarWorld): number {
  return (world.myPe + world.numPes - 1) % world.numPes;
}

/**
 * Catches what a function throws or a promise rejects with.
 *
 * @param attempt What is tried.
 * @returns The error, or undefined if there was none.
 */
export async function errorOf(attempt: () => unknown): Promise<Error | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Lets other handlers and PEs in between a read and a write. */
export async function pause(): Promise<void> {
  for (let i = 0; i < 3; i++) await undefined;
  await new Promise((resolve) => setTimeout(resolve));
}

/**
 * Waits until all PEs are through with what they launched.
 *
 * @param world The world.
 */
export async function together(world: LamellarWorld): Promise<void> {
  await world.awaitAll();
  await world.asyncBarrier();
}
