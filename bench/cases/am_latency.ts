// The round trip of one AM between PEs 2k and 2k + 1: am_latency.ts awaited|block [seconds]
import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";
import { calibrated, printMetric } from "../measure.ts";

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

const form = Deno.args[0] ?? "awaited";
const seconds = Number(Deno.args[1] ?? 0.3);

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
  printMetric("am-latency", (await calibrated(roundTrips, seconds)) * 1e6, "us");
  await world.execAmAll(Stop({}));
} else if (world.myPe % 2 === 0) {
  // The other pairs keep the machine busy for as long as PE 0 measures.
  while (!stopped) await roundTrips(100);
}
world.barrier();
