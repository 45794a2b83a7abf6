// AMs that are not awaited, from PE 0 to PE 1, or the updates that they bring:
// am_rate.ts <updates an AM> [updates|AMs] [seconds]
import { am, LamellarWorldBuilder, u32, u32Array } from "../../mod.ts";
import { calibrated, printMetric } from "../measure.ts";
import { randomIndices } from "../random.ts";

const TABLE_LENGTH = 65536;
const table = new Uint32Array(TABLE_LENGTH);

const AddOne = am("bench.AddOne", { index: u32, amount: u32 }, (self) => {
  table[self.index]! += self.amount;
});
const AddMany = am("bench.AddMany", { indices: u32Array }, (self) => {
  const { indices } = self;
  for (let i = 0; i < indices.length; i++) table[indices[i]!]!++;
});
const Sum = am("bench.Sum", {}, () => table.reduce((sum, value) => sum + value, 0));

const [updatesText = "1", unit = "updates", seconds = 0.3] = Deno.args;
const updates = Number(updatesText);

await using world = await new LamellarWorldBuilder().build();
if (world.myPe === 0) {
  const indices = randomIndices(TABLE_LENGTH + updates, TABLE_LENGTH, 1);
  let sent = 0;
  const each = await calibrated(async (count) => {
    for (let i = 0; i < count; i++) {
      const at = (i * updates) % TABLE_LENGTH;
      if (updates === 1) world.execAmPe(1, AddOne({ index: indices[at]!, amount: 1 }));
      else world.execAmPe(1, AddMany({ indices: indices.subarray(at, at + updates) }));
    }
    await world.awaitAll();
    sent += count * updates;
  }, Number(seconds));
  if (await world.execAmPe(1, Sum({})) !== sent) throw new Error("The AMs lost updates");
  const counted = unit === "AMs" ? 1 : updates;
  printMetric("am-rate", (counted / each) * 1e-6, `M ${unit}/s`);
}
world.barrier();
