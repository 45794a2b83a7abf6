/**
 * One lock for the instances of all PEs: one PE writes alone, then all write together, and then all
 * read.
 *
 *     deno task run:local -n 4 examples/darcs/collective_write.ts
 *
 * @module
 */

import { am, GlobalRwDarc, globalRwDarc, LamellarWorldBuilder, u32 } from "../../mod.ts";

interface Part {
  readonly pe: number;
  values: number[];
}

const Values = am(
  "Values",
  { of: globalRwDarc<Part>(), at: u32 },
  async (self) => {
    using guard = await self.of.read();
    return guard.value.values[self.at]!;
  },
);

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`${what} is wrong`);
}

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
using parts = await GlobalRwDarc.create<Part>(world, { pe: myPe, values: [] });

// One after the other: whoever has the lock has it alone.
{
  using guard = await parts.write();
  guard.value.values.push(-1);
  check(await parts.tryRead() === undefined, "a lock beside that of a writer");
}

// All together, each with its own instance.
{
  using guard = await parts.collectiveWrite();
  guard.value.values = Array.from({ length: numPes }, (_, i) => 10 * myPe + i);
  await world.asyncBarrier(); // everybody is in
}

using guard = await parts.read();
check(guard.value.values.length === numPes, "what this PE wrote");
const column = await world.execAmAll(Values({ of: parts, at: myPe }));
check(column.every((value, pe) => value === 10 * pe + myPe), "what the others wrote");
console.log(`PE ${myPe} reads ${column.join(" ")}`);
