import { assertEquals } from "@std/assert";
import { elementInfo, type TypedArrayLike } from "../../internal/elements.ts";
import { fromNumbers, toNumbers } from "./exact.ts";

const SAFE = Number.MAX_SAFE_INTEGER;
const [U64, I64] = [elementInfo("u64"), elementInfo("i64")];

Deno.test("64-bit integers become numbers, and NaN where no number holds them", () => {
  const unsigned = BigUint64Array.of(0n, 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n);
  const signed = BigInt64Array.of(-1n, -(2n ** 32n), 1n - 2n ** 53n, -(2n ** 53n), -(2n ** 63n));
  const numbers = new Float64Array(6);
  assertEquals(toNumbers(U64, unsigned as TypedArrayLike<unknown>, numbers), 4);
  assertEquals(numbers, Float64Array.of(0, 1, 2 ** 32, SAFE, NaN, NaN));
  assertEquals(toNumbers(I64, signed as TypedArrayLike<unknown>, numbers), 3);
  assertEquals(numbers.subarray(0, 5), Float64Array.of(-1, -(2 ** 32), -SAFE, NaN, NaN));
});

Deno.test("Numbers become 64-bit integers, up to the first that is not one of the type", () => {
  const good = [0, -0, 1, 2 ** 32 - 1, 2 ** 32, SAFE];
  const unsigned = new BigUint64Array(6) as TypedArrayLike<unknown>;
  assertEquals(fromNumbers(U64, Float64Array.from(good), unsigned), -1);
  assertEquals([...unsigned.values()], good.map(BigInt));
  const signed = new BigInt64Array(6) as TypedArrayLike<unknown>;
  assertEquals(fromNumbers(I64, Float64Array.from(good, (n) => -n), signed), -1);
  assertEquals([...signed.values()], good.map((n) => -BigInt(n)));
  for (const bad of [0.5, NaN, Infinity, 2 ** 53, -(2 ** 53)]) {
    assertEquals(fromNumbers(I64, Float64Array.of(7, bad, 8), signed), 1);
    assertEquals(fromNumbers(U64, Float64Array.of(7, bad, 8), unsigned), 1);
  }
  assertEquals(fromNumbers(U64, Float64Array.of(7, 8, -1), unsigned), 2);
});
