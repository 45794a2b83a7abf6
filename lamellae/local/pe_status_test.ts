import { assertEquals, assertThrows } from "@std/assert";
import { ACTIVITY, WAIT_FOR } from "../lamella.ts";
import { BLOCK, blockOf, layoutFor } from "./layout.ts";
import { PeStatus, STATUS } from "./pe_status.ts";

/** A status, and what others see of it. */
function statusOf(pe: number) {
  const layout = layoutFor(2, 4096, 65536);
  const words = new Int32Array(layout.open / 4);
  const line = (blockOf(layout, pe) + BLOCK.status) / 4;
  const seen = () =>
    [STATUS.activity, STATUS.waitKind, STATUS.waitPe, STATUS.progress]
      .map((word) => words[line + word]!);
  return { status: new PeStatus(layout, words, pe), seen };
}

Deno.test("a wait inside of another is reported while it lasts, and counts once it is over", () => {
  const { status, seen } = statusOf(1);
  status.report(ACTIVITY.limited, WAIT_FOR.am, 0);
  status.duringWait(WAIT_FOR.network, -1, () => {
    assertEquals(seen(), [ACTIVITY.blocked, WAIT_FOR.network, -1, 0]);
    status.duringWait(WAIT_FOR.memory, 0, () => {
      assertEquals(seen(), [ACTIVITY.blocked, WAIT_FOR.memory, 0, 0]);
    });
    assertEquals(seen(), [ACTIVITY.blocked, WAIT_FOR.network, -1, 1]);
  });
  assertEquals(seen(), [ACTIVITY.limited, WAIT_FOR.am, 0, 2]);
});

Deno.test("a wait that fails is no progress, and over all the same", () => {
  const { status, seen } = statusOf(0);
  assertThrows(
    () =>
      status.duringWait(WAIT_FOR.memory, 1, () => {
        throw new RangeError("why");
      }),
    RangeError,
  );
  assertEquals(seen(), [ACTIVITY.running, WAIT_FOR.nothing, 0, 0]);
});
