import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
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
    /^lamellar: PE 2 failed: it called Deno\.exit\(0\) with its world open; .*\n$/,
  ],
  ["exit-3", "calls Deno.exit(3)", 3, /^lamellar: PE 2 failed: it called Deno\.exit\(3\)\n$/],
  [
    "process-exit",
    "calls process.exit(5)",
    5,
    /^lamellar: PE 2 failed: it called process\.exit\(5\)\n$/,
  ],
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
    /^lamellar: PE 2 failed: it called self\.close\(\) with its world open; .*\n$/,
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

/** How long PEs at rest are given to say what keeps them alive; it takes them 30 ms of a core. */
const ANSWER_MS = 3000;

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
      assertMatch(warning!, /PE 0-1, 3: .*waiting for (?:a barrier|all programs to end) \(PE 2\)/);
      assertMatch(verdict!, /^lamellar: the job is stuck, .*\(LAMELLAR_DEADLOCK_TIMEOUT\): /);
      assertMatch(verdict!, culprit);
      assertEquals(rest, []);
      assertEquals([result.code, result.signal], [1, null]);
      assert(afterMs < 900 + ANSWER_MS + END_MS, `ended ${afterMs} ms after the failure`);
    });
  }
}

Deno.test("time in which nobody waits does not count for the watchdog", async () => {
  const program = programUrl("slow_start.ts");
  const result = await runProgram({ program, pes: 2, launcher: true, env: SHORT });
  assertEquals(result.stderr, "");
  assertEquals([result.code, result.stdout], [0, "met\nmet\n"]);
});

/** What both PEs await, and what the watchdog says of it. */
const AWAITED: readonly (readonly [string, string, RegExp])[] = [
  // What is not the runtime's and keeps nothing alive; what does is an idle server, or slow I/O.
  [
    "something of their own",
    "await new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, 4000)));",
    /^lamellar: nothing moved for 0\.3 s: PE 0-1: awaiting something .*\n$/,
  ],
  ["a timer", "await new Promise((resolve) => setTimeout(resolve, 1500));", /^$/],
];

for (const [what, awaited, said] of AWAITED) {
  Deno.test(`a job in which all PEs await ${what} is not ended`, async () => {
    const source = `
      import { LamellarWorldBuilder } from "MOD";
      await using world = await new LamellarWorldBuilder().build();
      ${awaited}
      if (world.myPe === 0) console.log("slept");`;
    const { code, stdout, stderr } = await runSource(source, { pes: 2, env: SHORT });
    assertMatch(stderr, said);
    assertEquals([code, stdout], [0, "slept\n"]);
  });
}

Deno.test("the watchdog names a value that is awaited, and a task of the PE itself", async () => {
  const source = `
    import { LamellarWorldBuilder } from "MOD";
    await using world = await new LamellarWorldBuilder().build();
    const words = await world.allocSharedMemRegion("i32", 1);
    const never = Promise.withResolvers();
    globalThis.settle = never.resolve;
    if (world.myPe === 0) await words.waitUntil(0, "==", 1);
    if (world.myPe === 1) world.spawn(() => never.promise);`;
  const { code, stderr } = await runSource(source, { pes: 3, env: SHORT });
  const named = "PE 0: waiting for a value in a region; PE 1: at the end of its program, " +
    "waiting for a task or an async handler of its own; PE 2: at the end of its program, waiting ";
  for (const line of stderr.trim().split("\n")) assert(line.includes(named), line);
  assertEquals(code, 1);
});

const AT_END = "at the end of its program, waiting for all programs to end";

/** What PE 0 does, what PE 1 does, and what the watchdog says of both. */
const WAITS: readonly (readonly [string, string, string])[] = [
  [
    "void world.execAmPe(1, Forever());",
    "",
    'PE 0: at the end of its program, waiting for AM "Forever" (PE 1); ' +
    `PE 1: ${AT_END} (PE 0), with the async handler of AM "Forever" from PE 0 under way`,
  ],
  ["world.execAmPe(1, Forever()).block();", "", 'PE 0: waiting for AM "Forever" (PE 1); '],
  ["await world.execAmPe(1, Forever());", "", 'PE 0: waiting for AM "Forever" (PE 1); '],
  ["void world.execAmPe(1, Forever()); world.waitAll();", "", "PE 0: waiting for all its AMs"],
  [
    "await world.execClosurePe(1, async () => await new Promise(() => {}), []);",
    "",
    `PE 0: waiting for closure (PE 1); PE 1: ${AT_END} (PE 0), ` +
    "with the async handler of closure from PE 0 under way",
  ],
  [
    "void world.execAmPe(0, Forever());",
    "",
    "PE 0: at the end of its program, waiting for a task or an async handler of its own, " +
    'with the async handler of AM "Forever" from PE 0 under way',
  ],
  [
    "void world.execAmLocal(Forever());",
    "",
    'of its own, with the async handler of AM "Forever" under way; PE 1: ' + AT_END,
  ],
  ["world.spawn(forever);", "", "waiting for a task or an async handler of its own; PE 1: "],
  [
    "await world.execAmPe(1, Forever());",
    "await forever();",
    "PE 1: awaiting something that is not the runtime's, in its program, with the async handler " +
    'of AM "Forever" from PE 0 under way',
  ],
  ["world.barrier();", "await forever();", "PE 0: waiting for a barrier (PE 1); PE 1: awaiting"],
  ["await world.asyncBarrier();", "await forever();", "PE 0: waiting for a barrier (PE 1)"],
  [
    'await world.allocSharedMemRegion("u8", 1);',
    "await forever();",
    "PE 0: waiting for the allocation of a region (PE 1)",
  ],
  [
    'world.allocSharedMemRegion("u8", 1).block();',
    "await forever();",
    "PE 0: waiting for the allocation of a region (PE 1)",
  ],
  [
    "await world.createTeamFromArch(new StridedArch(0, 1, 2));",
    "await forever();",
    "PE 0: waiting for the creation of a team (PE 1)",
  ],
  [
    "const team = await world.createTeamFromArch(new StridedArch(0, 1, 2)); team.barrier();",
    "await world.createTeamFromArch(new StridedArch(0, 1, 2)); await forever();",
    "PE 0: waiting for a barrier in ",
  ],
  [
    'await words.waitUntil(0, "==", 1);',
    "",
    "PE 0: waiting for a value in a region; PE 1: " + AT_END,
  ],
  ['words.waitUntil(0, "==", 1).block();', "", "PE 0: waiting for a value in a region; PE 1: "],
  ["", "await forever();", `PE 0: ${AT_END} (PE 1); PE 1: awaiting something that is not`],
];

for (const [one, other, named] of WAITS) {
  const about = other === "" ? one : `${one} while PE 1 does ${other}`;
  Deno.test(`the watchdog names what a PE waits for: ${about}`, async () => {
    const source = `
      import { am, LamellarWorldBuilder, StridedArch } from "MOD";
      // Kept, so that nobody can tell that nothing settles it.
      const forever = () => new Promise((resolve) => (globalThis.pending ??= []).push(resolve));
      const Forever = am("Forever", {}, async () => await forever());
      await using world = await new LamellarWorldBuilder().build();
      const words = await world.allocSharedMemRegion("i32", 1);
      world.barrier();
      if (world.myPe === 0) { ${one} } else { ${other} }
      void [words, StridedArch];`;
    const { code, stderr } = await runSource(source, {
      pes: 2,
      env: { LAMELLAR_DEADLOCK_WARNING_TIMEOUT: "0", LAMELLAR_DEADLOCK_TIMEOUT: "0.4" },
    });
    assertStringIncludes(stderr, named);
    assertEquals(code, 1);
  });
}

Deno.test("time in which the process is stopped does not count for cleaning up", async () => {
  const program = startProgram({ program: programUrl("cleaning.ts"), pes: 2 });
  await program.seen("cleaning up");
  program.kill("SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, STOPPED_MS));
  program.kill("SIGCONT");
  const { code, stdout } = await program.result;
  assertEquals([code, stdout], [1, "cleaning up\ncleaned up\n"]);
});
