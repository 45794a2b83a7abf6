/**
 * Estimates how far the clocks of other PEs are from ours, as the precision time protocol does: a
 * message reads the clock there, and returns a message that reads the clock here. On one machine it
 * is the same clock.
 *
 *     deno task run:local -n 3 examples/misc/simple_ptp.ts 1000
 *
 * @module
 */

import { am, f64, LamellarWorldBuilder } from "../../mod.ts";

/** Milliseconds since 1970, to the microsecond. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Runs at the origin. The offset is right if the way there took as long as the way back. */
const Compare = am("Compare", { sent: f64, there: f64 }, (self) => {
  const received = now();
  const roundTrip = received - self.sent;
  return { offset: self.there - self.sent - roundTrip / 2, roundTrip };
});

const Ask = am("Ask", { sent: f64 }, (self) => Compare({ sent: self.sent, there: now() }));

await using world = await new LamellarWorldBuilder().build();
const rounds = Number(Deno.args[0] ?? 1000);
if (world.numPes === 1) console.log("one PE has one clock: start it with -n 2 or more");

for (let pe = 1; world.myPe === 0 && pe < world.numPes; pe++) {
  let best = { offset: NaN, roundTrip: Infinity };
  for (let i = 0; i < rounds; i++) {
    const one = world.execAmPe(pe, Ask({ sent: now() })).block();
    if (one.roundTrip < best.roundTrip) best = one;
  }
  console.log(
    `PE ${pe}: round trip ${(1000 * best.roundTrip).toFixed(1)} µs, ` +
      `clock ${(1000 * best.offset).toFixed(1)} µs ahead`,
  );
  // The two origins of time are read separately and may be a little apart.
  const apart = Math.abs(best.offset) - best.roundTrip / 2;
  console.log(
    apart < 5 ? `PE ${pe}: the clocks agree` : `PE ${pe}: the clocks are ${apart} ms apart`,
  );
}
