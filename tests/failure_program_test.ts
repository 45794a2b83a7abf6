import { assert, assertEquals, assertMatch } from "@std/assert";
import { runSource } from "./support/inline.ts";
import { programUrl } from "./support/paths.ts";
import { runProgram, type RunResult, startProgram } from "./support/run.ts";

/** How long after the failure the process may live; a second, and as much for a busy machine. */
const END_MS = 2000;

/** How long a process is stopped: longer than others may take to clean up. */
const STOPPED_MS = 700;

async function fail(
  way: string,
  others: string,
  env: Record<string, string> = {},
): Promise<{ result: RunResult; afterMs: number }> {
  const program = programUrl("failing.ts");
  const result = await runProgram({ program, pes: 4, args: [way, others], launcher: true, env });
  const at = Number(/failing at (\d+)/.exec(result.stdout)?.[1]);
  return { result, afterMs: Date.now() - at };
}

/** Each way to fail, the exit code, and how the report begins. */
const WAYS: readonly (readonly [string, string, number, RegExp])[] = [
  ["throws", "throws at top level", 1, /^lamellar: PE 2 failed: Error: thrown at top level\n +at /],
  ["throws-text", "throws a text", 1, /^lamellar: PE 2 failed: "only a text"\n/],
  ["rejects", "rejects", 1, /^lamellar: PE 2 failed: TypeError: rejected at top level\n +at /],
  ["timer", "throws in a timer", 1, /^lamellar: PE 2 failed: Error: thrown in a timer\n +at /],
  [
    "unhandled",
    "leaves a rejection unhandled",
    1,
    /^lamellar: PE 2 failed: Error: nobody handles this\n +at /,
  ],
  [
    "exit-0",
    "calls Deno.exit(0) with an open world",
    1,
    /^lamellar: PE 2 failed: it called Deno\.exit\(0\) with its world open, .*\n$/,
  ],
  ["exit-3", "calls Deno.exit(3)", 3, /^lamellar: PE 2 failed: it called Deno\.exit\(3\)\n$/],
  ["process-exit", "calls process.exit(5)", 5, /^lamellar: PE 2 failed: it called .*exit\(5\)\n$/],
  [
    "process-exit-code",
    "sets process.exitCode and exits",
    6,
    /^lamellar: PE 2 failed: it called .*exit\(6\)\n$/,
  ],
  [
    "close",
    "calls self.close()",
    1,
    /^lamellar: PE 2 failed: it called self\.close\(\) with its world open, .*\n$/,
  ],
  [
    "handler",
    "awaits an AM that throws",
    1,
    /^lamellar: PE 2 failed: RemoteError: AM "Throws" failed on PE 0: Error: thrown by the handler/,
  ],
  [
    "ignored-handler",
    "ignores an AM that throws",
    1,
    /^lamellar: PE 2 failed: RemoteError: AM "Throws" failed on PE 0: Error: thrown by the handler/,
  ],
];

for (const [way, does, code, report] of WAYS) {
  Deno.test(`a PE that ${does} ends the job with one line and exit code ${code}`, async () => {
    const { result, afterMs } = await fail(way, "barrier");
    assertMatch(result.stderr, report);
    assertEquals(result.stderr.match(/^lamellar: /gm)?.length, 1, result.stderr);
    assertEquals([result.code, result.signal], [code, null]);
    assert(afterMs < END_MS, `ended ${afterMs} ms after the failure`);
  });
}

const OTHERS = {
  "async-barrier": "await a barrier",
  "block": "block on an AM",
  "await": "await an AM",
  "compute": "compute",
  "timer": "wait for a timer",
  "end": "have ended their programs",
};

for (const [others, what] of Object.entries(OTHERS)) {
  Deno.test(`a failing PE ends the job while the others ${what}`, async () => {
    const { result, afterMs } = await fail("throws", others);
    assertMatch(result.stderr, /^lamellar: PE 2 failed: Error: thrown at top level\n/);
    assertMatch(result.stderr, /\[cause\]: RangeError: the reason below/);
    assertEquals([result.code, result.signal], [1, null]);
    assert(afterMs < END_MS, `ended ${afterMs} ms after the failure`);
  });
}

const SHORT = {
  LAMELLAR_DEADLOCK_WARNING_TIMEOUT: "0.3",
  LAMELLAR_DEADLOCK_TIMEOUT: "0.9",
};

const STUCK = {
  forever: [
    "awaits what could still come",
    /PE 2: awaiting something that is not the runtime's/,
  ],
  spins: ["spins for ever", /PE 2: running without calling the runtime/],
} as const;

for (const [way, [does, culprit]] of Object.entries(STUCK)) {
  for (const others of ["barrier", "async-barrier", "end"]) {
    Deno.test(`a PE that ${does} is named and ends the job (others: ${others})`, async () => {
      const { result, afterMs } = await fail(way, others, SHORT);
      const [warning, verdict, ...rest] = result.stderr.trim().split("\n");
      assertMatch(warning!, /^lamellar: nothing moved for 0\.3 s: /);
      assertMatch(warning!, culprit);
      assertMatch(warning!, /PE 0-1, 3: .*waiting for a collective \(PE 2\)/);
      assertMatch(verdict!, /^lamellar: the job is stuck, .*\(LAMELLAR_DEADLOCK_TIMEOUT\): /);
      assertMatch(verdict!, culprit);
      assertEquals(rest, []);
      assertEquals([result.code, result.signal], [1, null]);
      assert(afterMs < 900 + END_MS, `ended ${afterMs} ms after the failure`);
    });
  }
}

Deno.test("time in which nobody waits does not count for the watchdog", async () => {
  const program = programUrl("slow_start.ts");
  const result = await runProgram({ program, pes: 2, launcher: true, env: SHORT });
  assertEquals(result.stderr, "");
  assertEquals([result.code, result.stdout], [0, "met\nmet\n"]);
});

Deno.test("a job that awaits only other things than the runtime is named, not ended", async () => {
  const { code, stdout, stderr } = await runSource(
    `
    import { LamellarWorldBuilder } from "MOD";
    await using world = await new LamellarWorldBuilder().build();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    if (world.myPe === 0) console.log("slept");
    `,
    { pes: 2, env: SHORT },
  );
  assertMatch(stderr, /^lamellar: nothing moved for 0\.3 s: PE 0-1: awaiting something .*\n$/);
  assertEquals([code, stdout], [0, "slept\n"]);
});

Deno.test("time in which the process is stopped does not count for cleaning up", async () => {
  const program = startProgram({ program: programUrl("cleaning.ts"), pes: 2 });
  await program.seen("cleaning up");
  program.kill("SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, STOPPED_MS));
  program.kill("SIGCONT");
  const { code, stdout } = await program.result;
  assertEquals([code, stdout], [1, "cleaning up\ncleaned up\n"]);
});
