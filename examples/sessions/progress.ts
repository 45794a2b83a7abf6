/**
 * A command-line tool with a progress bar: `deno run -A examples/sessions/progress.ts [up to]`.
 *
 * @module
 */

import { startSession } from "../../mod.ts";
import { blocksOf, CountPrimes } from "./prime_ams.ts";

const upTo = Number(Deno.args[0] ?? 5_000_000);
const blocks = 100;
const isTerminal = Deno.stderr.isTerminal();

await using session = await startSession({ modules: [import.meta.resolve("./prime_ams.ts")] });

let primes = 0;
const counts = session.map(blocksOf(upTo, blocks), CountPrimes, {
  ordered: false,
  onProgress: ({ done }) => show(done),
});
for await (const count of counts) primes += count;
if (isTerminal) console.error();
console.log(`${primes} primes below ${upTo}, counted by ${session.numPes} PEs`);

function show(done: number): void {
  if (!isTerminal) return;
  const filled = Math.round((30 * done) / blocks);
  const bar = "█".repeat(filled).padEnd(30, "·");
  Deno.stderr.writeSync(new TextEncoder().encode(`\r${bar} ${done} of ${blocks}`));
}
