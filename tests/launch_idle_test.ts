import { assert, assertEquals } from "@std/assert";
import { runSource } from "./support/inline.ts";
import { programUrl } from "./support/paths.ts";
import { runProgram } from "./support/run.ts";

/** Seen are 0.2 to 0.7 %; one PE that polls or spins takes 10 to 100. */
const PERCENT_MAX = 3;

for (const way of ["barrier", "async-barrier", "timer"]) {
  Deno.test(`4 PEs that idle take next to nothing of a core (${way})`, async () => {
    const program = programUrl("idle.ts");
    const result = await runProgram({ program, pes: 4, args: [way, "2"], launcher: true });
    assertEquals([result.code, result.stderr], [0, ""]);
    const percent = parseFloat(result.stdout);
    assert(percent < PERCENT_MAX, `${percent} % of a core`);
  });
}

Deno.test("16 PEs work on any number of cores", async () => {
  const source = `import { am, LamellarWorldBuilder, u32 } from "MOD";
    const Add = am("Add", { a: u32, b: u32 }, ({ a, b }) => a + b);
    await using world = await new LamellarWorldBuilder().build();
    let sum = 0;
    for (let round = 0; round < 20; round++) {
      for (const value of await world.execAmAll(Add({ a: world.myPe, b: round }))) sum += value;
      world.barrier();
      await world.asyncBarrier();
    }
    console.log(world.myPe, sum);`;
  const { code, stdout, stderr, ms } = await runSource(source, { pes: 16, timeoutMs: 60_000 });
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trim().split("\n").sort((a, b) => parseInt(a) - parseInt(b));
  assertEquals(lines, Array.from({ length: 16 }, (_, pe) => `${pe} ${16 * (20 * pe + 190)}`));
  assert(ms < 15_000, `took ${ms} ms`);
});
