/**
 * Checks what users have that we do not: a program of their own in a folder of their own, with
 * Deno's default options, with stricter and laxer ones, and with the library at a URL.
 *
 * Deno checks all local modules that a program imports by the options of that program, so ours have
 * to hold under those of others.
 *
 * @module
 */

import { serveRepository } from "../tests/support/serve.ts";
import { runChild } from "./child.ts";
import { findFiles, ROOT } from "./tree.ts";

const LIMIT_SECONDS = 120;

/** What users choose, by a name for messages. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  default: {},
  strict: {
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noImplicitOverride: true,
    noImplicitReturns: true,
    noFallthroughCasesInSwitch: true,
    noPropertyAccessFromIndexSignature: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    allowUnreachableCode: false,
    allowUnusedLabels: false,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
  },
  // The types of a Worker or a page go with any of these.
  lax: { strict: false, noImplicitAny: false, lib: ["deno.worker"] },
  page: { lib: ["deno.ns", "dom", "dom.iterable", "dom.asynciterable", "esnext"] },
};

/** Options that concern the user's own exports; with local modules Deno asks them of ours too. */
const OPTIONS_BY_URL: Readonly<Record<string, unknown>> = {
  ...OPTIONS.strict,
  declaration: true,
  isolatedDeclarations: true,
};

/** The user's program, its tests, and the examples, which are programs too. */
function sources(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const path of findFiles(`${ROOT}examples/`, ".ts")) {
    if (!path.endsWith("_test.ts")) files.set(`examples/${path}`, `${ROOT}examples/${path}`);
  }
  files.set("program.ts", `${ROOT}tests/foreign/program.ts`);
  files.set("program_test.ts", `${ROOT}tests/foreign/program_cases.ts`);
  return files;
}

/** Copies the sources into a folder, and says how each names the library. */
function write(folder: string, library: (target: string) => string): void {
  for (const [path, from] of sources()) {
    const target = `${folder}/${path}`;
    Deno.mkdirSync(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    const text = Deno.readTextFileSync(from)
      .replaceAll(/"(?:\.\.\/)+mod\.ts"/g, JSON.stringify(library(target)));
    Deno.writeTextFileSync(target, text);
  }
}

class Foreign implements Disposable {
  readonly folder: string = Deno.makeTempDirSync({ prefix: "lamellar_foreign_" });
  readonly #env: Record<string, string>;
  #failures = 0;
  #runs = 0;

  constructor(env: Record<string, string> = {}) {
    this.#env = env;
  }

  /** Says which options Deno finds beside the program. */
  configure(compilerOptions: Readonly<Record<string, unknown>>): void {
    const config = `${this.folder}/deno.json`;
    // No file is not the same as an empty one: then Deno looks in the folders above.
    Deno.writeTextFileSync(config, JSON.stringify({ compilerOptions }));
  }

  async run(what: string, args: readonly string[]): Promise<void> {
    const { code, output } = await runChild([Deno.execPath(), ...args], {
      limitSeconds: LIMIT_SECONDS,
      cwd: this.folder,
      env: this.#env,
    });
    this.#runs++;
    if (code === 0) return;
    this.#failures++;
    console.log(`failed: ${what} (exit code ${code})\n${output}`);
  }

  get counts(): readonly [runs: number, failures: number] {
    return [this.#runs, this.#failures];
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** The library is a folder of this machine. */
async function beside(): Promise<readonly [number, number]> {
  using foreign = new Foreign();
  write(foreign.folder, (target) => relativePath(target, `${ROOT}mod.ts`));
  for (const [name, options] of Object.entries(OPTIONS)) {
    foreign.configure(options);
    const paths = name === "default" ? "." : "program.ts";
    await foreign.run(`deno check, ${name} options`, ["check", "--quiet", paths]);
  }
  foreign.configure({});
  await foreign.run("deno test", ["test", "--quiet", "program_test.ts"]);
  // That a dependency is better named in deno.json holds for ours as for any.
  await foreign.run("deno lint", ["lint", "--quiet", "--rules-exclude=no-import-prefix", "."]);
  return foreign.counts;
}

/** The library is at a URL. */
async function byUrl(): Promise<readonly [number, number]> {
  const cache = Deno.makeTempDirSync({ prefix: "lamellar_foreign_cache_" });
  try {
    await using server = serveRepository();
    using foreign = new Foreign({ DENO_DIR: cache, DENO_NO_UPDATE_CHECK: "1" });
    write(foreign.folder, () => `${server.url}mod.ts`);
    const allowed = `--allow-import=${server.host}`;
    foreign.configure({});
    // All of it, so that what a user's editor shows of our modules is right, too.
    await foreign.run("deno check by URL", ["check", "--quiet", "--all", allowed, "."]);
    await foreign.run("deno test by URL", ["test", "--quiet", allowed, "program_test.ts"]);
    foreign.configure(OPTIONS_BY_URL);
    const strict = ["check", "--quiet", allowed, "program.ts"];
    await foreign.run("deno check by URL, strict options", strict);
    return foreign.counts;
  } finally {
    Deno.removeSync(cache, { recursive: true });
  }
}

/** The path from one file to another, as an import has it. */
function relativePath(from: string, to: string): string {
  return `${"../".repeat(from.split("/").length - 2)}${to.slice(1)}`;
}

if (import.meta.main) {
  let [runs, failures] = [0, 0];
  for (const check of [beside, byUrl]) {
    const [ran, failed] = await check();
    runs += ran;
    failures += failed;
  }
  console.log(`${runs} checks of foreign programs, ${failures} failures`);
  Deno.exit(failures === 0 ? 0 : 1);
}
