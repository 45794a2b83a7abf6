/**
 * How long collectives take, from 8 bytes of each PE up. Every result is checked once.
 *
 *     deno task run:local -n 4 examples/collectives/coll_latency.ts 1048576 100
 *
 * Arguments: the most bytes of each PE, and how often each collective is called.
 *
 * @module
 */

import { LamellarWorldBuilder } from "../../mod.ts";
import { pes, tableLine } from "../table.ts";

const [bytesMax = 1024 * 1024, calls = 100] = Deno.args.map(Number);
const WIDTHS = [9, 10, 10, 10, 10, 10];

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
/** The sum of what all PEs have. */
const total = numPes * (numPes + 1) / 2;

function check(name: string, right: boolean): void {
  if (!right) throw new Error(`${name} gave a wrong result`);
}

/** The microseconds that a call takes. */
async function timed(call: () => PromiseLike<unknown>): Promise<number> {
  await world.asyncBarrier();
  const began = performance.now();
  for (let i = 0; i < calls; i++) await call();
  return (performance.now() - began) * 1000 / calls;
}

if (myPe === 0) {
  console.log(`${pes(numPes)}, microseconds for each call:`);
  const names = ["bytes", "barrier", "broadcast", "allReduce", "allGather", "scan"];
  console.log(tableLine(WIDTHS, names));
}
for (let bytes = 8; bytes <= bytesMax; bytes *= 8) {
  using region = await world.allocSharedMemRegion("f64", bytes / 8);
  const mine = new Float64Array(bytes / 8).fill(myPe + 1);
  region.asMutSlice().set(mine);
  const sum = await world.allReduce(mine, "sum");
  check("allReduce", sum.every((value) => value === total));
  const all = await world.allGather(mine);
  check("allGather", all.every((array, pe) => array.every((value) => value === pe + 1)));
  const upTo = await world.scan(mine, "sum");
  check("scan", upTo.every((value) => value === (myPe + 1) * (myPe + 2) / 2));
  await region.broadcast(numPes - 1);
  check("broadcast", region.asSlice().every((value) => value === numPes));
  const times = [
    await timed(() => world.asyncBarrier()),
    await timed(() => region.broadcast(0)),
    await timed(() => world.allReduce(mine, "sum", { into: sum })),
    await timed(() => world.allGather(mine)),
    await timed(() => world.scan(mine, "sum", { into: upTo })),
  ];
  if (myPe === 0) console.log(tableLine(WIDTHS, [bytes, ...times.map((us) => us.toFixed(1))]));
  await world.asyncBarrier();
}
