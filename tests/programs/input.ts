/** Every PE reads its standard input in the way of the first argument and tells what it got. */

import process from "node:process";
import { LamellarWorldBuilder } from "../../mod.ts";

await using world = await new LamellarWorldBuilder().build();

async function length(chunks: AsyncIterable<{ readonly length: number }>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
}

function lengthSync(): number {
  const buffer = new Uint8Array(4096);
  let bytes = 0;
  for (let got = Deno.stdin.readSync(buffer); got !== null; got = Deno.stdin.readSync(buffer)) {
    bytes += got;
  }
  return bytes;
}

const WAYS: Record<string, () => number | Promise<number>> = {
  readable: () => length(Deno.stdin.readable),
  sync: lengthSync,
  node: () => length(process.stdin),
};

// PE 0 reads last, so that another PE that could read would take its input.
if (world.myPe === 0) await world.asyncBarrier();
console.log(`PE ${world.myPe} of ${world.numPes} got ${await WAYS[Deno.args[0]!]!()} bytes`);
if (world.myPe !== 0) await world.asyncBarrier();
