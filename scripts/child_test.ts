import { assertEquals, assertLess, assertStringIncludes } from "@std/assert";

const CHILD = new URL("./child.ts", import.meta.url).href;

/** Runs a program of its own, because the signal listeners of the runner stay. */
async function program(code: string): Promise<string> {
  const source = `import { runChild } from ${JSON.stringify(CHILD)};\n${code}\nDeno.exit(0);`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", source],
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("runChild() gives the exit code and the output of both streams", async () => {
  const output = await program(`
    const result = await runChild(["sh", "-c", "echo out; echo err >&2; exit 3"], {
      limitSeconds: 10,
    });
    console.log(result.code, result.output.split("\\n").sort().join(","));
  `);
  assertEquals(output, "3 ,err,out\n");
});

Deno.test("runChild() ends a child at its limit, and what the child started", async () => {
  const start = performance.now();
  const output = await program(`
    const result = await runChild(["sh", "-c", "sleep 77 & echo $!; sleep 78"], {
      limitSeconds: 0.5,
    });
    console.log(result.code, result.output);
  `);
  assertLess(performance.now() - start, 20_000);
  assertStringIncludes(output, "ended after 0.5 s: sh -c");
  const pid = Number(/^-1 (\d+)/.exec(output)?.[1]);
  await assertGone(pid);
});

Deno.test("runChild() does not wait for what a finished child leaves behind", async () => {
  const start = performance.now();
  const output = await program(`
    const result = await runChild(["sh", "-c", "sleep 79 & echo $!"], { limitSeconds: 60 });
    console.log(result.code, result.output);
  `);
  assertLess(performance.now() - start, 20_000);
  await assertGone(Number(/^0 (\d+)/.exec(output)?.[1]));
});

/** A killed process is a zombie for a moment, until its parent or init takes note. */
async function assertGone(pid: number): Promise<void> {
  for (let round = 0; round < 100; round++) {
    const { stdout } = await new Deno.Command("cat", {
      args: [`/proc/${pid}/stat`],
      stderr: "null",
    }).output();
    const state = new TextDecoder().decode(stdout);
    if (state === "" || /\) Z /.test(state)) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`process ${pid} still runs`);
}
