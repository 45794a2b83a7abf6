/**
 * A job of one process: nobody to talk to, and nothing to lose.
 *
 * @module
 */

import { type Bootstrap, exchangeBytes } from "./bootstrap.ts";

/**
 * Makes the job of this process alone.
 *
 * @param agent Whether the launcher of this library started the process.
 * @returns A connection to nobody.
 */
export function startAlone(agent: "lamellar" | "other"): Bootstrap {
  return {
    means: "alone",
    rank: 0,
    size: 1,
    job: crypto.randomUUID(),
    agent,
    async exchange(text) {
      await exchangeBytes(text);
      return [text];
    },
    barrier: () => Promise.resolve(),
    enter: () => {},
    abort: () => Promise.resolve(),
    lost: () => new Promise(() => {}),
    close: () => Promise.resolve(),
  };
}
