/**
 * A session in a notebook, in Deno's own kernel for Jupyter.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PYTHON } from "../scripts/test_needs.ts";
import { repositoryPath } from "./support/inline.ts";

/** What came of a cell. */
interface Cell {
  readonly status: string;
  readonly text: string;
  readonly types: readonly string[];
}

/** Runs cells one after the other. */
async function runCells(cells: readonly string[]): Promise<Cell[]> {
  const folder = await Deno.makeTempDir({ prefix: "lamellar-test-" });
  const env = {
    XDG_DATA_HOME: folder,
    JUPYTER_DATA_DIR: `${folder}/jupyter`,
    NO_COLOR: "1",
    PATH: pathWithDeno(),
  };
  try {
    const install = new Deno.Command(Deno.execPath(), { args: ["jupyter", "--install"], env });
    const installed = await install.output();
    assert(installed.success, new TextDecoder().decode(installed.stderr));
    const notebook = new Deno.Command(PYTHON, {
      args: [repositoryPath("tests/support/notebook.py")],
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const input = new Blob([JSON.stringify(cells)]).stream().pipeTo(notebook.stdin);
    const [{ stderr, stdout, success }] = await Promise.all([notebook.output(), input]);
    assert(success, new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The kernel is started by the name of Deno. */
function pathWithDeno(): string {
  return `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH")}`;
}

Deno.test("A notebook starts a session, and shows what AMs of its cells give", async () => {
  const library = JSON.stringify(new URL("../mod.ts", import.meta.url).href);
  const cells = [
    `import { am, LamellarWorldBuilder, startSession, u32 } from ${library};`,
    "const session = await startSession({ pes: 2 });",
    'const Twice = am("Twice", { n: u32 }, (self) => 2 * self.n);',
    "await session.execAmAll(Twice({ n: 21 }))",
    'const Again = am("Twice", { n: u32 }, (self) => 200 * self.n);',
    "await session.execAmPe(1, Again({ n: 21 }))",
    "const squares = await session.runAll((n, { currentPe }) => (n + currentPe) ** 2, [10]);",
    'Deno.jupyter.html`<svg>${squares.map((n) => `<rect height="${n}"/>`).join("")}</svg>`',
    "await new LamellarWorldBuilder().build();",
    "await session.close();",
  ];
  const results = await runCells(cells);
  const world = results.splice(8, 1)[0]!;
  assertEquals(results.map(({ status, text }) => status === "ok" || text), Array(9).fill(true));
  assertStringIncludes(results[3]!.text, "[ 42, 42 ]");
  assertStringIncludes(results[5]!.text, "4200");
  assert(results[7]!.types.includes("text/html"), JSON.stringify(results[7]));
  assertStringIncludes(world.text, "Cannot build a world in a REPL");
});
