// Bootstraps, exchanges a text of 3000 bytes, meets the others in a barrier, and says so. What it
// does then is its first argument.

import { environment, readBootstrapConfig } from "../../internal/config.ts";
import { type Bootstrap, startBootstrap } from "../../lamellae/bootstrap/mod.ts";

const LENGTH = 3000;

/** How long to wait for the end of the job. */
const LIMIT_MS = 30_000;

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** A text of 3000 bytes that only this rank has. */
function textOf(rank: number): string {
  return `rank ${rank} ü `.padEnd(LENGTH - 1, `${rank}`);
}

async function meet(bootstrap: Bootstrap): Promise<void> {
  const { rank, size } = bootstrap;
  for (let round = 0; round < 2; round++) {
    const texts = await bootstrap.exchange(textOf(rank + round));
    const right = texts.length === size &&
      texts.every((text, other) => text === textOf(other + round));
    if (!right) throw new Error(`Rank ${rank} got other texts than were sent`);
  }
  await bootstrap.barrier();
}

/** Waits for the end of the job, but not for ever: nobody may be left to end this process. */
async function wait(bootstrap: Bootstrap): Promise<never> {
  setTimeout(() => Deno.exit(8), LIMIT_MS);
  const error = await bootstrap.lost();
  const line = `rank ${bootstrap.rank} lost: ${error.name}: ${error.message}`;
  // A launcher that is gone passes no output on.
  if (Deno.args[1]) Deno.writeTextFileSync(`${Deno.args[1]}/${bootstrap.rank}`, line);
  say(line);
  await bootstrap.close();
  Deno.exit(9);
}

async function main(): Promise<void> {
  const settings = { config: readBootstrapConfig(environment), env: environment };
  const bootstrap = await startBootstrap(settings);
  const { rank, size, means, agent, job } = bootstrap;
  await meet(bootstrap);
  const jobs = new Set(await bootstrap.exchange(job));
  const [what, folder] = Deno.args;
  if (folder) Deno.writeTextFileSync(`${folder}/parent`, String(Deno.ppid));
  say(`rank ${rank} of ${size} by ${means} (${agent}), ${jobs.size} job`);
  if (what === "abort") {
    if (rank === size - 1) {
      await bootstrap.abort(7, "it had enough");
      Deno.exit(7);
    }
    await wait(bootstrap);
  }
  if (what === "wait") await wait(bootstrap);
  await bootstrap.barrier();
  await bootstrap.close();
  say(`rank ${rank} closed`);
}

try {
  await main();
  Deno.exit(0);
} catch (error) {
  const { name, message } = error as Error;
  console.error(`${name}: ${message}`);
  Deno.exit(3);
}
