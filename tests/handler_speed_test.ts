import { assert, assertEquals } from "@std/assert";
import { runSource } from "./support/inline.ts";

/** What a handler and a function do, which V8 is to compile alike. */
const LOOPS = `
  let all = 0;
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < indices.length; i++) all = (all + table[indices[i]!]!) | 0;
  }
  return all >>> 0;
`;

const PROGRAM = `import { am, LamellarWorldBuilder, u32 } from "MOD";
const indices = Uint32Array.from({ length: 1 << 16 }, (_, i) => (i * 30_011 + 7) % (1 << 16));
const table = indices.map((index) => (index * 40_503) % (1 << 16));
const Sum = am("Sum", { seed: u32 }, () => {${LOOPS}}, { returns: u32 });
function sum() {${LOOPS}}
await using world = await new LamellarWorldBuilder().build();
if (world.myPe === 0) {
  const least = async (runs: number, work: () => unknown) => {
    let best = Infinity;
    for (let run = 0; run < runs; run++) {
      const start = performance.now();
      await work();
      best = Math.min(best, performance.now() - start);
    }
    return best;
  };
  const far = () => world.execAmPe(1, Sum({ seed: 1 }));
  await least(800, far);
  await least(800, sum);
  console.log(await least(100, far) / await least(100, sum));
}
`;

Deno.test("a handler that works for long is as fast as a function of the program", async () => {
  const { code, stdout } = await runSource(PROGRAM, { pes: 2 });
  assertEquals(code, 0);
  const ratio = Number(stdout);
  // It was 4 to 7 times slower as a part of the engine, into which V8 had compiled it.
  assert(ratio < 2.5, `${ratio} times the time of the function`);
});
