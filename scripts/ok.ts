/**
 * The one gate: `deno task ok [step…] [--except step…]`. It runs every step to the end, whatever
 * fails on the way, and succeeds only if all of them did.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { checkDeno } from "../internal/platform.ts";
import { runChild } from "./child.ts";
import { ROOT } from "./tree.ts";

/** One step of the gate: the arguments of Deno, and how long it may take. */
interface Step {
  readonly name: string;
  readonly args: readonly string[];
  readonly limitSeconds: number;
  /** Whether the last line of its output says how much was done. */
  readonly summary?: boolean;
}

function script(name: string, path: string, args: readonly string[] = []): Step {
  return { name, args: ["run", "-A", "--quiet", path, ...args], limitSeconds: 600, summary: true };
}

function steps(): Step[] {
  const config = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  const entries = Object.values<string>(config.exports);
  return [
    { name: "fmt", args: ["fmt", "--check"], limitSeconds: 120 },
    { name: "lint", args: ["lint"], limitSeconds: 120 },
    script("layers", "scripts/check_layers.ts"),
    script("tables", "scripts/check_docs.ts"),
    script("kernels", "scripts/build_kernels.ts", ["--check"]),
    script("regions", "scripts/build_regions.ts", ["--check"]),
    script("abi", "scripts/build_fabric_abi.ts", ["--check"]),
    { name: "check", args: ["check", "."], limitSeconds: 300 },
    script("foreign", "scripts/check_foreign.ts"),
    { name: "doc-lint", args: ["doc", "--lint", ...entries], limitSeconds: 120 },
    script("doc-tests", "scripts/doc_tests.ts"),
    { ...script("tests", "scripts/test.ts"), limitSeconds: 3000 },
    script("publish", "scripts/check_publish.ts"),
  ];
}

async function runStep(step: Step): Promise<boolean> {
  const result = await runChild([Deno.execPath(), ...step.args], {
    limitSeconds: step.limitSeconds,
    cwd: ROOT,
  });
  const held = result.code === 0;
  const note = held && step.summary === true ? result.output.trim().split("\n").at(-1) : "";
  const line = `${held ? "ok  " : "FAIL"} ${step.name.padEnd(10)} ${result.seconds.toFixed(1)} s`;
  console.log(`${line.padEnd(26)}${note}`.trimEnd());
  if (!held) console.log(result.output.trim().replace(/^/gm, "     "));
  return held;
}

async function main(): Promise<number> {
  checkDeno();
  const unknown: string[] = [];
  const args = parseArgs(Deno.args, {
    string: ["except", "_"],
    collect: ["except"],
    unknown: (arg, key) => key === undefined || unknown.push(arg) === 0,
  });
  if (unknown.length > 0) {
    console.error(`Unknown option ${unknown.join(", ")}; the only option is --except`);
    return 2;
  }
  const all = steps();
  const [only, except] = [args._.map(String), args.except as string[]];
  for (const name of [...only, ...except]) {
    if (all.some((step) => step.name === name)) continue;
    console.error(`Unknown step ${name}; there are ${all.map((one) => one.name).join(", ")}`);
    return 2;
  }
  const failed: string[] = [];
  for (const step of all) {
    if (except.includes(step.name) || (only.length > 0 && !only.includes(step.name))) continue;
    if (!await runStep(step)) failed.push(step.name);
  }
  console.log(failed.length === 0 ? "all steps passed" : `failed: ${failed.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
