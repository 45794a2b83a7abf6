/**
 * PEs in `deno bench`: what it takes to ask one.
 *
 * @module
 */

import { startSession } from "../../mod.ts";
import { CountPrimes } from "./prime_ams.ts";

const session = await startSession({
  pes: 2,
  modules: [import.meta.resolve("./prime_ams.ts")],
});

Deno.bench("an AM to one PE", async () => {
  await session.execAmPe(0, CountPrimes({ from: 0, to: 10 }));
});

Deno.bench("the same to all PEs", async () => {
  await session.execAmAll(CountPrimes({ from: 0, to: 10 }));
});
