/**
 * A server that has its work done by PEs: requests do not wait for each other's primes.
 *
 *     deno run -A examples/sessions/server.ts [port]
 *     curl http://localhost:8000/?upTo=1000000
 *
 * @module
 */

import { startSession } from "../../mod.ts";
import { blocksOf, CountPrimes } from "./prime_ams.ts";

/** Requests beyond this are turned away: a block may take long. */
const UP_TO_MAX = 10_000_000;

await using session = await startSession({ modules: [import.meta.resolve("./prime_ams.ts")] });

const onListen = ({ port }: Deno.NetAddr): void => console.log(`http://localhost:${port}/`);
const server = Deno.serve({ port: Number(Deno.args[0] ?? 8000), onListen }, async (request) => {
  const upTo = Number(new URL(request.url).searchParams.get("upTo"));
  if (!(upTo >= 0 && upTo <= UP_TO_MAX)) {
    return Response.json({ error: `upTo must be 0 to ${UP_TO_MAX}` }, { status: 400 });
  }
  let primes = 0;
  for await (const count of session.map(blocksOf(upTo, 16), CountPrimes)) primes += count;
  return Response.json({ upTo, primes });
});

// The first Ctrl-C lets requests end; the session closes after them.
Deno.addSignalListener("SIGINT", () => server.shutdown());
await server.finished;
