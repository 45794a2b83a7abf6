import { assertEquals, assertMatch } from "@std/assert";
import { SpreadJob } from "./support/spread.ts";

Deno.test("a PE that waits in place for another process is named by the watchdog", async () => {
  const job = new SpreadJob({
    starter: "launcher",
    provider: "tcp",
    processes: 2,
    program: "tests/programs/unanswered.ts",
    args: [],
    env: { LAMELLAR_DEADLOCK_WARNING_TIMEOUT: "0.5" },
  });
  await job.started(2);
  await job.programs[0]!.seen("PE 0 is at work");
  Deno.kill(job.pidOf(1), "SIGSTOP");
  const { code, stderr } = (await job.ended())[0]!;
  assertEquals(code, 1, stderr);
  assertMatch(
    stderr,
    /^lamellar: nothing moved for 0\.5 s: PE 0: waiting for memory of another process$/m,
  );
  assertMatch(stderr, /^lamellar: PE 1 on \S+ gave no sign of life for 3 s/m);
});
