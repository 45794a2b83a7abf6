/**
 * A recursive active message: each PE launches it on the next and awaits it; the path comes back.
 *
 *     deno task run:local -n 4 examples/active_messages/recursive_am.ts
 *
 * @module
 */

import { am, array, LamellarWorldBuilder, str, u32 } from "../../mod.ts";

const Walk = am("Walk", { from: u32, hops: u32 }, async (self, lamellar): Promise<string[]> => {
  const here = `${Deno.hostname()}/${lamellar.currentPe}`;
  if (self.hops === 0) return [here];
  const next = (lamellar.currentPe + 1) % lamellar.numPes;
  const rest = await lamellar.world.execAmPe(next, Walk({ from: self.from, hops: self.hops - 1 }));
  return [here, ...rest];
}, { returns: array(str) });

await using world = await new LamellarWorldBuilder().build();
const path = await world.execAmPe(world.myPe, Walk({ from: world.myPe, hops: world.numPes }));
console.log(`PE ${world.myPe} walked ${path.map((place) => place.split("/")[1]).join(" > ")}`);
if (world.myPe === 0) {
  console.log(`on ${new Set(path.map((place) => place.split("/")[0])).size} host`);
}
