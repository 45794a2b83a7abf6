/**
 * A group of many active messages to random PEs, some of them to all: the results come in the order
 * in which the messages were added.
 *
 *     deno task run:local -n 4 examples/active_messages/am_return_ordered.ts 100000
 *
 * @module
 */

import { am, LamellarWorldBuilder, staticField, str, typedAmGroup, u32 } from "../../mod.ts";

/** The text is the same for all messages of a group, so it travels once with many of them. */
const Numbered = am("Numbered", { index: u32, text: staticField(str) }, (self, lamellar) => {
  return self.index * 1000 + lamellar.currentPe * self.text.length;
});

const count = parseInt(Deno.args[0] ?? "1000000");
await using world = await new LamellarWorldBuilder().build();

if (world.myPe === 0) {
  const text = "ordered";
  const group = typedAmGroup(Numbered, world);
  const pes = Array.from({ length: count }, () => Math.floor(Math.random() * (world.numPes + 1)));
  for (const [index, pe] of pes.entries()) {
    if (pe === world.numPes) group.addAmAll(Numbered({ index, text }));
    else group.addAmPe(pe, Numbered({ index, text }));
  }
  const results = await group.exec();
  let wrong = 0;
  for (const [index, pe] of pes.entries()) {
    const expected = (at: number): number => index * 1000 + at * text.length;
    const result = results.at(index);
    if (result.kind === "pe") wrong += result.value === expected(pe) ? 0 : 1;
    else wrong += result.values.every((value, at) => value === expected(at)) ? 0 : 1;
  }
  console.log(`${results.length} results, ${wrong} of them wrong`);
  if (wrong > 0) Deno.exit(1);
}
