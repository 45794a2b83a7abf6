/**
 * The protocol of the bandwidth examples: transfers of 1 byte, 2 bytes, 4 bytes and so on from PE 0
 * to PE 1, each size as often as it takes to move a given amount. A line for each size, and a last
 * one with all bandwidths.
 *
 * @module
 */

import type { LamellarWorld } from "../../mod.ts";

/** How much is moved. */
export interface Limits {
  /** The largest transfer in bytes. */
  readonly bytesMax: number;
  /** What a size moves at most in all, in bytes; small sizes move less. */
  readonly bytesTotal: number;
}

/** One way to move bytes. */
export interface Transfer {
  /** Called on PE 0 before the clock starts. */
  prepare?(bytes: number): void | Promise<void>;
  /** Starts the transfer of so many bytes; called on PE 0. */
  start(bytes: number): void;
  /** Returns once all transfers that were started are over; called on PE 0. */
  finish(): void | Promise<void>;
  /** Checks on every PE that the last transfer of a size arrived; throws if not. */
  check(bytes: number): void | Promise<void>;
}

const MIB = 2 ** 20;

/**
 * Reads the arguments of a bandwidth example.
 *
 * @param args The largest transfer, 1 MiB without it, and what each size moves, 64 MiB without it.
 * @returns The limits.
 * @throws {RangeError} If one is no number of bytes.
 */
export function limitsOf(args: readonly string[]): Limits {
  const [bytesMax = MIB, bytesTotal = 64 * MIB] = args.map(Number);
  if (!(bytesMax >= 1 && bytesMax <= 2 ** 29 && bytesTotal >= 1)) {
    throw new RangeError(`Cannot move ${bytesMax} bytes at once and ${bytesTotal} in all`);
  }
  return { bytesMax, bytesTotal };
}

/**
 * Small transfers cost more than their bytes: 256 KiB at 1 byte, twice as much at each size up to 2
 * KiB.
 */
function countOf(bytes: number, bytesTotal: number): number {
  const wanted = bytes <= 2048 ? 2 ** 18 * bytes : 2 ** 30;
  return Math.max(1, Math.floor(Math.min(wanted, bytesTotal) / bytes));
}

/**
 * Measures all sizes and prints what it finds, on PE 0.
 *
 * @param world A world of at least two PEs.
 * @param limits How much is moved.
 * @param transfer How it is moved.
 */
export async function measure(
  world: LamellarWorld,
  limits: Limits,
  transfer: Transfer,
): Promise<void> {
  if (world.numPes < 2) throw new RangeError("Cannot measure bandwidth between fewer than 2 PEs");
  const bandwidths: string[] = [];
  for (let bytes = 1; bytes <= limits.bytesMax; bytes *= 2) {
    if (world.myPe === 0) await transfer.prepare?.(bytes);
    await world.asyncBarrier();
    if (world.myPe === 0) {
      const count = countOf(bytes, limits.bytesTotal);
      const sent = world.mbSent;
      const start = performance.now();
      for (let i = 0; i < count; i++) transfer.start(bytes);
      const issued = (performance.now() - start) / 1000;
      await transfer.finish();
      const seconds = (performance.now() - start) / 1000;
      const mb = count * bytes / 1e6;
      bandwidths.push((mb / seconds).toFixed(2));
      console.log(
        `tx size: ${bytes} B, count: ${count}, ${mb.toFixed(3)} MB, time: ${
          seconds.toFixed(4)
        } s, ` +
          `issue: ${issued.toFixed(4)} s, ${bandwidths.at(-1)} MB/s, ` +
          `sent: ${(world.mbSent - sent).toFixed(3)} MB, ` +
          `each: ${(1e6 * seconds / count).toFixed(3)} µs`,
      );
    }
    await world.asyncBarrier();
    await transfer.check(bytes);
  }
  if (world.myPe === 0) console.log(`bandwidths: ${bandwidths.join(", ")}`);
}
