/**
 * The program of the conformance cases: every PE runs the cases of one group one after the other in
 * one world, with a barrier in between, and PE 0 reports each on a line of its own. A case that
 * fails ends the job; the driver starts it again behind that case.
 *
 * Arguments: the name of the group, the seed, the index of the first case.
 *
 * @module
 */

import { type LamellarWorld, LamellarWorldBuilder } from "../../mod.ts";
import type { Case, Tools } from "./case.ts";
import { casesOf, MARK, type Report } from "./table.ts";
import { randomNumbers } from "../../internal/random_test_numbers.ts";

function report(line: Report): void {
  console.log(MARK + JSON.stringify(line));
}

function tools(seed: number, index: number, pe: number): Tools {
  const own = seed + 1000 * index;
  return { seed, random: randomNumbers(own + pe + 1), sharedRandom: randomNumbers(own) };
}

/** Ends the job by an error outside any promise: the case itself may never settle. */
function limit(name: string, pe: number, ms: number): () => void {
  const timer = setTimeout(() => {
    const error = `took longer than ${ms} ms`;
    report({ kind: "fail", name, pe, error });
    throw new Error(`Conformance case "${name}" on PE ${pe} ${error}`);
  }, ms);
  return () => clearTimeout(timer);
}

async function runCase(world: LamellarWorld, test: Case, t: Tools): Promise<void> {
  const { name, limitMs = 20_000 } = test;
  const pe = world.myPe;
  if (pe === 0) report({ kind: "begin", name });
  const start = performance.now();
  const finish = limit(name, pe, limitMs);
  try {
    await test.run(world, t);
    await world.awaitAll();
    await world.asyncBarrier();
  } catch (error) {
    report({ kind: "fail", name, pe, error: Deno.inspect(error) });
    throw new Error(`Conformance case "${name}" failed on PE ${pe}`, { cause: error });
  } finally {
    finish();
  }
  if (pe === 0) report({ kind: "pass", name, ms: Math.round(performance.now() - start) });
}

async function runClosed(world: LamellarWorld, test: Case, t: Tools): Promise<void> {
  const { name } = test;
  if (world.myPe === 0) report({ kind: "begin", name });
  try {
    await test.run(world, t);
  } catch (error) {
    report({ kind: "fail", name, pe: world.myPe, error: Deno.inspect(error) });
    throw new Error(`Conformance case "${name}" failed on PE ${world.myPe}`, { cause: error });
  }
  if (world.myPe === 0) report({ kind: "pass", name, ms: 0 });
}

const [group, seedText, fromText] = Deno.args;
const seed = Number(seedText);
const from = Number(fromText);
const world = await new LamellarWorldBuilder().build();
const { open, closed } = casesOf(group!, world.numPes);
for (const [i, test] of open.entries()) {
  if (i >= from || test.prepares) await runCase(world, test, tools(seed, i, world.myPe));
}
await world.close();
for (let i = Math.max(0, from - open.length); i < closed.length; i++) {
  await runClosed(world, closed[i]!, tools(seed, i, world.myPe));
}
