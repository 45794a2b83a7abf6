/**
 * A server with Hono, whose routes have their work done by PEs.
 *
 *     deno run -A examples/sessions/hono.ts [port]
 *     curl http://localhost:8000/primes/1000000
 *
 * @module
 */

import { Hono } from "npm:hono@^4.6.0";
import { startSession } from "../../mod.ts";
import { blocksOf, CountPrimes } from "./prime_ams.ts";

/** Requests beyond this are turned away: a block may take long. */
const UP_TO_MAX = 10_000_000;

await using session = await startSession({ modules: [import.meta.resolve("./prime_ams.ts")] });

const app = new Hono();
app.get("/primes/:upTo", async (context) => {
  const upTo = Number(context.req.param("upTo"));
  if (!(upTo >= 0 && upTo <= UP_TO_MAX)) {
    return context.json({ error: `give a number of 0 to ${UP_TO_MAX}` }, 400);
  }
  let primes = 0;
  for await (const count of session.map(blocksOf(upTo, 16), CountPrimes)) primes += count;
  return context.json({ upTo, primes });
});
app.get("/health", (context) => context.json({ pes: session.numPes, ok: !session.closed }));

const onListen = ({ port }: Deno.NetAddr): void => console.log(`http://localhost:${port}/`);
const server = Deno.serve({ port: Number(Deno.args[0] ?? 8000), onListen }, app.fetch);

// The first Ctrl-C lets requests end; the session closes after them.
Deno.addSignalListener("SIGINT", () => server.shutdown());
await server.finished;
