import { assertEquals, assertThrows } from "@std/assert";
import { BlockedArch, type LamellarArch, membersOf, ranges, StridedArch } from "./arch.ts";

Deno.test("A strided arch maps its PEs to the parent and back, and no others", () => {
  const arch = new StridedArch(1, 3, 4);
  assertEquals([arch.numPes, arch.startPe, arch.endPe, arch.stride], [4, 1, 10, 3]);
  assertEquals([-1, 0, 1, 2, 3, 4, 0.5].map((pe) => arch.parentPeId(pe)), [
    undefined,
    1,
    4,
    7,
    10,
    undefined,
    undefined,
  ]);
  const members = [1, 4, 7, 10];
  for (let pe = -3; pe < 15; pe++) {
    const at = members.indexOf(pe);
    assertEquals(arch.teamPeId(pe), at < 0 ? undefined : at, `${pe}`);
  }
  assertEquals(membersOf(arch, 11), members);
  assertThrows(() => membersOf(arch, 10), RangeError, "parentPeId(3) of its arch is 10, and");
});

Deno.test("A blocked arch is a range of PEs", () => {
  const arch = new BlockedArch(2, 3);
  assertEquals([arch.numPes, arch.startPe, arch.endPe], [3, 2, 4]);
  assertEquals(membersOf(arch, 5), [2, 3, 4]);
  assertEquals(membersOf(new BlockedArch(0, 1), 1), [0]);
});

Deno.test("An arch whose answers change while it is asked is refused", () => {
  let calls = 0;
  const arch: LamellarArch = {
    numPes: 2,
    startPe: 0,
    endPe: 3,
    parentPeId: () => calls++ % 4,
    teamPeId: (pe) => (pe + calls) % 2,
  };
  assertThrows(() => membersOf(arch, 4), TypeError, "of its arch is");
});

Deno.test("Numbers are written as ranges in their order", () => {
  assertEquals(ranges([0, 1, 2, 3, 5]), "0-3, 5");
  assertEquals(ranges([3, 2, 1, 7, 8]), "3, 2, 1, 7-8");
  assertEquals([ranges([4]), ranges([])], ["4", ""]);
});
