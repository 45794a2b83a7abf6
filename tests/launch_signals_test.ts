import { assert, assertEquals } from "@std/assert";
import { programUrl } from "./support/paths.ts";
import { runSource } from "./support/inline.ts";
import { type RunningProgram, startProgram } from "./support/run.ts";

/** How long after the signal the process may live; a second, and as much for a busy machine. */
const END_MS = 2000;

async function start(way: string): Promise<RunningProgram> {
  const program = startProgram({
    program: programUrl("endless.ts"),
    pes: 4,
    args: [way],
    launcher: true,
  });
  await program.seen("all here");
  return program;
}

for (const way of ["spin", "barrier", "timer"]) {
  for (const group of [true, false]) {
    const whom = group ? "the process group" : "the process";
    Deno.test(`Ctrl-C to ${whom} ends the job with 130 (PEs: ${way})`, async () => {
      const program = await start(way);
      const sent = performance.now();
      program.kill("SIGINT", group);
      const { code, signal, stderr } = await program.result;
      assertEquals([code, signal], [130, null]);
      assertEquals(stderr, "lamellar: the job was ended by SIGINT\n");
      assert(performance.now() - sent < END_MS);
    });
  }
}

Deno.test("a second Ctrl-C ends the job at once, although PEs spin", async () => {
  // One Ctrl-C leaves spinning PEs 400 ms to end. The best of three, for a busy machine.
  let best = Infinity;
  for (let attempt = 0; attempt < 3; attempt++) {
    const program = await start("spin");
    program.kill("SIGINT", true);
    await program.seen("ended by SIGINT");
    const sent = performance.now();
    program.kill("SIGINT", true);
    assertEquals((await program.result).code, 130);
    best = Math.min(best, performance.now() - sent);
  }
  assert(best < 250, `ended after ${best} ms`);
});

Deno.test("SIGTERM ends the job with 143", async () => {
  const program = await start("barrier");
  program.kill("SIGTERM");
  const { code, signal } = await program.result;
  assertEquals([code, signal], [143, null]);
});

Deno.test("the exit code is the one that a PE has set at its end", async () => {
  const source = `import { LamellarWorldBuilder } from "MOD";
    await using world = await new LamellarWorldBuilder().build();
    if (world.myPe > 0) Deno.exitCode = 10 + world.myPe;`;
  const { code, stderr } = await runSource(source);
  assertEquals([code, stderr], [11, ""]);
});

Deno.test("a PE may call Deno.exit(0) once the world is closed", async () => {
  const source = `import { LamellarWorldBuilder } from "MOD";
    const world = await new LamellarWorldBuilder().build();
    await world.close();
    Deno.exit(0);`;
  const { code, stderr } = await runSource(source);
  assertEquals([code, stderr], [0, ""]);
});
