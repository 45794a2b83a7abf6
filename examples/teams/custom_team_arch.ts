/**
 * A team by an arch of our own: blocks of PEs at regular distances.
 *
 *     deno task run:local -n 6 examples/teams/custom_team_arch.ts
 *
 * @module
 */

import { am, type LamellarArch, LamellarWorldBuilder } from "../../mod.ts";

/** Blocks of `block` PEs that begin at every `stride`-th PE of the parent. */
class BlockStrideArch implements LamellarArch {
  readonly startPe = 0;
  readonly endPe: number;
  readonly #members: number[];

  constructor(readonly block: number, readonly stride: number, parentPes: number) {
    const all = Array.from({ length: parentPes }, (_, pe) => pe);
    this.#members = all.filter((pe) => pe % stride < block);
    this.endPe = this.#members.at(-1)!;
  }

  get numPes(): number {
    return this.#members.length;
  }

  parentPeId(teamPe: number): number | undefined {
    return this.#members[teamPe];
  }

  teamPeId(parentPe: number): number | undefined {
    if (parentPe % this.stride >= this.block) return undefined;
    return Math.floor(parentPe / this.stride) * this.block + parentPe % this.stride;
  }
}

const Where = am("Where", {}, (_self, { currentPe, team }) => `${team.myPe} is ${currentPe}`);

await using world = await new LamellarWorldBuilder().build();

// The arch is asked for all its members, both ways, and refused if the answers disagree.
const team = await world.createTeamFromArch(new BlockStrideArch(2, 3, world.numPes));
if (world.myPe === 0) team.printArch();
if (team.isMember && team.myPe === team.numPes - 1) {
  console.log((await team.execAmAll(Where({}))).join(", "));
}
