/**
 * PE 0 tells its port, and waits for one request, which it answers with an AM; the others have
 * ended their programs.
 */

import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";

const Greet = am("Greet", { from: u32 }, (_self, { world }) => `PE ${world.myPe}`);

await using world = await new LamellarWorldBuilder().build();
if (world.myPe === 0) {
  const asked = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async () => {
    const greeting = await world.execAmPe(world.numPes - 1, Greet({ from: 0 }));
    asked.resolve();
    return new Response(String(greeting));
  });
  console.log(`port ${server.addr.port}.`);
  await asked.promise;
  await server.shutdown();
}
