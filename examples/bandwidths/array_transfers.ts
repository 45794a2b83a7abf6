/**
 * What the bandwidth examples of arrays have in common: PE 0 puts to the elements of PE 1 in an
 * array of bytes in blocks, or gets them.
 *
 * @module
 */

import type { LamellarWorld, ReadableArray, WritableArray } from "../../mod.ts";
import { type Limits, limitsOf, measure } from "./protocol.ts";

/** Transfers of a size at most: over a network each may take the lock of another PE. */
const COUNT_MAX = 256;

/** Makes an array of bytes, of which each PE has as many as are moved at most. */
export type MakeArray<A> = (world: LamellarWorld, length: number) => PromiseLike<A>;

/** Runs an example with an array. */
async function withArray<A extends Disposable>(
  world: LamellarWorld,
  make: MakeArray<A>,
  run: (array: A, limits: Limits) => Promise<void>,
): Promise<void> {
  const limits = limitsOf(Deno.args);
  using array = await make(world, limits.bytesMax * world.numPes);
  await run(array, limits);
}

/**
 * Measures puts to PE 1.
 *
 * @param world The world.
 * @param make Makes the array.
 * @param start Starts a put of bytes to an index; `awaitAll` waits for it.
 */
export async function measurePuts(
  world: LamellarWorld,
  make: MakeArray<WritableArray<"u8">>,
  start: (array: WritableArray<"u8">, index: number, data: Uint8Array) => void,
): Promise<void> {
  await withArray(world, make, async (array, limits) => {
    const first = array.firstGlobalIndexForPe(1) ?? 0;
    let data = new Uint8Array(0);
    await measure(world, limits, {
      countMax: COUNT_MAX,
      prepare: (bytes) => void (data = new Uint8Array(bytes).fill(1 + Math.log2(bytes))),
      start: () => start(array, first, data),
      finish: () => world.awaitAll(),
      async check(bytes) {
        const wanted = 1 + Math.log2(bytes);
        if (world.myPe !== 1) return;
        if (!(await array.getPe(1, 0, bytes)).every((byte) => byte === wanted)) {
          throw new Error(`PE 1 does not have ${bytes} bytes of ${wanted}`);
        }
      },
    });
    if (world.myPe === 1) console.log("PE 1 has what was put");
  });
}

/**
 * Measures gets from PE 1.
 *
 * @param world The world.
 * @param make Makes the array, in which all elements of a PE are its number and 1.
 * @param start Starts a get of bytes from an index; `awaitAll` waits for it.
 */
export async function measureGets<A extends ReadableArray<"u8">>(
  world: LamellarWorld,
  make: MakeArray<A>,
  start: (array: A, index: number, data: Uint8Array) => void,
): Promise<void> {
  await withArray(world, make, async (array, limits) => {
    const first = array.firstGlobalIndexForPe(1) ?? 0;
    let data = new Uint8Array(0);
    await measure(world, limits, {
      countMax: COUNT_MAX,
      prepare: (bytes) => void (data = new Uint8Array(bytes)),
      start: () => start(array, first, data),
      finish: () => world.awaitAll(),
      check: (bytes) => {
        if (world.myPe !== 0) return;
        if (!(data.length === bytes && data.every((byte) => byte === 2))) {
          throw new Error(`PE 0 did not get ${bytes} bytes of PE 1`);
        }
      },
    });
    if (world.myPe === 0) console.log("PE 0 got what PE 1 has");
  });
}

/**
 * Gives all elements of this PE its number and 1, and waits for the others.
 *
 * @param array The array.
 * @returns The same.
 */
export async function numbered<A extends WritableArray<"u8">>(array: A): Promise<A> {
  await array.putPe(array.myPe, 0, new Uint8Array(array.numElemsLocal).fill(array.myPe + 1));
  await array.asyncBarrier();
  return array;
}
