import { assertEquals, assertMatch } from "@std/assert";
import { runSource } from "./support/inline.ts";
import type { RunResult } from "./support/run.ts";
import { LAMELLAE, STUCK } from "./support/three_processes.ts";

const SETUP = `import { am, Darc, GlobalRwDarc, LamellarWorldBuilder, LocalRwDarc } from "MOD";
const Wait = am("Wait", async (self) => {
  using guard = await self.at.write();
});
const Keep = am("Keep", (self) => void (globalThis.kept = self.at.clone()));
await using world = await new LamellarWorldBuilder().build();
// The module could still settle it: what nothing can settle is found sooner.
const never = Promise.withResolvers();
globalThis.settle = never.resolve;
const local = await LocalRwDarc.create(world, 0);
const at = await GlobalRwDarc.create(world, 0);
`;

async function run(source: string, env: Record<string, string> = {}): Promise<RunResult> {
  const result = await runSource(SETUP + source, { pes: 3, env });
  assertEquals(result.signal, null);
  return result;
}

for (const [lamella, options] of Object.entries(LAMELLAE)) {
  for (const wait of ["await at.write()", "at.read().block()", "await at.collectiveWrite()"]) {
    const title = `${lamella}: A PE that fails while it has a lock ends the job, by name (${wait})`;
    Deno.test(title, async () => {
      const { code, signal, stderr, stdout } = await runSource(
        `${SETUP}
        if (world.myPe === 2) {
          globalThis.guard = await at.write();
          await world.asyncBarrier();
          throw new Error("with the lock");
        }
        await world.asyncBarrier();
        try {
          ${wait};
        } catch (error) {
          console.log(error.name);
          throw error;
        }`,
        { pes: 3, ...options },
      );
      assertEquals(signal, null, stderr + stdout);
      assertMatch(
        stderr,
        /^lamellar: PE 2 failed: Error: with the lock[ (\n]/,
        `${code} ${stdout}`,
      );
      // A process may be ended before its program has printed what it caught.
      if (lamella === "local") assertEquals(stdout, "PeFailedError\nPeFailedError\n");
      else assertMatch(stdout, /^(PeFailedError\n){0,2}$/);
      assertEquals(code, 1);
    });
  }
}

for (const wait of ["await at.write()", "at.write().block()"]) {
  Deno.test(`The watchdog tells who has the lock that others wait for (${wait})`, async () => {
    const { code, stderr, stdout } = await run(
      `if (world.myPe === 1) globalThis.guard = await at.read();
      await world.asyncBarrier();
      if (world.myPe === 1) await never.promise;
      try {
        ${wait};
      } catch (error) {
        console.log(error.name);
        throw error;
      }`,
      STUCK,
    );
    const lock = "the write lock of GlobalRwDarc 2, which PE 1 has held for reading since";
    assertMatch(stderr, new RegExp(`PE 0, 2: waiting for ${lock} \\d\\d:\\d\\d:\\d\\d`));
    assertMatch(stderr, /PE 1: awaiting something that is not the runtime's/);
    assertEquals([code, stdout], [1, "DeadlockError\nDeadlockError\n"]);
  });
}

Deno.test("The watchdog tells of a handler that waits for a lock of its own PE", async () => {
  const { code, stderr } = await run(
    `if (world.myPe > 0) globalThis.guard = await local.write();
    await world.asyncBarrier();
    if (world.myPe !== 1) await world.execAmPe(world.myPe || 1, Wait({ at: local }));
    await never.promise;`,
    STUCK,
  );
  assertMatch(stderr, /PE 0: waiting for AM "Wait" \(PE 1\)/);
  const lock = "the write lock of LocalRwDarc 1, which this PE has held for writing since";
  for (const [pe, from] of [[1, 0], [2, 2]]) {
    // Of PE 2 it is a handler of its own, which says less than what that waits for.
    const beside = `with the async handler of AM "Wait" from PE ${from} under way`;
    assertMatch(stderr, new RegExp(`PE ${pe}: waiting for ${lock} [\\d:]{8}, ${beside}`));
  }
  assertEquals(code, 1);
});

Deno.test("A conversion that waits says which PE has how many references, made where", async () => {
  for (const origins of ["0", "1"]) {
    const { code, stderr } = await run(
      `const darc = await Darc.create(world, 0);
      if (world.myPe === 0) await world.execAmPe(2, Keep({ at: darc }));
      if (world.myPe === 1) globalThis.clone = darc.clone();
      await world.asyncBarrier();
      await darc.intoLocalRw();`,
      { ...STUCK, LAMELLAR_DARC_ORIGINS: origins },
    );
    const where = origins === "1" ? " \\(1 clone of a Darc made at .*:\\d+:\\d+\\)?\\)" : "";
    const text = `for the last other references to Darc 3: PE 1 has 1${where}, PE 2 has 1${where}`;
    assertMatch(stderr, new RegExp(`lamellar: intoLocalRw has been waiting for [\\d.]+ s ${text}`));
    assertMatch(stderr, new RegExp(`PE 0, 2: waiting ${text}`));
    assertEquals(code, 1);
  }
});

Deno.test("A conversion that one PE does not call is a mismatch, by name", async () => {
  const { code, stderr } = await run(`
    if (world.myPe === 0) await at.intoDarc();
    else if (world.myPe === 1) await at.intoLocalRw();
    else await world.asyncBarrier();`);
  assertMatch(stderr, /^lamellar: PE \d failed: CollectiveMismatchError: PE \d called /);
  assertEquals(code, 1);
});
