import { assert, assertEquals } from "@std/assert";
import { CONTROL } from "./network_layout.ts";
import type { NetworkStart } from "./network_start.ts";
import { Standstill } from "./standstill.ts";

const NET = { control: 0, stalled: CONTROL.broken + 64 };

/** What two processes know of each other's standstill. */
function two(): [Standstill, Standstill] {
  const [one, other] = [0, 1].map((rank) => {
    const start = { net: NET, rank, peers: [{}, {}] } as unknown as NetworkStart;
    const standstill = new Standstill(start, new Int32Array(NET.stalled / 4 + 2));
    standstill.begin();
    return standstill;
  });
  return [one!, other!];
}

Deno.test("nothing has moved for as long as it has in the process that moved last", () => {
  const [one] = two();
  one.tell(5000);
  one.hear(1, 2000);
  assert(Math.abs(one.least() - 2000) < 500, `${one.least()}`);
  one.hear(1, 9000);
  assert(Math.abs(one.least() - 5000) < 500, `${one.least()}`);
});

Deno.test("what was heard ages, also when it comes round again", async () => {
  const [one, other] = two();
  const start = performance.now();
  while (performance.now() - start < 300) {
    one.tell(100_000);
    other.tell(100_000);
    other.hear(0, one.least());
    one.hear(1, other.least());
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert(one.least() > 200, `${one.least()}`);
});

Deno.test("a time that cannot be is taken for none", () => {
  const [one] = two();
  one.tell(1e12);
  one.hear(1, -5);
  assertEquals(Math.round(one.least() / 1000), 0);
});
