import { assertEquals, assertMatch } from "@std/assert";
import { runSource } from "./support/inline.ts";
import type { RunResult } from "./support/run.ts";

const SETUP = `import { BlockedArch, LamellarWorldBuilder } from "MOD";
await using world = await new LamellarWorldBuilder().build();
const team = await world.createTeamFromArch(new BlockedArch(1, 3));
// The module could still settle it: what nothing can settle is found sooner. A timer would count as
// moving.
const never = Promise.withResolvers();
globalThis.settle = never.resolve;
const forever = () => never.promise;
`;

async function run(source: string, env: Record<string, string> = {}): Promise<RunResult> {
  const result = await runSource(SETUP + source, { pes: 4, env });
  assertEquals(result.signal, null);
  return result;
}

for (const call of ["team.barrier()", "await team.asyncBarrier()"]) {
  Deno.test(`Members that call different collectives end the job, by name (${call})`, async () => {
    const { code, stderr } = await run(`if (team.isMember && team.myPe === 0) ${call};
      else if (team.isMember) await team.createSubteamFromArch(new BlockedArch(0, 1));`);
    assertMatch(stderr, /^lamellar: PE \d failed: CollectiveMismatchError: PE \d called /);
    assertMatch(stderr, / as collective number 1 of team 1 where PE \d called /);
    assertEquals(code, 1);
  });

  Deno.test(`A member that fails ends the barrier of the others (${call})`, async () => {
    const { code, stderr } = await run(`if (world.myPe === 2) throw new Error("of a member");
      if (team.isMember) ${call}; else await forever();`);
    assertMatch(stderr, /^lamellar: PE 2 failed: Error: of a member\n/);
    assertEquals(code, 1);
  });

  Deno.test(`The watchdog tells for which member the others wait (${call})`, async () => {
    const env = {
      LAMELLAR_DEADLOCK_WARNING_TIMEOUT: "0",
      LAMELLAR_DEADLOCK_TIMEOUT: "0.4",
    };
    const { code, stderr, stdout } = await run(
      `if (world.myPe === 1 || world.myPe === 3) {
        try { ${call}; } catch (error) { console.log(error.name); throw error; }
      } else await forever();`,
      env,
    );
    assertEquals(stdout, "DeadlockError\nDeadlockError\n");
    assertMatch(stderr, /the job is stuck, nothing moved for 0\.4 s/);
    assertMatch(stderr, /PE 1, 3: waiting for a barrier in .* \(PE 2\)/);
    assertMatch(stderr, /PE 0, 2: awaiting something that is not the runtime's/);
    assertEquals(code, 1);
  });
}

Deno.test("Creating a team where another PE calls a barrier ends the job, by name", async () => {
  const { code, stderr } = await run(`if (world.myPe === 0) world.barrier();
    else await world.createTeamFromArch(new BlockedArch(0, 1));`);
  assertMatch(stderr, /CollectiveMismatchError: PE \d called .* where PE \d called /);
  assertMatch(stderr, /createTeamFromArch/);
  assertEquals(code, 1);
});

Deno.test("Archs that differ from PE to PE end a program that does not expect it", async () => {
  const { code, stderr } = await run(`
    await world.createTeamFromArch(new BlockedArch(world.myPe % 2, 1));`);
  assertMatch(stderr, /^lamellar: PE \d failed: CollectiveMismatchError: PE \d called create/);
  assertMatch(stderr, /TeamFromArch for PEs \d of the world where PE \d called it for PEs \d: /);
  assertEquals(code, 1);
});
