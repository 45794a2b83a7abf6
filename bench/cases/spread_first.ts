// The first round trip of an AM from PE 0 to the last PE of a world that has just met: for the
// provider, and for much of the program, everything happens for the first time: spread_first.ts
import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";
import { printMetric } from "../measure.ts";

const Increment = am(
  "bench.Increment",
  { value: u32 },
  (self) => self.value + 1,
  { returns: u32 },
);

await using world = await new LamellarWorldBuilder().build();
if (world.myPe === 0) {
  const start = performance.now();
  const value = await world.execAmPe(world.numPes - 1, Increment({ value: 1 }));
  if (value !== 2) throw new Error(`The AM returned ${value}, not 2`);
  printMetric("first message", (performance.now() - start) * 1000, "us");
}
world.barrier();
