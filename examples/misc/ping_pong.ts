/**
 * An index gather without active messages between PEs: requests and answers are written straight
 * into mailboxes of the others, and a local active message on each PE answers what arrives. Two
 * buffers alternate, so that one is on its way while the other is filled.
 *
 *     deno task run:local -n 2 examples/misc/ping_pong.ts 1000000 1000 1024
 *
 * Arguments: gathers of each PE, table entries of each PE, and indices in a buffer.
 *
 * @module
 */

import { LamellarWorldBuilder, localAm } from "../../mod.ts";
import { pes } from "../table.ts";

const [updates = 1_000_000, tableLength = 1000, bufferLength = 1024] = Deno.args.map(Number);
const BUFFERS = 2;

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
/** Mailboxes are ordered by sender and buffer: `(sender * BUFFERS + buffer) * bufferLength`. */
const boxes = numPes * BUFFERS;
using requests = await world.allocSharedMemRegion("u32", boxes * bufferLength);
using answers = await world.allocSharedMemRegion("u32", boxes * bufferLength);
/** How many indices a mailbox holds, 0 while it is free; and whether the answer has come. */
using asked = await world.allocSharedMemRegion("u32", boxes);
using answered = await world.allocSharedMemRegion("u32", boxes);
const stop = { value: false };
const table = Uint32Array.from({ length: tableLength }, (_, i) => i * numPes + myPe);

/** Looks at all mailboxes of this PE until told to stop. */
const Serve = localAm(async (): Promise<number> => {
  const inbox = requests.asMutSlice();
  const counts = asked.asSlice();
  const values = new Uint32Array(bufferLength);
  let served = 0;
  while (!stop.value) {
    for (let box = 0; box < boxes; box++) {
      const count = counts[box]!;
      if (count === 0 || asked.load(myPe, box).block() === 0) continue;
      const from = box * bufferLength;
      for (let i = 0; i < count; i++) values[i] = table[inbox[from + i]!]!;
      asked.store(myPe, box, 0);
      const sender = Math.floor(box / BUFFERS);
      const mine = myPe * BUFFERS + box % BUFFERS;
      answers.putSignal(sender, mine * bufferLength, values.subarray(0, count), {
        region: answered,
        index: mine,
        value: count,
      });
      served += count;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return served;
});

/** Sends this PE's gathers to one other PE, buffer by buffer. */
async function gatherFrom(pe: number, count: number): Promise<number> {
  let wrong = 0;
  const sent: Uint32Array[] = [];
  const collect = async (buffer: number): Promise<void> => {
    const indices = sent[buffer];
    if (!indices) return;
    const box = pe * BUFFERS + buffer;
    await answered.waitUntil(box, "==", indices.length);
    const values = answers.asSlice().subarray(box * bufferLength);
    for (const [i, index] of indices.entries()) {
      if (values[i] !== index * numPes + pe) wrong++;
    }
    answered.store(myPe, box, 0);
  };
  for (let from = 0, buffer = 0; from < count; from += bufferLength) {
    await collect(buffer);
    const length = Math.min(bufferLength, count - from);
    const indices = Uint32Array.from(
      { length },
      () => Math.floor(Math.random() * tableLength),
    );
    const box = myPe * BUFFERS + buffer;
    requests.putSignal(pe, box * bufferLength, indices, {
      region: asked,
      index: box,
      value: length,
    });
    sent[buffer] = indices;
    buffer = (buffer + 1) % BUFFERS;
  }
  for (let buffer = 0; buffer < BUFFERS; buffer++) await collect(buffer);
  return wrong;
}

/** The same gathers from a table of this PE, without messages: how many per second. */
function serialRate(count: number): number {
  const indices = Uint32Array.from(
    { length: count },
    () => Math.floor(Math.random() * tableLength),
  );
  const values = new Uint32Array(count);
  const start = performance.now();
  for (let i = 0; i < count; i++) values[i] = table[indices[i]!]!;
  return 1000 * count / (performance.now() - start);
}

const start = performance.now();
const serving = world.execAmLocal(Serve());
const share = Math.ceil(updates / numPes);
const wrongs = await Promise.all(Array.from({ length: numPes }, (_, pe) => gatherFrom(pe, share)));
await world.asyncBarrier();
stop.value = true;
const served = await serving;
const seconds = (performance.now() - start) / 1000;
const wrong = wrongs.reduce((sum, n) => sum + n);
console.log(`PE ${myPe}: gathered ${share * numPes}, served ${served}, ${wrong} wrong`);
if (myPe === 0) {
  const rate = (share * numPes * numPes / seconds / 1e6).toFixed(2);
  const serial = (serialRate(share * numPes) / 1e6).toFixed(0);
  console.log(`${rate} M gathers/s on ${pes(numPes)}, ${serial} M/s by a loop without messages`);
}
