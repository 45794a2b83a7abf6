/**
 * A text on the last PE, which an active message of PE 0 changes under the lock of that PE.
 *
 *     deno task run:local -n 2 examples/darcs/string_darc.ts
 *
 * @module
 */

import { am, LamellarWorldBuilder, LocalRwDarc, localRwDarc, str } from "../../mod.ts";

const Append = am("Append", { text: localRwDarc<string>(), more: str }, async (self) => {
  using guard = await self.text.write();
  guard.value += self.more;
});

await using world = await new LamellarWorldBuilder().build();
using text = await LocalRwDarc.create(world, `Text of PE ${world.myPe}`);
if (world.myPe === 0) {
  await world.execAmPe(world.numPes - 1, Append({ text, more: ", changed by PE 0" }));
}
await world.asyncBarrier();
using guard = await text.read();
console.log(guard.value);
const isLast = world.myPe === world.numPes - 1;
if (guard.value.includes("changed") !== isLast) throw new Error("the wrong text was changed");
