// Work that all PEs do at the same time, as often as PE 0 finds it takes to fill the time.
import { am, f64, type LamellarWorld } from "../../mod.ts";
import { WARM_UP_SECONDS } from "../measure.ts";

let planned = 0;

const Plan = am("bench.Plan", { count: f64 }, (self) => {
  planned = self.count;
});

/**
 * Runs `work(count)` on every PE with growing counts, until one call lasts `seconds` on PE 0, once
 * it is warm. Collective.
 *
 * @param world the world
 * @param work does the work `count` times; the time includes a barrier at its end
 * @param seconds how long the counted call lasts at least
 * @returns the seconds one repetition takes as PE 0 sees it, and how often this PE did the work
 */
export async function calibratedTogether(
  world: LamellarWorld,
  work: (count: number) => void | Promise<void>,
  seconds: number,
): Promise<{ each: number; total: number }> {
  const warm = performance.now() + WARM_UP_SECONDS * 1000;
  let [count, total, each] = [1, 0, 0];
  for (;;) {
    // Once this is awaited every PE knows the count, and reads it after the barrier.
    if (world.myPe === 0) await world.execAmAll(Plan({ count }));
    world.barrier();
    const agreed = planned;
    if (agreed === 0) return { each, total };
    const start = performance.now();
    await work(agreed);
    world.barrier();
    const elapsed = (performance.now() - start) / 1000;
    total += agreed;
    each = elapsed / agreed;
    const factor = Math.min(100, (seconds / Math.max(elapsed, 1e-6)) * 1.1);
    count = elapsed >= seconds && start >= warm ? 0 : Math.ceil(agreed * factor) + 1;
  }
}
