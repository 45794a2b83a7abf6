/**
 * All kinds of Darcs: over the world and over a team, nested in payloads of active messages, and
 * converted into one another.
 *
 *     deno task run:local -n 4 examples/darcs/darc.ts
 *
 * @module
 */

import {
  am,
  BlockedArch,
  Darc,
  darc,
  type GlobalRwDarc,
  globalRwDarc,
  LamellarWorldBuilder,
  LocalRwDarc,
  localRwDarc,
  tuple,
  u32,
} from "../../mod.ts";

interface Counter {
  count: number;
}

/** Every PE counts in its own counter; the pair has one of the world and one of a team. */
const Count = am(
  "Count",
  { pair: tuple(darc<Counter>(), u32), local: localRwDarc<Counter>() },
  async ({ pair: [counter, n], local }) => {
    counter.value.count += n;
    using guard = await local.write();
    guard.value.count += n;
  },
);

/** A payload without a schema may hold Darcs anywhere. */
const CountAll = am("CountAll", async (self: { at: Map<string, GlobalRwDarc<Counter>> }) => {
  using guard = await self.at.get("global")!.write();
  guard.value.count++;
});
const Total = am("Total", { at: globalRwDarc<Counter>() }, async (self) => {
  using guard = await self.at.read();
  return guard.value.count;
});

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`${what} is wrong`);
}

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;

using counter = await Darc.create(world, { count: 0 });
const local = await LocalRwDarc.create(world, { count: 0 });
await world.execAmAll(Count({ pair: [counter, 2], local }));
await world.asyncBarrier();
check(counter.value.count === 2 * numPes, "the counter of a PE");

const global = await local.intoGlobalRw();
await world.execAmAll(CountAll({ at: new Map([["global", global]]) }));
await world.asyncBarrier();
{
  using guard = await global.read();
  check(guard.value.count === 3 * numPes, "the counter under the lock of all PEs");
}
if (myPe === 0) {
  const totals = await world.execAmAll(Total({ at: global }));
  console.log(`every PE counted to ${totals[0]}: ${totals.every((total) => total === 3 * numPes)}`);
}
await world.asyncBarrier();
using bare = await global.intoDarc();
check(bare.value.count === 3 * numPes, "the counter after two conversions");

const half = await world.createTeamFromArch(new BlockedArch(0, Math.ceil(numPes / 2)));
if (half.isMember) {
  using ofTeam = await Darc.create(half, { count: 100 });
  using inTeam = await LocalRwDarc.create(half, { count: 0 });
  await half.execAmAll(Count({ pair: [ofTeam, 1], local: inTeam }));
  await half.asyncBarrier();
  check(ofTeam.value.count === 100 + half.numPes, "the counter of the team");
  if (half.myPe === 0) console.log(`PE 0 of the team counted to ${ofTeam.value.count}`);
  const outsider = numPes - 1;
  if (half.myPe === 0 && outsider >= half.numPes) {
    const refused = await world.execAmPe(outsider, Count({ pair: [ofTeam, 1], local: inTeam }))
      .catch((error) => (error as Error & { cause: Error }).cause.name);
    console.log(`on PE ${outsider}, which is not a member: ${refused}`);
  }
}
