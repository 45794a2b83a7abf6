import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { runSource } from "./support/inline.ts";

/** What PE 0 and PE 1 call, and how messages call that. */
const MISMATCHES:
  readonly (readonly [name: string, first: string, second: string, text: RegExp])[] = [
    [
      "another operator",
      'world.allReduce(1, "sum")',
      'world.allReduce(1, "max")',
      /allReduce\(sum, f64\).*allReduce\(max, f64\)/,
    ],
    [
      "another length",
      'world.allReduce(new Int32Array(3), "sum")',
      'world.allReduce(new Int32Array(300000), "sum")',
      /allReduce\(sum, i32\[3\]\).*allReduce\(sum, i32\[300000\]\)/,
    ],
    [
      "another element type",
      'world.scan(new Int32Array(3), "sum")',
      'world.scan(new Uint32Array(3), "sum")',
      /scan\(sum, i32\[3\]\).*scan\(sum, u32\[3\]\)/,
    ],
    [
      "an array for a number",
      'world.allReduce(1, "minLoc")',
      'world.allReduce(new Float64Array(1), "minLoc")',
      /allReduce\(minLoc, f64\).*allReduce\(minLoc, f64\[1\]\)/,
    ],
    [
      "another root",
      "world.broadcast(1, { root: 0 })",
      "world.broadcast(1, { root: 1 })",
      /broadcast\(PE 0\).*broadcast\(PE 1\)/,
    ],
    ["another collective", "world.allGather(1)", 'world.allReduce("a", (a) => a)', /allGather/],
  ];

for (const [name, first, second, text] of MISMATCHES) {
  Deno.test(`PEs that call ${name} fail at once, and both calls are named`, async () => {
    const result = await runSource(
      `import { LamellarWorldBuilder } from "MOD";
      await using world = await new LamellarWorldBuilder().build();
      await (world.myPe === 0 ? ${first} : ${second});`,
      { pes: 2 },
    );
    assertEquals(result.code, 1, result.stderr);
    assertMatch(result.stderr, /^lamellar: PE \d failed: CollectiveMismatchError: PE \d called /);
    // Either PE may find it first.
    const calls = [text.source, text.source.split(".*").toReversed().join(".*")];
    assertMatch(result.stderr, new RegExp(calls.join("|")));
  });
}

for (
  const [what, code] of [["throws", "throw new Error('no')"], ["exits", "Deno.exit(3)"]] as const
) {
  Deno.test(`A PE that ${what} in the middle of large collectives ends the job`, async () => {
    const began = performance.now();
    const { code: exit, stderr } = await runSource(
      `import { LamellarWorldBuilder } from "MOD";
      await using world = await new LamellarWorldBuilder().build();
      const array = new Float64Array(1 << 19);
      for (let i = 0; i < 1000; i++) {
        const sum = world.allReduce(array, "sum");
        if (i === 20 && world.myPe === 1) { ${code}; }
        await sum;
      }`,
      { pes: 3 },
    );
    assertEquals(exit, what === "exits" ? 3 : 1, stderr);
    assertMatch(stderr, /^lamellar: PE 1 /);
    assertLess(performance.now() - began, 15_000);
  });
}
