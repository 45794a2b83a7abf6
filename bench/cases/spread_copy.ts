// Puts or gets between two processes: bandwidth, or the time of one, with a window of them under
// way: spread_copy.ts put|get <bytes> <window> GB/s|us [seconds]
import { LamellarWorldBuilder } from "../../mod.ts";
import { fastestTenth, printMetric } from "../measure.ts";

const [kind = "put", bytesText = "8", windowText = "1", unit = "us", seconds = "1"] = Deno.args;
const bytes = Number(bytesText);
const window = Number(windowText);

await using world = await new LamellarWorldBuilder().build();
const region = await world.allocSharedMemRegion("u8", bytes);
const buffer = world.allocOneSidedMemRegion("u8", bytes);
buffer.asSlice().fill(world.myPe + 1);
region.asSlice().fill(world.myPe + 1);
world.barrier();

function start(): { block(): unknown } {
  return kind === "put" ? region.put(1, 0, buffer) : region.get(1, 0, buffer);
}

function transfer(rounds: number): void {
  const handles = new Array<{ block(): unknown }>(window);
  for (let i = 0; i < rounds; i++) {
    for (let slot = 0; slot < window; slot++) handles[slot] = start();
    for (let slot = 0; slot < window; slot++) handles[slot]!.block();
  }
}

if (world.myPe === 0) {
  const each = fastestTenth(transfer, Number(seconds)) / window;
  printMetric(kind, unit === "us" ? each * 1e6 : bytes / each * 1e-9, unit);
}
world.barrier();
const [changed, expected] = kind === "put" ? [region, 1] : [buffer, 2];
if (world.myPe === (kind === "put" ? 1 : 0) && !changed.asSlice().every((b) => b === expected)) {
  throw new Error(`The ${kind} left other bytes than its source has`);
}
world.barrier();
