/**
 * A fan-out of active messages that carry a one-sided region of the PE where it began, over two
 * teams of the world: each handler counts in the region, wherever it runs, and sends it on to
 * random PEs of its team. In the end the memory has the count, and is free again.
 *
 *     deno task run:local -n 4 examples/active_messages/am_local_memregions.ts 4 4
 *
 * Arguments: how many messages each one sends (5), and how often that is repeated (5).
 *
 * @module
 */

import { am, LamellarWorldBuilder, oneSided, u32, u64 } from "../../mod.ts";

const [width = 5, depth = 5] = Deno.args.map(Number);

const FanOut = am(
  "FanOut",
  { region: oneSided(u64), depth: u32 },
  async ({ region, depth }, { currentPe, team }) => {
    // The first element counts all handlers; each PE has one behind it.
    await region.add(0, 1);
    await region.add(1 + currentPe, 1);
    for (let i = 0; depth > 0 && i < width; i++) {
      const pe = Math.floor(Math.random() * team.numPes);
      team.execAmPe(pe, FanOut({ region, depth: depth - 1 }));
    }
  },
);

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const half = (await world.split({ color: myPe % 2 }))!;
const each = Array.from({ length: depth + 1 }, (_, level) => width ** level)
  .reduce((sum, n) => sum + n, 0);

for (const [name, team] of [["the world", world], ["half of it", half]] as const) {
  using region = world.allocOneSidedMemRegion(u64, 1 + numPes);
  const start = performance.now();
  await team.finish((scope) => {
    scope.execAmPe(team.myPe, FanOut({ region, depth }));
  });
  const us = (performance.now() - start) * 1000 / each;
  const [count = 0, ...counts] = await region.get(0, 1 + numPes);
  const sum = counts.reduce((all, one) => all + one, 0);
  if (count !== each || sum !== each) throw new Error(`${count} handlers counted, not ${each}`);
  if (myPe === 0) {
    const ran = counts.map((n, pe) => n > 0 ? [pe] : []).flat();
    const where = `on PEs ${ran.join(", ")}`;
    console.log(`${name}: ${count} handlers ran ${where}, ${us.toFixed(1)} µs each`);
  }
  await world.asyncBarrier();
}
