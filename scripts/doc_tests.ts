/**
 * Runs the examples of the documents and doc comments: `deno run -A scripts/doc_tests.ts [path…]`.
 *
 * Each one is type-checked, then run as a program of its own on two PEs, with a wall-clock limit.
 * `deno test --doc` would run them inside the test runner, where no world can be built.
 *
 * @module
 */

import { runChild } from "./child.ts";
import { absoluteImports, type DocBlock, findBlocks, impliedImport } from "./doc_blocks.ts";
import { findFiles, ROOT } from "./tree.ts";

const LIMIT_SECONDS = 60;
const PES = "2";

/** Folders whose files are documentation for users of the library. */
const ROOMS = [
  ...["am", "array", "darc", "ffi", "internal", "lamellae", "memregion", "session", "world"],
];
const DOCUMENTED = new RegExp(`^(?:[A-Z]+\\.md|mod\\.ts|docs/.*\\.md|(?:${ROOMS.join("|")})/.*)$`);

interface Program extends DocBlock {
  readonly file: string;
}

function findPrograms(folder: string, paths: readonly string[]): Program[] {
  const files = [...findFiles(ROOT, ".md"), ...findFiles(ROOT, ".ts")].filter((path) =>
    DOCUMENTED.test(path) && !path.endsWith("_test.ts") &&
    (paths.length === 0 || paths.some((start) => path.startsWith(start)))
  );
  return files.flatMap((path) => {
    const text = Deno.readTextFileSync(ROOT + path);
    const url = new URL(path, `file://${ROOT}`).href;
    return findBlocks(path, text).map((block): Program => {
      const file = `${folder}/${path.replaceAll("/", "_")}_line_${block.line}.ts`;
      const implied = path.endsWith(".ts") ? impliedImport(block.code, text, url) : "";
      // Without an import the program would be a script, where await is not allowed.
      const code = `${implied}${absoluteImports(block.code, url)}export {};\n`;
      Deno.writeTextFileSync(file, code);
      return { ...block, file };
    });
  });
}

/** What an example imports by name is what stands here. */
function writeConfig(folder: string): string {
  const own = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  const imports: Record<string, string> = {};
  for (const [name, path] of Object.entries<string>(own.exports)) {
    const url = new URL(path, `file://${ROOT}`).href;
    imports[own.name + name.slice(1)] = url;
    imports[`jsr:${own.name}${name.slice(1)}`] = url;
  }
  for (const name of Object.keys(own.imports)) {
    imports[name] = `file://${ROOT}internal/stand_ins/${name.split("/")[1]}/mod.ts`;
  }
  const path = `${folder}/deno.json`;
  Deno.writeTextFileSync(path, JSON.stringify({ imports, compilerOptions: own.compilerOptions }));
  return path;
}

async function runProgram(program: Program, flags: readonly string[]): Promise<boolean> {
  const result = await runChild(
    [Deno.execPath(), "run", "-A", "--no-check", "--quiet", ...flags, program.file],
    { limitSeconds: LIMIT_SECONDS, env: { LAMELLAR_PES: PES } },
  );
  if (result.code === 0) return true;
  console.log(`failed: ${program.path}:${program.line} (exit code ${result.code})`);
  console.log(result.output);
  return false;
}

async function main(paths: readonly string[]): Promise<number> {
  const folder = Deno.makeTempDirSync({ prefix: "lamellar_doc_" });
  try {
    const programs = findPrograms(folder, paths);
    const flags = ["--config", writeConfig(folder), "--no-lock"];
    let failed = 0;
    for (const { path, line } of programs.filter((program) => program.ignored)) {
      console.log(`failed: ${path}:${line} is ignored: no example may be`);
      failed++;
    }
    const todo = programs.filter((program) => !program.ignored);
    if (todo.length > 0) {
      const checked = await runChild(
        [Deno.execPath(), "check", "--quiet", ...flags, ...todo.map((program) => program.file)],
        { limitSeconds: 300 },
      );
      if (checked.code !== 0) {
        console.log(checked.output);
        failed++;
      }
    }
    for (const program of todo) if (!await runProgram(program, flags)) failed++;
    console.log(`${todo.length} examples, ${failed} failures`);
    return failed === 0 ? 0 : 1;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
