/**
 * A hash map that is distributed over the PEs: each has a `Map` of its own in a Darc, and active
 * messages ask the PE that a key belongs to.
 *
 *     deno task run:local -n 4 examples/misc/dist_hashmap.ts
 *
 * @module
 */

import {
  am,
  type AmHandle,
  i32,
  type LamellarWorld,
  LamellarWorldBuilder,
  LocalRwDarc,
  localRwDarc,
  oneOf,
} from "../../mod.ts";

type Numbers = Map<number, number>;

const Command = am(
  "Command",
  { map: localRwDarc<Numbers>(), command: oneOf("add", "get"), key: i32, value: i32 },
  async ({ map, command, key, value }) => {
    if (command === "get") {
      using guard = await map.read();
      return guard.value.get(key);
    }
    using guard = await map.write();
    guard.value.set(key, (guard.value.get(key) ?? 0) + value);
    return undefined;
  },
);

/** A map from integers of 32 bits to such integers, of which each PE has a part. */
class DistHashMap implements Disposable {
  readonly #world: LamellarWorld;
  readonly #map: LocalRwDarc<Numbers>;

  private constructor(world: LamellarWorld, map: LocalRwDarc<Numbers>) {
    this.#world = world;
    this.#map = map;
  }

  /** Creates an empty map. Collective. */
  static async create(world: LamellarWorld): Promise<DistHashMap> {
    return new DistHashMap(world, await LocalRwDarc.create(world, new Map()));
  }

  /** Adds to the value of a key, which is 0 at first. */
  add(key: number, value: number): AmHandle<number | undefined> {
    return this.#ask("add", key, value);
  }

  /** Gets the value of a key. */
  get(key: number): AmHandle<number | undefined> {
    return this.#ask("get", key, 0);
  }

  #ask(command: "add" | "get", key: number, value: number): AmHandle<number | undefined> {
    const pe = (Math.imul(key, 0x9e3779b1) >>> 0) % this.#world.numPes;
    return this.#world.execAmPe(pe, Command({ map: this.#map, command, key, value }));
  }

  /** How many keys this PE has. */
  async localSize(): Promise<number> {
    using guard = await this.#map.read();
    return guard.value.size;
  }

  [Symbol.dispose](): void {
    this.#map.dispose();
  }
}

const KEYS = 1000;
await using world = await new LamellarWorldBuilder().build();
using map = await DistHashMap.create(world);

// Every PE adds its number and one to each key.
for (let key = 0; key < KEYS; key++) map.add(key, world.myPe + 1);
await world.awaitAll();
await world.asyncBarrier();

const expected = world.numPes * (world.numPes + 1) / 2;
const values = await Promise.all(Array.from({ length: KEYS }, (_, key) => map.get(key)));
const wrong = values.filter((value) => value !== expected).length;
const missing = await map.get(KEYS);
const sizes = await world.gather(await map.localSize(), { root: 0 });
if (wrong > 0 || missing !== undefined) throw new Error(`${wrong} values are wrong`);
if (world.myPe === 0) {
  console.log(`${KEYS} keys, each with the value ${expected}; PEs hold ${sizes!.join(", ")}`);
}
await world.asyncBarrier();
