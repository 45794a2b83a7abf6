/**
 * Gets from a shared memory region: every PE reads the memory of the others, without their help.
 *
 *     deno task run:local -n 4 examples/rdma/rdma_get.ts
 *
 * @module
 */

import { LamellarWorldBuilder } from "../../mod.ts";

const LENGTH = 5;

await using world = await new LamellarWorldBuilder().build();
using region = await world.allocSharedMemRegion("f64", LENGTH);
region.asMutSlice().fill(world.myPe + 0.5);
await world.asyncBarrier();

const next = (world.myPe + 1) % world.numPes;
const buffer = new Float64Array(LENGTH);
await region.get(next, 0, buffer);
console.log(`PE ${world.myPe} got from PE ${next}: ${buffer.join(" ")}`);

const one: number = region.blockingGet(next, LENGTH - 1);
const some: Float64Array = await region.getBuffer(next, 1, 2);
console.log(`PE ${world.myPe} got one ${one} and some ${some.join(" ")}`);

const all = Array.from({ length: world.numPes }, (_, pe) => region.at(pe, 0));
console.log(`PE ${world.myPe} looked at all: ${all.join(" ")}`);
// No PE frees memory that another PE still reads.
await world.asyncBarrier();
