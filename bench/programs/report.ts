/**
 * Runs a variant of a benchmark program and prints what came of it, one line of JSON.
 *
 * @module
 */
import type { LamellarWorld } from "../../mod.ts";
import { median } from "../rounds.ts";

/** What a benchmark is about, and what it found. */
export interface Finding {
  readonly program: string;
  readonly variant: string;
  /** Its sizes and results, by name. */
  readonly figures: Readonly<Record<string, number>>;
  /** Updates or requests of all PEs together, where there are such. */
  readonly updates?: number;
  /** What is smaller here than in the original. */
  readonly scaled?: string | undefined;
}

/** One iteration: what comes before the clock starts, and what is timed. */
export interface Work {
  readonly prepare?: () => void | Promise<void>;
  readonly run: () => void | Promise<void>;
}

/**
 * Times a collective piece of work, from when all PEs are ready to when all are done.
 *
 * @param world the world
 * @param iterations how often it is done
 * @param work what this PE does
 * @returns the seconds that each iteration took
 */
export async function timedRuns(
  world: LamellarWorld,
  iterations: number,
  { prepare, run }: Work,
): Promise<number[]> {
  const seconds: number[] = [];
  for (let i = 0; i < iterations; i++) {
    await prepare?.();
    await world.asyncBarrier();
    const start = performance.now();
    await run();
    await world.awaitAll();
    await world.asyncBarrier();
    seconds.push((performance.now() - start) / 1000);
  }
  return seconds;
}

/**
 * What is left when the first runs are for warming up.
 *
 * @param seconds how long each run took, in their order
 * @returns the median of the later half
 */
export function steadySeconds(seconds: readonly number[]): number {
  return median(seconds.slice(seconds.length >> 1));
}

/**
 * The line that a benchmark program prints once its result was verified, with the figures that
 * lamellar-benchmarks prints: million updates a second, and gigabytes injected in a second if
 * each update is an 8-byte index there and 8 bytes back.
 *
 * @param finding what it is about
 * @param seconds how long each iteration took
 * @param where the lamella, and the number of PEs
 */
export function reportLine(
  { program, variant, figures, updates, scaled }: Finding,
  seconds: readonly number[],
  where: { readonly lamella: string; readonly pes: number },
): string {
  const steady = steadySeconds(seconds);
  const rates = updates === undefined ? {} : {
    updates,
    mups: rounded((updates * 1e-6) / steady),
    gbPerSecond: rounded((8 * 2 * updates * 1e-9) / steady),
  };
  return JSON.stringify({
    program,
    variant,
    pes: where.pes,
    lamella: where.lamella,
    ...figures,
    iterations: seconds.length,
    seconds: rounded(steady),
    ...rates,
    verified: true,
    ...(scaled === undefined ? {} : { scaled }),
  });
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

/**
 * The lamella that the variables ask for. Without them, one process is local; what several use is
 * chosen where they meet, so it is called automatic. Collective.
 *
 * @param world the world
 */
export async function lamellaOf(world: LamellarWorld): Promise<string> {
  const [least, most] = [
    await world.allReduce(Deno.pid, "min"),
    await world.allReduce(Deno.pid, "max"),
  ];
  return Deno.env.get("LAMELLAR_BACKEND") ?? (least === most ? "local" : "automatic");
}
