import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UsageError } from "../launch_args.ts";
import { checkProgram, programUrl } from "./program.ts";

/** Calls with a program of some name and text in a folder of its own. */
function withFile(name: string, text: string, use: (path: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${folder}/${name}`, text);
    use(`${folder}/${name}`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function refusal(path: string): string {
  return assertThrows(() => checkProgram(programUrl(path), path), UsageError).message;
}

for (const name of ["data.json", "notes.txt", "README.md", "page.html", "my.ts.orig", ".x.rc"]) {
  Deno.test(`checkProgram() refuses ${name}, which Deno would not run`, () => {
    withFile(name, "{}", (path) => {
      assertEquals(
        refusal(path),
        `Cannot run ${path}: it is not a program; the names of programs end in .ts, .tsx, .mts, ` +
          ".cts, .js, .jsx, .mjs, .cjs or .wasm",
      );
    });
  });
}

for (const name of ["a.ts", "a.b.TSX", "a.mts", "a.cts", "a.js", "a.jsx", "a.cjs", "a.wasm", "a"]) {
  Deno.test(`checkProgram() takes ${name}`, () => {
    withFile(name, "{}", (path) => checkProgram(programUrl(path), path));
  });
}

Deno.test("checkProgram() refuses an empty file and one that the system does not open", () => {
  withFile("a.ts", "", (path) => assertEquals(refusal(path), `Cannot run ${path}: it is empty`));
  const { openSync } = Deno;
  // Tests run as root, who may read everything.
  Deno.openSync = (path) => {
    throw new Deno.errors.PermissionDenied(`Permission denied (os error 13): open '${path}'`);
  };
  try {
    withFile("a.ts", "{}", (path) => {
      assertMatch(refusal(path), /^Cannot run \S+a\.ts: Permission denied .*open '\S+a\.ts'$/);
    });
  } finally {
    Deno.openSync = openSync;
  }
});
