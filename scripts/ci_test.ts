import { assertEquals } from "@std/assert";
import { runChild } from "./child.ts";
import { ROOT } from "./tree.ts";

/** Stands for npx and apt-get: notes how it was called, and ends as it is told to. */
const STAND_IN = `#!/bin/sh
echo "$(basename "$0") $*" >>"$FAKE_CALLS"
case "$*" in
*"task test") printf '%b' "$FAKE_TESTS"; exit "$FAKE_TESTS_CODE" ;;
*"task ok"*) exit "$FAKE_GATE_CODE" ;;
esac
exit "$FAKE_DEMONSTRATION_CODE"
`;

interface Script {
  readonly tests?: string;
  readonly testsCode?: number;
  readonly gateCode?: number;
  readonly demonstrationCode?: number;
}

/** Runs what continuous integration runs, with stand-ins for all that it calls. */
async function runCi(script: Script): Promise<{ code: number; last: string; calls: string[] }> {
  const folder = await Deno.makeTempDir({ prefix: "lamellar-ci-" });
  try {
    for (const name of ["npx", "apt-get", "dpkg"]) {
      await Deno.writeTextFile(`${folder}/${name}`, STAND_IN, { mode: 0o755 });
    }
    const { code, output } = await runChild([`${ROOT}.ci/run`], {
      limitSeconds: 30,
      env: {
        PATH: `${folder}:/usr/bin:/bin`,
        FAKE_CALLS: `${folder}/calls`,
        FAKE_TESTS: script.tests ?? "7 passed, 0 failed\\n",
        FAKE_TESTS_CODE: String(script.testsCode ?? 0),
        FAKE_GATE_CODE: String(script.gateCode ?? 0),
        FAKE_DEMONSTRATION_CODE: String(script.demonstrationCode ?? 0),
      },
    });
    const calls = (await Deno.readTextFile(`${folder}/calls`)).trimEnd().split("\n");
    return { code, last: output.trimEnd().split("\n").at(-1)!, calls };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("continuous integration installs nothing and calls the README's commands", async () => {
  const { code, last, calls } = await runCi({});
  assertEquals([code, last], [0, "7 passed, 0 failed"]);
  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  const commands = readme.match(/^npx \S.*$/gm)!.map((line) => line.replace(/ *#.*/, ""));
  assertEquals(calls, [...commands, `${commands[0]!.replace("run:local", "ok")} --except tests`]);
});

Deno.test("its last line counts each command that fails", async () => {
  const cases: [Script, number, string][] = [
    [{ tests: "7 passed, 2 failed\\n", testsCode: 1 }, 1, "7 passed, 2 failed"],
    [{ gateCode: 1 }, 1, "7 passed, 1 failed"],
    [{ gateCode: 1, demonstrationCode: 3 }, 1, "7 passed, 2 failed"],
    [{ tests: "7 passed, 2 failed\\n", testsCode: 1, gateCode: 1 }, 1, "7 passed, 3 failed"],
    [{ tests: "no counts\\n", testsCode: 1 }, 1, "0 passed, 1 failed"],
    [{ tests: "7 passed, 0 failed\\n", testsCode: 1 }, 1, "7 passed, 1 failed"],
    [{ tests: "no counts\\n" }, 1, "0 passed, 1 failed"],
  ];
  for (const [script, code, last] of cases) {
    const result = await runCi(script);
    assertEquals([result.code, result.last], [code, last]);
  }
});
