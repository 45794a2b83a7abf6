/**
 * A class of our own over an array of any element type: a table of running extremes. TypeScript
 * knows which operations the type has.
 *
 *     deno task run:local -n 4 examples/arrays/generic_array.ts
 *
 * @module
 */

import {
  AtomicArray,
  type ElementType,
  type ElementValue,
  type LamellarWorld,
  LamellarWorldBuilder,
  type NumericValue,
} from "../../mod.ts";

/** Keeps the least and the greatest value that any PE has given for each key. */
class Extremes<E extends Exclude<ElementType, "bool">> implements Disposable {
  readonly #least: AtomicArray<E>;
  readonly #greatest: AtomicArray<E>;

  private constructor(least: AtomicArray<E>, greatest: AtomicArray<E>) {
    this.#least = least;
    this.#greatest = greatest;
  }

  static async create<E extends Exclude<ElementType, "bool">>(
    world: LamellarWorld,
    type: E,
    keys: number,
    start: ElementValue<E>,
  ): Promise<Extremes<E>> {
    const [least, greatest] = await Promise.all([
      AtomicArray.create(world, type, keys),
      AtomicArray.create(world, type, keys),
    ]);
    if (world.myPe === 0) await Promise.all([least.fill(start), greatest.fill(start)]);
    await world.asyncBarrier();
    return new Extremes(least, greatest);
  }

  async add(key: number, value: NumericValue<E>): Promise<void> {
    await Promise.all([this.#least.min(key, value), this.#greatest.max(key, value)]);
  }

  async of(key: number): Promise<[ElementValue<E>, ElementValue<E>]> {
    return [await this.#least.load(key), await this.#greatest.load(key)];
  }

  [Symbol.dispose](): void {
    this.#least.dispose();
    this.#greatest.dispose();
  }
}

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;

using temperatures = await Extremes.create(world, "f64", 3, 20);
using balances = await Extremes.create(world, "bigi64", 3, 0n);
for (let key = 0; key < 3; key++) {
  await temperatures.add(key, 20 + myPe + key / 2);
  await balances.add(key, BigInt(-1_000_000 * (myPe + 1) * key));
}
await world.asyncBarrier();
const [cold, hot] = await temperatures.of(2);
const [low, high] = await balances.of(1);
if (cold !== 20 || hot !== 20 + numPes || low !== BigInt(-1_000_000 * numPes) || high !== 0n) {
  throw new Error(`wrong extremes: ${cold} ${hot} ${low} ${high}`);
}
if (myPe === 0) console.log(`from ${cold} to ${hot} degrees, from ${low} to ${high}`);
