/**
 * How much work makes a message worth sending: messages that do more and more multiply-adds, from
 * each PE to all, compared with a loop on one PE that does the same without messages.
 *
 *     deno task run:local -n 2 examples/kernels/am_flops.ts 1048576 67108864
 *
 * Arguments: multiply-adds of the largest message, and of all messages of a size.
 *
 * @module
 */

import { am, f64, LamellarWorldBuilder, u32 } from "../../mod.ts";
import { tableLine } from "../table.ts";

function work(count: number, x: number): number {
  let value = x;
  for (let i = 0; i < count; i++) value = value * 0.5 + x;
  return value;
}

const Flops = am("Flops", { count: u32, x: f64 }, ({ count, x }) => work(count, x), {
  returns: f64,
});
const WIDTHS = [13, 12, 8, 16];

/** What one PE does without messages, in GFLOP/s. */
function measureSerial(count: number, messages: number): number {
  const start = performance.now();
  let sum = 0;
  for (let i = 0; i < messages; i++) sum += work(count, 1);
  const seconds = (performance.now() - start) / 1000;
  // The sum is used, so that the loop is not compiled away.
  return sum > 0 ? 2 * count * messages / seconds / 1e9 : 0;
}

const [largest = 2 ** 20, total = 2 ** 26] = Deno.args.map(Number);

await using world = await new LamellarWorldBuilder().build();
// Hot code is compiled only after some runs.
for (let i = 0; i < 100; i++) await world.execAmAll(Flops({ count: 1000, x: 1 }));
if (world.myPe === 0) {
  measureSerial(1000, 1000);
  console.log(tableLine(WIDTHS, ["multiply-adds", "M messages/s", "GFLOP/s", "serially GFLOP/s"]));
}

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
  const serial = measureSerial(count, messages);
  const cells = [rate / 1e6, flops / seconds / 1e9, serial].map((cell) => cell.toFixed(3));
  console.log(tableLine(WIDTHS, [count, ...cells]));
}
const [value] = await world.execAmAll(Flops({ count: 100, x: 1 }));
if (world.myPe === 0) console.log(`result ${value}`);
