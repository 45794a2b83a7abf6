/**
 * The ways in which a message and its answer can travel. Short messages are gathered for each
 * destination, long ones go at once, and answers follow the same rule. The program measures three
 * payloads, two ways there and two ways back; for each it prints how many milliseconds it takes to
 * launch the messages, until all are answered, and until every PE is done.
 *
 *     deno task run:local -n 2 examples/active_messages/am_batch_tests.ts 1000 10
 *
 * Arguments: the number of short messages, and the number of messages of each kind with a long
 * part.
 *
 * @module
 */

import { am, f64Array, LamellarWorldBuilder, u32, u8Array } from "../../mod.ts";
import { tableLine } from "../table.ts";

/** More than LAMELLAR_AM_SIZE_THRESHOLD, which is 100,000 bytes by default. */
const LONG = 200_000;

const received = { empty: 0, data: 0, vec: 0 };
const answer = (bytes: number): Uint8Array => new Uint8Array(bytes);

const Empty = am("Empty", { back: u32, fill: u8Array }, (self) => {
  received.empty++;
  return answer(self.back);
}, { returns: u8Array });
const Data = am("Data", { back: u32, fill: u8Array, a: u32, b: u32 }, (self) => {
  received.data += self.b - self.a;
  return answer(self.back);
}, { returns: u8Array });
const Vec = am("Vec", { back: u32, fill: u8Array, values: f64Array }, (self) => {
  received.vec += self.values[0]!;
  return answer(self.back);
}, { returns: u8Array });
const Received = am("Received", {}, () => received);

const short = new Uint8Array(0);
const long = new Uint8Array(LONG);
const values = new Float64Array(10).fill(1);
const kinds = {
  empty: (back: number, fill: Uint8Array) => Empty({ back, fill }),
  data: (back: number, fill: Uint8Array) => Data({ back, fill, a: 1, b: 2 }),
  vec: (back: number, fill: Uint8Array) => Vec({ back, fill, values }),
};

const WIDTHS = [7, 7, 7, 8, 9, 9, 9];

const [manyShort = 1000, manyLong = 10] = Deno.args.map(Number);

await using world = await new LamellarWorldBuilder().build();
const target = (world.myPe + 1) % world.numPes;
let expected = 0;
if (world.myPe === 0) {
  const titles = ["payload", "there", "back", "messages", "issued ms", "local ms", "global ms"];
  console.log(tableLine(WIDTHS, titles));
}

for (const [name, make] of Object.entries(kinds)) {
  expected = 0;
  for (const [there, fill] of [["batched", short], ["direct", long]] as const) {
    for (const [back, bytes] of [["batched", 0], ["direct", LONG]] as const) {
      const count = fill.length + bytes > 0 ? manyLong : manyShort;
      expected += count;
      await world.asyncBarrier();
      const start = performance.now();
      for (let i = 0; i < count; i++) world.execAmPe(target, make(bytes, fill));
      const issued = performance.now() - start;
      await world.awaitAll();
      const answered = performance.now() - start;
      await world.asyncBarrier();
      const everywhere = performance.now() - start;
      if (world.myPe !== 0) continue;
      const times = [issued, answered, everywhere].map((ms) => ms.toFixed(2));
      console.log(tableLine(WIDTHS, [name.padEnd(7), there, back, count, ...times]));
    }
  }
}
const all = await world.execAmAll(Received({}));
const right = all.every(({ empty, data, vec }) =>
  empty === expected && data === expected && vec === expected
);
if (world.myPe === 0) {
  console.log(right ? `every PE received ${expected} of each kind` : "some messages are lost");
}
