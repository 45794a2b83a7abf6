/**
 * A team whose PEs are in a random order: an active message visits all of them, launching itself on
 * the next; then the same in a team of half of them.
 *
 *     deno task run:local -n 4 examples/teams/random_team.ts 42
 *
 * @module
 */

import {
  am,
  array,
  BlockedArch,
  type LamellarArch,
  type LamellarTeam,
  LamellarWorldBuilder,
  u32,
} from "../../mod.ts";

/** All PEs of the parent in an order that a seed decides, the same on every PE. */
class RandomArch implements LamellarArch {
  readonly startPe = 0;
  readonly endPe: number;
  readonly #order: number[];

  constructor(readonly numPes: number, seed: number) {
    this.endPe = numPes - 1;
    this.#order = Array.from({ length: numPes }, (_, pe) => pe);
    let state = seed;
    for (let i = numPes - 1; i > 0; i--) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const j = Math.floor(state / 2 ** 32 * (i + 1));
      [this.#order[i], this.#order[j]] = [this.#order[j]!, this.#order[i]!];
    }
  }

  parentPeId(teamPe: number): number | undefined {
    return this.#order[teamPe];
  }

  teamPeId(parentPe: number): number | undefined {
    const at = this.#order.indexOf(parentPe);
    return at < 0 ? undefined : at;
  }
}

const Visit = am("Visit", { left: u32 }, async (self, lamellar): Promise<number[]> => {
  const { currentPe, team } = lamellar;
  if (self.left === 0) return [currentPe];
  const next = (team.myPe + 1) % team.numPes;
  return [currentPe, ...await team.execAmPe(next, Visit({ left: self.left - 1 }))];
}, { returns: array(u32) });

await using world = await new LamellarWorldBuilder().build();
const seed = Number(Deno.args[0] ?? 1);

async function visitAll(name: string, team: LamellarTeam): Promise<void> {
  if (!team.isMember || team.myPe !== 0) return;
  const visited = await team.execAmPe(0, Visit({ left: team.numPes - 1 }));
  const inOrder = visited.join() === team.getPes().join();
  console.log(`${name}: visited ${visited.length} PEs${inOrder ? ", in their order" : ""}`);
}

const team = await world.createTeamFromArch(new RandomArch(world.numPes, seed));
await visitAll("all", team);
const half = new BlockedArch(0, Math.ceil(team.numPes / 2));
const first = await team.createSubteamFromArch(half);
if (first) await visitAll("half", first);
