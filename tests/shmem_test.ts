import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runSource } from "./support/inline.ts";
import { SpreadJob } from "./support/spread.ts";

Deno.test("processes of one host need no libfabric", async () => {
  const folder = await Deno.makeTempDir({ prefix: "lamellar-test-" });
  try {
    // Found before the one of the system, and no library.
    await Deno.writeTextFile(`${folder}/libfabric.so.1`, "");
    const what = { processes: 2, program: "examples/hello.ts", args: ["20000"] };
    const env = { LD_LIBRARY_PATH: folder };
    const [result] = await new SpreadJob({ ...what, starter: "launcher", env }).ended();
    assertEquals([result!.code, result!.stderr], [0, ""]);
    const rofi = { ...what, starter: "launcher" as const, provider: "tcp", env };
    const [refused] = await new SpreadJob(rofi).ended();
    assertEquals(refused!.code, 2);
    assertStringIncludes(refused!.stderr, "Cannot use libfabric: ");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Longest sleep of a supervisor: nobody else looks for a PE that rests in its event loop. */
const SLEEP_MS = 250;

Deno.test("a PE that rests in its event loop is woken by another process at once", async () => {
  // The one that calls rests as well, and so long that the other has nothing left to look for.
  const source = `
    import { am, LamellarWorldBuilder, u32 } from "MOD";
    const Next = am("Next", { value: u32 }, (self) => self.value + 1, { returns: u32 });
    await using world = await new LamellarWorldBuilder().build();
    world.barrier();
    if (world.myPe === 0) {
      for (let i = 0; i < 10; i++) {
        await new Promise((resolve) => setTimeout(resolve, 100 + 37 * i));
        const start = performance.now();
        await world.execAmPe(1, Next({ value: 1 }));
        console.log(performance.now() - start);
      }
    }
    await world.asyncBarrier();`;
  const result = await runSource(source, { pes: 2, launcherFlags: ["--processes", "2"] });
  assertEquals([result.code, result.stderr], [0, ""]);
  const times = result.stdout.trim().split("\n").map(Number).sort((a, b) => a - b);
  assertEquals(times.length, 10);
  // A busy machine may keep a PE waiting now and then.
  assert(times[7]! < SLEEP_MS / 5, `${times} ms`);
});
