/**
 * Teams of every second PE and of a range of PEs: active messages by the numbers within the team,
 * from members and from others, and a team within a team.
 *
 *     deno task run:local -n 4 examples/teams/team_am.ts
 *
 * @module
 */

import { am, BlockedArch, LamellarWorldBuilder, str, StridedArch, u32 } from "../../mod.ts";

const Greet = am("Greet", { from: u32, to: str }, (self, lamellar) => {
  const { currentPe, team } = lamellar;
  return `${self.to} PE ${team.myPe} of ${team.numPes} is PE ${currentPe}, says PE ${self.from}`;
});

await using world = await new LamellarWorldBuilder().build();
const from = world.myPe;

// Collective: every PE calls it, and gets the team even if it is not a member.
const even = await world.createTeamFromArch(new StridedArch(0, 2, Math.ceil(world.numPes / 2)));
const low = await world.createTeamFromArch(new BlockedArch(0, Math.ceil(world.numPes / 2)));

if (from === world.numPes - 1) {
  for (const line of await even.execAmAll(Greet({ from, to: "even" }))) console.log(line);
  for (const line of await low.execAmAll(Greet({ from, to: "low" }))) console.log(line);
}

// Only members wait in the barrier of a team; on other PEs it returns at once.
even.barrier();

// Null on PEs that are not members of the parent.
const inner = await even.createSubteamFromArch(new BlockedArch(even.numPes - 1, 1));
if (inner && even.myPe === 0) console.log(await inner.execAmPe(0, Greet({ from, to: "inner" })));

for (const [name, team] of [["the world", world], ["the team of even PEs", even]] as const) {
  const start = performance.now();
  for (let i = 0; i < 100; i++) team.execAmAll(Greet({ from, to: "nobody" }));
  await team.awaitAll();
  if (from === 0) {
    const us = 1000 * (performance.now() - start) / 100;
    console.log(`a message to all ${team.numPes} PEs of ${name} takes ${us.toFixed(1)} µs`);
  }
  world.barrier();
}
