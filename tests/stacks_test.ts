import { assertEquals, assertMatch } from "@std/assert";
import { runSource } from "./support/inline.ts";

/** What PE 0 does, in a line of its program, and the error that this ends in. */
const FAILURES: Readonly<Record<string, readonly [source: string, name: string]>> = {
  "awaits an AM that throws": ["await world.execAmPe(1, Fail(3));", "RemoteError"],
  "blocks on an AM that throws": ["world.execAmPe(1, Fail(3)).block();", "RemoteError"],
  "awaits AMs that throw on all PEs": ["await world.execAmAll(Fail(3));", "RemoteError"],
  "awaits a closure that throws": [
    "await world.execClosurePe(1, (a: number) => { throw new Error('x' + a); }, [1]);",
    "RemoteError",
  ],
  "awaits another collective": ["await world.asyncBarrier();", "CollectiveMismatchError"],
  "blocks on another collective": ["world.barrier();", "CollectiveMismatchError"],
  "uses an index that is none": [
    "await world.allocOneSidedMemRegion('u8', 1).put(5, Uint8Array.of(1));",
    "RangeError",
  ],
};

async function fail(line: string, env: Record<string, string> = {}) {
  // Whichever PE finds that the other called another collective, it is line 7 or 9.
  const source = `import { am, LamellarWorldBuilder } from "MOD";
    const Fail = am("Fail", (_: number): number => { throw new TypeError("as asked"); });
    const world = await new LamellarWorldBuilder().build();
    await user();
    async function user(): Promise<void> {
      if (world.myPe === 0) {
        ${line}
      } else {
        await world.allocSharedMemRegion("u8", 8);
      }
    }`;
  return await runSource(source, { pes: 2, env });
}

for (const [does, [line, name]] of Object.entries(FAILURES)) {
  Deno.test(`the report of a program that ${does} begins with its own line`, async () => {
    const { code, stderr } = await fail(line);
    assertEquals(code, 1);
    const [first, second, ...rest] = stderr.split("\n");
    assertMatch(first!, new RegExp(`^lamellar: PE \\d failed: ${name}: `));
    const own = second!.includes("Promise.all") ? rest[0]! : second!;
    assertMatch(own, /program\.ts:[79]:\d+\)?( \{)?$/);
    const ours = stderr.split("\n").filter((line) => /at .*\/(am|lamellae|world)\//.test(line));
    assertEquals(ours, []);
    assertMatch(stderr, /\.\.\. \d+ frames? of the runtime \(LAMELLAR_STACKS=1 shows them\)/);
  });
}

Deno.test("LAMELLAR_STACKS=1 shows the frames of the runtime", async () => {
  const { stderr } = await fail("await world.execAmPe(1, Fail(3));", { LAMELLAR_STACKS: "1" });
  assertMatch(stderr, /at .*\/am\/invoke\.ts:/);
  assertEquals(stderr.includes("LAMELLAR_STACKS"), false);
});

Deno.test("a mismatch ends the job though the PE that finds it blocks by then", async () => {
  const source = `import { am, LamellarWorldBuilder } from "MOD";
    const Never = am("Never", () => new Promise<void>(() => {}));
    const world = await new LamellarWorldBuilder().build();
    if (world.myPe === 0) {
      world.asyncBarrier().then(() => {});
      await undefined;
      world.execAmPe(1, Never(null)).block();
    } else await world.allocSharedMemRegion("u8", 8);`;
  const { code, stderr } = await runSource(source, { pes: 2 });
  assertEquals(code, 1);
  assertMatch(stderr, /^lamellar: PE \d failed: CollectiveMismatchError: /);
});
