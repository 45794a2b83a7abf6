// The round trip of one AM between PEs 2k and 2k + 1:
// am_latency.ts awaited|block [together|mean|median|p99] [seconds]
import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";
import { type Figure, printMetric, roundTrip } from "../measure.ts";

let stopped = false;

const Increment = am(
  "bench.Increment",
  { value: u32 },
  (self) => self.value + 1,
  { returns: u32 },
);
const Stop = am("bench.Stop", {}, () => {
  stopped = true;
});

const [form = "awaited", figure = "together", seconds = 0.3] = Deno.args;

await using world = await new LamellarWorldBuilder().build();
const partner = world.myPe ^ 1;

function check(value: number, expected: number): void {
  if (value !== expected) throw new Error(`The AM returned ${value}, not ${expected}`);
}

async function awaited(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    check(await world.execAmPe(partner, Increment({ value: i })), i + 1);
  }
}

function blocking(count: number): void {
  for (let i = 0; i < count; i++) {
    check(world.execAmPe(partner, Increment({ value: i })).block(), i + 1);
  }
}

const roundTrips = form === "block" ? blocking : awaited;
world.barrier();
if (world.myPe === 0) {
  const each = await roundTrip(figure as Figure, roundTrips, Number(seconds));
  printMetric("am-latency", each * 1e6, "us");
  await world.execAmAll(Stop({}));
} else if (world.myPe % 2 === 0) {
  // The other pairs keep the machine busy for as long as PE 0 measures.
  while (!stopped) await roundTrips(100);
}
world.barrier();
