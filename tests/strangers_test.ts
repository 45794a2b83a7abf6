import { assert, assertEquals } from "@std/assert";
import { repositoryPath } from "./support/inline.ts";
import { Side } from "./support/fabric_side.ts";
import { tryKeys } from "./support/key_trials.ts";
import { placesOf } from "./support/listening.ts";
import { startCommand } from "./support/run.ts";
import { SpreadJob } from "./support/spread.ts";
import type { Loot } from "./support/stranger.ts";

/**
 * How many keys are tried, from 0 up: `STRANGERS_KEYS=65536` for all. Without it a sample is, and
 * over udp always: SECURITY.md says why.
 */
const KEYS = Deno.env.get("STRANGERS_KEYS");
/** Over what; over all without it. */
const ON = Deno.env.get("STRANGERS_ON")?.split(",") ?? ["tcp", "net", "udp"];
const LIMIT_MS = KEYS === undefined ? 100_000 : 4 * 3_600_000;
const STRANGER = [Deno.execPath(), "run", "-A", repositoryPath("tests/support/stranger.ts")];

for (const provider of ON) {
  Deno.test(`strangers do a job over ${provider} no harm`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "lamellar-test-" });
    const stop = `${folder}/stop`;
    const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
    const job = new SpreadJob({
      starter: "launcher",
      provider,
      processes: 2,
      pes: 2,
      program: "tests/programs/besieged.ts",
      args: [stop, String(LIMIT_MS)],
      timeoutMs: LIMIT_MS,
    });
    try {
      await job.started(4);
      await job.programs[0]!.seen("PE 0 is at work");
      const places = [0, 2].flatMap((pe) =>
        placesOf(job.pidOf(pe), provider === "udp" ? "udp" : "tcp")
      );
      // Nobody from elsewhere has to reach processes of one host.
      assertEquals(places.map(({ host }) => host), ["127.0.0.1", "127.0.0.1"]);
      const besiege = async (keys: readonly string[]): Promise<Loot[]> => {
        const strangers = places.map(({ host, port }) =>
          startCommand([...STRANGER, provider, host, String(port), String(seed), ...keys], {
            timeoutMs: LIMIT_MS,
            // A broken connection is noticed at once, and another made.
            env: { FI_OFI_RXM_CM_PROGRESS_INTERVAL: "1" },
          }).result
        );
        return (await Promise.all(strangers)).map(({ code, stdout, stderr }) => {
          assertEquals(code, 0, stderr);
          const loot = JSON.parse(stdout) as Loot;
          const answers = provider !== "udp";
          assertEquals([loot.opened, loot.held], [0, answers ? 200 : 0]);
          // Over udp nothing is heard of a wrong key.
          assert(answers ? loot.refused >= 2 * loot.keys : loot.refused === 0, stdout);
          return loot;
        });
      };
      if (KEYS !== undefined && provider !== "udp") {
        const all = await besiege([KEYS]);
        console.log(`${provider}: ${JSON.stringify(all)}`);
        assertEquals(all.map(({ keys }) => keys), places.map(() => Number(KEYS)));
      }
      // Others come after those who have tried all keys.
      for (const { keys, messages } of await besiege([])) assert(keys >= 20 && messages > 40);
      await Deno.writeTextFile(stop, "");
      const { code, stdout, stderr } = (await job.ended())[0]!;
      assertEquals(code, 0, stderr);
      assertEquals(stdout.match(/^PE \d is unharmed$/gm)?.length, 4, stdout);
      // Each process tells once.
      const told = /^lamellar: PEs \d to \d dropped a message that is not of this job/gm;
      assertEquals(stderr.match(told)?.length, 2, stderr);
    } catch (error) {
      throw new Error(`with the seed ${seed}`, { cause: error });
    } finally {
      job.programs[0]!.kill("SIGTERM");
      await job.ended();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

// Behind the others: the jobs would inherit the sockets that libfabric leaves open.
for (const provider of ON) {
  Deno.test(`a key that is right is found over ${provider}`, async () => {
    using victim = new Side(provider, undefined, true);
    const { base, key } = victim.pointers.memory;
    const looks = setInterval(() => victim.own.poll(), 1);
    const trials = await tryKeys({
      provider,
      name: victim.fabric.name,
      keys: [key - 1n, key, key + 1n].values(),
      base,
      atATime: 1,
      below: (limit) => Math.floor(Math.random() * limit),
    });
    clearInterval(looks);
    assertEquals(trials, { keys: 3, opened: 2, refused: provider === "udp" ? 0 : 4 });
  });
}
