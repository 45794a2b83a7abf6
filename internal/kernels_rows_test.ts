import { assertEquals } from "@std/assert";
import { opsOf } from "./element_ops.ts";
import { type ElementInfo, ELEMENTS, type MemoryType } from "./elements.ts";
import { bench, DATA, randomizer } from "./kernels_test_bench.ts";

type Value = number | bigint;
interface AnyView {
  [index: number]: Value;
  BYTES_PER_ELEMENT: number;
}
type RowKernels = Record<string, (to: number, a: number, b: number, n: number) => void>;

/** What a reduction makes of two values, before the array wraps or rounds it. */
function model(type: MemoryType, name: string, left: Value, right: Value): Value {
  // The operators do numbers and BigInts alike.
  const [a, b] = [left as number, right as number];
  switch (name) {
    case "sum":
      return a + b;
    case "prod":
      return type === "u32" || type === "i32" ? Math.imul(a, b) : a * b;
    case "min":
      return typeof left === "bigint" ? (a < b ? a : b) : Math.min(a, b);
    case "max":
      return typeof left === "bigint" ? (a > b ? a : b) : Math.max(a, b);
    case "and":
      return a & b;
    case "or":
      return a | b;
    default:
      return a ^ b;
  }
}

function randomValue({ kind, bytes }: ElementInfo, random: (below: number) => number): Value {
  if (kind === "float") {
    const special = [NaN, Infinity, -Infinity, 0, -0, 1e30, -1e30];
    return random(4) === 0 ? special[random(special.length)]! : random(2 ** 20) / 16 - 1000;
  }
  if (bytes === 8) return BigInt(random(2 ** 32)) << 32n | BigInt(random(2 ** 32));
  return random(2 ** 32);
}

for (const memory64 of [false, true]) {
  Deno.test(`Rows are combined one by one, in place too, ${memory64 ? 64 : 32} bits`, () => {
    const { kernels, views } = bench(memory64);
    const random = randomizer(7);
    for (const info of ELEMENTS.filter(({ type, memory }) => type === memory)) {
      const view = views[info.memory] as unknown as AnyView;
      const rows = kernels.of(info.memory) as unknown as RowKernels;
      for (const { reduction } of opsOf(info)) {
        if (!reduction) continue;
        for (const n of [0, 1, 2, 3, 7, 16, 33, 70]) {
          const [to, a, b] = [0, 1, 2].map((row) => DATA + row * 1024 + info.bytes);
          const at = (row: number, i: number): number => row! / info.bytes + i;
          for (let i = -1; i <= n; i++) {
            for (const row of [to!, a!, b!]) view[at(row, i)] = randomValue(info, random);
          }
          const [before, after] = [view[at(to!, -1)], view[at(to!, n)]];
          const expected = Array.from({ length: n }, (_, i) => {
            const cell = view as unknown as Value[];
            const kept = cell[at(to!, i)]!;
            const left = view[at(a!, i)]!;
            cell[at(to!, i)] = model(info.memory, reduction.name, left, view[at(b!, i)]!);
            const value = cell[at(to!, i)]!;
            cell[at(to!, i)] = kept;
            return value;
          });
          rows[reduction.kernel]!(to!, a!, b!, n);
          const about = `${info.type} ${reduction.name} ${n}`;
          for (let i = 0; i < n; i++) assertEquals(view[at(to!, i)], expected[i], about);
          assertEquals([view[at(to!, -1)], view[at(to!, n)]], [before, after], about);
          rows[reduction.kernel]!(a!, a!, b!, n);
          for (let i = 0; i < n; i++) assertEquals(view[at(a!, i)], expected[i], about);
        }
      }
    }
  });
}
