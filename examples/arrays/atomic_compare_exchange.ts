/**
 * Compare-and-exchange: PEs race for tickets, one by one and in batches. Each ticket is sold once.
 *
 *     deno task run:local -n 4 examples/arrays/atomic_compare_exchange.ts 1000
 *
 * Argument: how many tickets there are.
 *
 * @module
 */

import { AtomicArray, LamellarWorldBuilder } from "../../mod.ts";

const [tickets = 1000] = Deno.args.map(Number);
await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const me = myPe + 1;

async function sell(how: string, buy: (owners: AtomicArray<"u32">) => Promise<number>) {
  using owners = await AtomicArray.create(world, "u32", tickets, "cyclic");
  const mine = await buy(owners);
  await world.asyncBarrier();
  const all = await owners.get(0, tickets);
  const counted = all.filter((owner) => owner === me).length;
  if (counted !== mine) throw new Error(`${how}: PE ${myPe} bought ${mine}, and owns ${counted}`);
  const sold = (await world.allReduce(mine, "sum"))!;
  if (sold !== tickets) throw new Error(`${how}: ${sold} of ${tickets} tickets are sold`);
  const each = await world.allGather(mine);
  if (myPe === 0) console.log(`${how}: ${tickets} tickets, of the PEs ${each.join(", ")}`);
}

await sell("one by one", async (owners) => {
  let mine = 0;
  for (let i = 0; i < tickets; i++) {
    const ticket = (i + Math.floor(myPe * tickets / numPes)) % tickets;
    const { ok, value } = await owners.compareExchange(ticket, 0, me);
    if (ok) mine++;
    else if (value === 0) throw new Error("a free ticket was refused");
  }
  return mine;
});
await sell("in a batch", async (owners) => {
  const all = Uint32Array.from({ length: tickets }, (_, i) => i);
  const { ok } = await owners.batchCompareExchange(all, 0, me);
  return ok.reduce((sum, one) => sum + one, 0);
});
if (myPe === 0) console.log("every ticket was sold once");
