import { assert, assertEquals } from "@std/assert";
import { runProgram } from "./support/run.ts";

const PROGRAM = new URL("./programs/random_outcomes.ts", import.meta.url);
const COUNT = 400;

async function outcomesWith(pes: number, seed: number): Promise<string[]> {
  const args = [String(seed), String(COUNT)];
  const { code, stdout, stderr } = await runProgram({ program: PROGRAM, pes, args });
  assertEquals(code, 0, stderr);
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("What becomes of random launches does not depend on the number of PEs", async () => {
  const seed = Number(Deno.env.get("TEST_SEED") ?? Date.now() % 2 ** 31);
  const alone = await outcomesWith(1, seed);
  assertEquals(alone.length, COUNT);
  for (const way of ["gave", "failed", "refused"]) {
    const share = alone.filter((outcome) => outcome.startsWith(way)).length / COUNT;
    assert(share > 0.1, `TEST_SEED=${seed}: only ${share} of them ${way}`);
  }
  for (const pes of [2, 3]) {
    const together = await outcomesWith(pes, seed);
    together.forEach((outcome, i) =>
      assertEquals(outcome, alone[i], `TEST_SEED=${seed}, launch ${i} with ${pes} PEs`)
    );
  }
});
