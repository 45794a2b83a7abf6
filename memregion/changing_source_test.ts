/** Sources that are not the same at a second look. */

import { assertEquals, assertThrows } from "@std/assert";
import { regionTest } from "./pes_test.ts";

/** A list that is longer from look to look, and whose values change. */
function growing(): number[] {
  let length = 2;
  let value = 1;
  const list = [0, 0];
  return new Proxy(list, {
    get: (target, key) => {
      if (key === "length") return length < 6 ? length++ : length;
      return typeof key === "string" && /^\d+$/.test(key) ? value++ : Reflect.get(target, key);
    },
  });
}

/** Tells that it has one element. */
class Modest extends Float64Array {
  override get length(): number {
    return 1;
  }
}

regionTest("a put writes what it has checked, and nothing beyond", (newPes) => {
  using pes = newPes(2);
  const [first, second] = pes.allocShared("f64", 4);
  const [, behind] = pes.allocShared("f64", 64);
  const own = pes.all[1]!.regions.allocOneSided("f64", 2);
  const untouched = [...behind!];
  const long = new Modest(100).fill(7);
  for (const pe of [0, 1]) {
    assertThrows(() => first!.put(pe, 3, long), TypeError, "Cannot put");
    assertThrows(() => first!.blockingPut(pe, 3, long), TypeError, "Cannot put");
    assertThrows(() => first!.putStrided(pe, 3, 1, long), TypeError, "Cannot putStrided");
    assertThrows(() => first!.batchAdd([0], long), TypeError, "Cannot batchAdd");
    assertThrows(() => first!.put(pe, 2, growing()), RangeError, "Cannot put");
  }
  assertThrows(() => own.put(1, long), TypeError, "Cannot put");
  pes.settle();
  assertEquals([...second!], [0, 0, 0, 0]);
  assertEquals([...behind!], untouched);
  let value: unknown = 5;
  const list = [0, 1];
  Object.defineProperty(list, 0, {
    get: () => {
      const now = value;
      value = "none";
      return now;
    },
  });
  first!.put(1, 2, list);
  pes.settle();
  assertEquals([...second!], [0, 0, 5, 1]);
});
