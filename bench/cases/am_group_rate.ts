// AMs with an update each in a typed group, from PE 0 to PE 1: am_group_rate.ts [seconds]
import { am, LamellarWorldBuilder, typedAmGroup, u32 } from "../../mod.ts";
import { calibrated, printMetric } from "../measure.ts";
import { randomIndices } from "../random.ts";

const TABLE_LENGTH = 65536;
/** AMs of a group. */
const GROUP_LENGTH = 1_000_000;
const table = new Uint32Array(TABLE_LENGTH);

const AddOne = am("bench.AddOne", { index: u32, amount: u32 }, (self) => {
  table[self.index]! += self.amount;
});
const Sum = am("bench.Sum", {}, () => table.reduce((sum, value) => sum + value, 0));

const [seconds = 0.3] = Deno.args;

await using world = await new LamellarWorldBuilder().build();
if (world.myPe === 0) {
  const indices = randomIndices(TABLE_LENGTH, TABLE_LENGTH, 1);
  let sent = 0;
  const each = await calibrated(async (count) => {
    for (let left = count; left > 0; left -= GROUP_LENGTH) {
      const group = typedAmGroup(AddOne, world);
      for (let i = Math.min(left, GROUP_LENGTH); i > 0; i--) {
        group.addAmPe(1, AddOne({ index: indices[i % TABLE_LENGTH]!, amount: 1 }));
      }
      await group.exec();
    }
    sent += count;
  }, Number(seconds));
  if (await world.execAmPe(1, Sum({})) !== sent) throw new Error("The AMs lost updates");
  printMetric("am-group-rate", 1e-6 / each, "M updates/s");
}
world.barrier();
