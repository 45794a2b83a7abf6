/**
 * A fan-out of active messages that carry Darcs of the world and of two halves of it: each handler
 * counts and sends them on to random PEs. In the end every instance has been freed, once.
 *
 *     deno task run:local -n 4 examples/darcs/stress.ts 4 4
 *
 * Arguments: how many messages each one sends (5), and how often that is repeated (4).
 *
 * @module
 */

import { am, Darc, darc, type LamellarArch, LamellarWorldBuilder, u32 } from "../../mod.ts";

/** Counts handlers, and tells when it is freed. */
class Counter implements Disposable {
  count = 0;
  readonly #freed = Promise.withResolvers<void>();

  get freed(): Promise<void> {
    return this.#freed.promise;
  }

  [Symbol.dispose](): void {
    this.#freed.resolve();
  }
}

const [width = 5, depth = 4] = Deno.args.map(Number);

const FanOut = am(
  "FanOut",
  { all: darc<Counter>(), half: darc<Counter>(), depth: u32 },
  ({ all, half, depth }, { team }) => {
    all.value.count++;
    half.value.count++;
    if (depth === 0) return;
    for (let i = 0; i < width; i++) {
      const pe = Math.floor(Math.random() * team.numPes);
      team.execAmPe(pe, FanOut({ all, half, depth: depth - 1 }));
    }
  },
);
const CountOf = am("CountOf", { of: darc<Counter>() }, (self) => self.of.value.count);

/** Every other PE, from the first or from the second. */
class HalfArch implements LamellarArch {
  readonly startPe: number;
  readonly endPe: number;
  readonly numPes: number;

  constructor(readonly first: number, parentPes: number) {
    this.startPe = first;
    this.numPes = Math.ceil((parentPes - first) / 2);
    this.endPe = first + 2 * (this.numPes - 1);
  }

  parentPeId(teamPe: number): number | undefined {
    return teamPe < this.numPes ? this.first + 2 * teamPe : undefined;
  }

  teamPeId(parentPe: number): number | undefined {
    return parentPe % 2 === this.first % 2 ? (parentPe - this.first) / 2 : undefined;
  }
}

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const even = await world.createTeamFromArch(new HalfArch(0, numPes));
const odd = numPes === 1 ? even : await world.createTeamFromArch(new HalfArch(1, numPes));
const team = even.isMember ? even : odd;

const [ofAll, ofHalf] = [new Counter(), new Counter()];
const all = await Darc.create(world, ofAll);
const half = await Darc.create(team, ofHalf);
const start = performance.now();
// Handlers launch more: this waits for what they launch, too.
await team.finish((scope) => {
  scope.execAmPe(team.myPe, FanOut({ all, half, depth }));
});
await world.asyncBarrier();
const counts = await world.execAmAll(CountOf({ of: all }));
const count = counts.reduce((sum, n) => sum + n, 0);
const each = Array.from({ length: depth + 1 }, (_, level) => width ** level)
  .reduce((sum, n) => sum + n, 0);
if (count !== each * numPes) throw new Error(`${count} handlers ran, not ${each * numPes}`);
if (ofAll.count !== ofHalf.count) throw new Error("the counters differ");
all.dispose();
half.dispose();
await Promise.all([ofAll.freed, ofHalf.freed]);
await world.asyncBarrier();
if (myPe === 0) {
  const us = (performance.now() - start) * 1000 / each;
  console.log(`${count} handlers with two Darcs each, ${us.toFixed(1)} µs each on a PE`);
  console.log("all instances were freed");
}
