/**
 * Checks what would be published: all that users run, and nothing else.
 *
 * What users run begins with the exports, the launcher, what other launchers start, and the
 * examples; from there it goes by the paths that modules name, in imports and for Workers.
 *
 * @module
 */

import { runChild } from "./child.ts";
import { ROOT } from "./tree.ts";

/** What users start beside the exports and the examples. */
const PROGRAMS = ["scripts/launch.ts", "scripts/launcher/process.ts", "scripts/info.ts"];

/** Stands for a package that an export imports: Deno insists on it while deno.json links to it. */
const LINKED = "internal/stand_ins/msgpack/mod.ts";

/** A relative path of a module, as an import or the URL of a Worker has it. */
const MODULE_PATH = /["'](\.{1,2}\/[^"'\s]+\.ts)["']/g;

/**
 * The modules that some reach, by the paths in their text.
 *
 * @param entries Where to begin: paths from the folder of the project
 * @param read Gives the text of a module, or undefined if there is none
 * @returns Their paths, with those of the entries
 */
export function reachable(
  entries: readonly string[],
  read: (path: string) => string | undefined,
): Set<string> {
  const found = new Set<string>();
  const todo = [...entries];
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    const text = found.has(path) ? undefined : read(path);
    if (text === undefined) continue;
    found.add(path);
    // What a comment shows is not used.
    const code = text.replaceAll(/^ *(?:\/\/|\/?\*).*$/gm, "");
    for (const [, target] of code.matchAll(MODULE_PATH)) {
      todo.push(new URL(target!, `file:///${path}`).pathname.slice(1));
    }
  }
  return found;
}

/**
 * The files that Deno says it would publish.
 *
 * @param output What `deno publish --dry-run` wrote, without colours
 * @returns Their paths from the folder of the project
 */
export function publishedFiles(output: string): string[] {
  const files = [...output.matchAll(/^ +(file:\/\/\S+) \([\d.]+\w*B\)$/gm)];
  const root = new URL(`file://${ROOT}`).href;
  return files.map(([, url]) => decodeURI(url!.slice(root.length)));
}

function readModule(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(ROOT + path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function main(): Promise<number> {
  const command = [Deno.execPath(), "publish", "--dry-run", "--allow-dirty"];
  const { code, output } = await runChild(command, { limitSeconds: 300, cwd: ROOT });
  if (code !== 0) {
    console.log(output);
    return 1;
  }
  const files = publishedFiles(output);
  const config = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  const exported = Object.values<string>(config.exports).map((path) => path.replace("./", ""));
  const examples = files.filter((path) => path.startsWith("examples/"));
  const used = reachable([...exported, LINKED, ...PROGRAMS, ...examples], readModule);
  const missing = [...used].filter((path) => !files.includes(path));
  const surplus = files.filter((path) => path.endsWith(".ts") && !used.has(path));
  for (const path of missing) console.log(`not published, though users run it: ${path}`);
  for (const path of surplus) console.log(`published, though no user runs it: ${path}`);
  console.log(`${files.length} files, ${missing.length + surplus.length} of them wrong`);
  return missing.length + surplus.length === 0 && files.length > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
