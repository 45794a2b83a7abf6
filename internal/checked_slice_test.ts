import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { checkedSlice, unchecked } from "./checked_slice.ts";
import { ClosedError } from "./errors.ts";

/** A slice, and what closes it. */
function sliceOf<A extends Float64Array | BigInt64Array>(array: A): [slice: A, close: () => void] {
  let isClosed = false;
  const check = (wanted: string): void => {
    if (isClosed) throw new ClosedError(`Cannot ${wanted} it`, { pe: 0, op: "test" });
  };
  return [checkedSlice(array as never, check) as A, () => isClosed = true];
}

Deno.test("a checked slice is read and written as the typed array behind it", () => {
  const array = Float64Array.of(3, 1, 2);
  const [slice] = sliceOf(array);
  slice[1] = 5;
  slice[0]! += 1;
  assertEquals([...array], [4, 5, 2]);
  assertEquals([slice.length, slice[2], slice.at(-1), slice[3]], [3, 2, 2, undefined]);
  assertEquals([slice.byteLength, slice.buffer === array.buffer], [24, true]);
  assert(slice instanceof Float64Array);
  slice.set([7, 8], 1);
  slice.copyWithin(0, 2);
  assertEquals([...slice], [8, 7, 8]);
  assertStrictEquals(slice.fill(1, 0, 1).sort().reverse(), slice);
  assertEquals([...slice], [8, 7, 1]);
  const [big] = sliceOf(BigInt64Array.of(1n));
  big[0] = -5n;
  assertEquals(big[0], -5n);
  assertThrows(() => (big as unknown as number[])[0] = 1, TypeError);
});

Deno.test("a checked slice is gone through in every way", () => {
  const array = Float64Array.of(3, 1, 2);
  const [slice] = sliceOf(array);
  const [first, ...rest] = slice;
  assertEquals([first, ...rest], [3, 1, 2]);
  assertEquals([...slice.entries()].flat(), [0, 3, 1, 1, 2, 2]);
  assertEquals([...slice.keys(), ...slice.values()], [0, 1, 2, 3, 1, 2]);
  assertEquals(slice.map((value) => 2 * value), Float64Array.of(6, 2, 4));
  assertEquals(slice.slice(1), Float64Array.of(1, 2));
  assertEquals(slice.filter((value) => value > 1).join("-"), "3-2");
  assertEquals(slice.reduce((sum, value) => sum + value, 0), 6);
  assertEquals([slice.indexOf(1), slice.includes(9), `${slice}`], [1, false, "3,1,2"]);
  slice.forEach((value, i, all) => {
    assertStrictEquals(all, slice);
    all[i] = value + 1;
  });
  assertEquals(array, Float64Array.of(4, 2, 3));
  assertEquals(new Float64Array(slice), array);
  assertEquals(Float64Array.from(slice), array);
  const other = new Float64Array(3);
  other.set(slice);
  assertEquals(other, array);
  slice.set(slice.subarray(1), 0);
  assertEquals([...array], [2, 3, 3]);
  assert(Deno.inspect(slice).includes("[ 2, 3, 3 ]"));
});

Deno.test("a checked slice, its parts and iterators are refused by name once it is closed", () => {
  const [slice, close] = sliceOf(Float64Array.of(3, 1, 2));
  const part = slice.subarray(1);
  const { fill } = slice;
  const iterator = slice[Symbol.iterator]();
  assertEquals(iterator.next().value, 3);
  close();
  const uses: [use: () => unknown, text: string][] = [
    [() => slice[2], "use element 2 of a slice of"],
    [() => slice[0] = 1, "set element 0 of a slice of"],
    [() => slice.length, "use length of a slice of"],
    [() => slice.fill(0), "use fill of a slice of"],
    [() => fill(0), "call fill of a slice of"],
    [() => part.map((value) => value), "use map of a slice of"],
    [() => [...part], "use Symbol(Symbol.iterator) of a slice of"],
    [() => iterator.next(), "go through a slice of"],
    [() => slice.buffer, "use buffer of a slice of"],
    [() => new Float64Array(2).set(part), "of a slice of"],
    [() => unchecked(part), "use a slice of"],
  ];
  for (const [use, text] of uses) assertThrows(use, ClosedError, text);
});

Deno.test("unchecked() gives what is behind a slice, and everything else as it is", () => {
  const array = Float64Array.of(1);
  const [slice] = sliceOf(array);
  assertStrictEquals(unchecked(slice), array);
  for (const other of [array, [1], null, undefined, 5, "a", slice.slice()]) {
    assertStrictEquals(unchecked(other), other);
  }
});
