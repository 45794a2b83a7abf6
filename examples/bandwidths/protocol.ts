/**
 * The protocol of the bandwidth examples: transfers of 1 byte, 2 bytes, 4 bytes and so on from PE 0
 * to PE 1, each size as often as it takes to move a given amount, and a line of a table for each
 * size.
 *
 * @module
 */

import type { LamellarWorld } from "../../mod.ts";
import { tableLine } from "../table.ts";

/** How much is moved. */
export interface Limits {
  /** The largest transfer in bytes. */
  readonly bytesMax: number;
  /** The most bytes that all transfers of one size move together; small sizes move less. */
  readonly bytesTotal: number;
}

/** One way to move bytes. */
export interface Transfer {
  /** How many transfers of a size there are at most. */
  readonly countMax?: number;
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

const WIDTHS = [8, 9, 8, 8, 8, 10, 8, 10];
const TITLES = ["bytes", "transfers", "MB", "time s", "issued s", "MB/s", "sent MB", "µs each"];

/**
 * Reads the arguments of a bandwidth example.
 *
 * @param args The largest transfer, 1 MiB by default, and what each size moves, 64 MiB by default.
 * @returns The limits.
 * @throws {RangeError} If one is not a number of bytes.
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
  if (world.numPes < 2) {
    throw new RangeError("Cannot measure the bandwidth from PE 0 to PE 1: start it with -n 2");
  }
  if (world.myPe === 0) {
    console.log(tableLine(WIDTHS, TITLES));
  }
  for (let bytes = 1; bytes <= limits.bytesMax; bytes *= 2) {
    if (world.myPe === 0) await transfer.prepare?.(bytes);
    await world.asyncBarrier();
    if (world.myPe === 0) {
      const count = Math.min(countOf(bytes, limits.bytesTotal), transfer.countMax ?? Infinity);
      const sent = world.mbSent;
      const start = performance.now();
      for (let i = 0; i < count; i++) transfer.start(bytes);
      const issued = (performance.now() - start) / 1000;
      await transfer.finish();
      const seconds = (performance.now() - start) / 1000;
      const mb = count * bytes / 1e6;
      console.log(tableLine(WIDTHS, [
        bytes,
        count,
        mb.toFixed(3),
        seconds.toFixed(4),
        issued.toFixed(4),
        (mb / seconds).toFixed(2),
        (world.mbSent - sent).toFixed(3),
        (1e6 * seconds / count).toFixed(3),
      ]));
    }
    await world.asyncBarrier();
    await transfer.check(bytes);
  }
}
