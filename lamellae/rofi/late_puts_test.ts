/** A network that takes late what a PE has begun. */

import { assert } from "@std/assert";
import { FI } from "../../ffi/mod.ts";
import { WAIT_TIMEOUT } from "../lamella.ts";
import { heapOf } from "../local/layout.ts";
import { kernelsOf, startProcesses } from "./fake_processes_test.ts";
import { RofiLamella } from "./rofi_lamella.ts";

Deno.test("a PE looks again by itself if its network takes the end of a row of puts late", () => {
  const { network, all } = startProcesses({
    orderedPutBytesMax: 2 ** 30,
    habits: { ordersPuts: true },
  });
  const { layout, memory, start: started } = all[0]!;
  const kernels = kernelsOf(started, memory, 0);
  const pe = new RofiLamella(started, memory, kernels, 0, undefined, network.calls(0));
  // The first asks for its arrival at once, the others do when no more follow.
  const local = heapOf(layout, 0);
  const tickets = Array.from({ length: 4 }, (_, i) => pe.put(1, 8 * i, local, 8));
  assert(tickets.some((ticket) => pe.isPending(ticket)));
  const refusals = Array.from({ length: 100 }, () => -FI.FI_EAGAIN);
  network.refusals.set("writemsg", refusals);
  const start = performance.now();
  // The first may end because of what has come.
  while (pe.wait(pe.events(), 1, 0, 60_000) !== WAIT_TIMEOUT);
  const took = performance.now() - start;
  assert(took < 10_000, `slept for ${took} ms, from which nothing wakes it`);
  assert(pe.mustLook && refusals.length < 100);
  const look = (): number => pe.poll((_source, _views, at) => at);
  for (let i = 0; i < 1000 && pe.mustLook; i++) look();
  assert(!pe.mustLook);
  for (const ticket of tickets) {
    for (let i = 0; i < 1000 && pe.isPending(ticket); i++) look();
    assert(!pe.isPending(ticket));
  }
});
