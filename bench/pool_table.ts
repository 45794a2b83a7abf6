/**
 * The cases of sessions: beside pools of npm, and Workers by hand.
 *
 * @module
 */

import { type BenchCase, contender, printed } from "./contender.ts";

const RIVALS = ["piscina", "workerpool", "comlink", "workers"];

/** Every case, in the order in which they run. */
export const POOL_CASES: readonly BenchCase[] = [
  poolCase("start", "ms", true),
  poolCase("task", "us", true),
  poolCase("tasks", "ms", true),
  poolCase("data-copied", "ms", true),
  poolCase("data-moved", "ms", true),
  poolCase("http-1", "requests/s", false),
  poolCase("http-16", "requests/s", false),
];

function poolCase(what: string, unit: string, lowerIsBetter: boolean): BenchCase {
  const pool = (name: string, kind: string) =>
    contender(name, "deno", "bench/pools/main.ts", [kind, what]);
  return {
    ...printed(`session-${what}`, 4, unit, lowerIsBetter),
    ours: pool("ours", "session"),
    floors: RIVALS.map((rival) => pool(rival === "workers" ? "Workers by hand" : rival, rival)),
  };
}
