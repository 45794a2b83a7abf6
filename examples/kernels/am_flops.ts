/**
 * How much work a message has to bring to be worth its way: messages that do more and more
 * multiply-adds, each PE sending to all.
 *
 *     deno task run:local -n 2 examples/kernels/am_flops.ts 1048576 67108864
 *
 * Arguments: multiply-adds of the largest message, and of all messages of a size.
 *
 * @module
 */

import { am, f64, LamellarWorldBuilder, u32 } from "../../mod.ts";

const Flops = am("Flops", { count: u32, x: f64 }, ({ count, x }) => {
  let value = x;
  for (let i = 0; i < count; i++) value = value * 0.5 + x;
  return value;
}, { returns: f64 });

const [largest = 2 ** 20, total = 2 ** 26] = Deno.args.map(Number);

await using world = await new LamellarWorldBuilder().build();
// Hot code is compiled after some runs only.
for (let i = 0; i < 100; i++) await world.execAmAll(Flops({ count: 1000, x: 1 }));

for (let count = 1; count <= largest; count *= 4) {
  const messages = Math.max(1, Math.min(20_000, Math.floor(total / count / world.numPes)));
  await world.asyncBarrier();
  const start = performance.now();
  for (let i = 0; i < messages; i++) world.execAmAll(Flops({ count, x: 1 }));
  await world.awaitAll();
  await world.asyncBarrier();
  const seconds = (performance.now() - start) / 1000;
  if (world.myPe !== 0) continue;
  const flops = 2 * count * messages * world.numPes * world.numPes;
  const rate = messages * world.numPes * world.numPes / seconds;
  console.log(
    `${count} multiply-adds: ${(rate / 1e6).toFixed(3)} M messages/s, ` +
      `${(flops / seconds / 1e9).toFixed(3)} GFLOP/s`,
  );
}
const [value] = await world.execAmAll(Flops({ count: 100, x: 1 }));
if (world.myPe === 0) console.log(`result ${value}`);
