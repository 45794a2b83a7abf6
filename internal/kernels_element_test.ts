import { assert, assertEquals } from "@std/assert";
import {
  batchFetchName,
  batchName,
  type ElementOp,
  type FetchOp,
  opsOf,
  type UpdateOp,
} from "./element_ops.ts";
import { elementInfo, MEMORY_TYPES, type MemoryType } from "./elements.ts";
import { Comparison } from "./kernels_element.ts";
import { Distribution, type DistributionKind } from "./distribution.ts";
import { placesIn } from "./distribution_test_places.ts";
import { spreadBytes, writeSpread } from "./kernels_spread.ts";
import {
  type Bench,
  bench,
  DATA,
  EXPECTED,
  INDICES,
  OUT,
  randomizer,
  SPREAD,
  VALUES,
} from "./kernels_test_bench.ts";

type Value = number | bigint;
// Kernels of whatever type is under test, by name.
type AnyKernels = Record<string, (...args: Value[]) => Value>;
interface AnyView {
  [index: number]: Value;
  BYTES_PER_ELEMENT: number;
}

/** The model: what an update makes of a value, before the view wraps or rounds it. */
function model(type: MemoryType, op: ElementOp, old: Value, value: Value): Value {
  // Numbers stay numbers and BigInts stay BigInts: the operators do both.
  const [a, b] = [old as number, value as number];
  switch (op) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return type === "u32" || type === "i32" ? Math.imul(a, b) : a * b;
    case "min":
      return a < b ? a : b;
    case "max":
      return a > b ? a : b;
    case "store":
    case "swap":
      return b;
    case "div":
      return type.startsWith("f") ? a / b : b == 0 ? old : cut(a / b);
    case "rem":
      return b == 0 && !type.startsWith("f") ? old : a % b;
    case "shl":
      return typeof old === "bigint" ? old << ((value as bigint) & 63n) : a << b;
    case "shr":
      if (typeof old === "bigint") return old >> ((value as bigint) & 63n);
      return type.startsWith("i") ? a >> b : a >>> b;
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
  }
}

/** Division of BigInts cuts by itself. */
function cut(quotient: Value): Value {
  return typeof quotient === "bigint" ? quotient : Math.trunc(quotient);
}

/** Random values of a type, from its whole range where that is up to 26 bits or 64. */
function valuesOf(type: MemoryType, n: number, seed: number): Value[] {
  const random = randomizer(seed);
  const bits = Number(type.slice(1));
  return Array.from({ length: n }, () => {
    if (type.startsWith("f")) return random(2 ** 20) / 16 - 1000;
    if (bits === 64) {
      const value = BigInt(random(2 ** 32)) << 32n | BigInt(random(2 ** 32));
      return type === "u64" ? value : BigInt.asIntN(64, value);
    }
    const value = random(2 ** Math.min(bits, 26));
    return type.startsWith("i") ? value - 2 ** (Math.min(bits, 26) - 1) : value;
  });
}

function setup(memory64: boolean, type: MemoryType): {
  own: Bench;
  kernels: AnyKernels;
  view: AnyView;
  size: number;
} {
  const own = bench(memory64);
  const view = own.views[type] as unknown as AnyView;
  const kernels = own.kernels.of(type) as unknown as AnyKernels;
  return { own, kernels, view, size: view.BYTES_PER_ELEMENT };
}

function checkElement(memory64: boolean, type: MemoryType): void {
  const { kernels: k, view, size } = setup(memory64, type);
  const values = valuesOf(type, 60, 11);
  const [at, i] = [DATA + size, (DATA + size) / size];
  for (const [j, value] of values.entries()) {
    const old = values[(j * 7 + 3) % values.length]!;
    k["store"]!(at, old);
    assertEquals(view[i], old);
    assertEquals(k["load"]!(at), old);
    k["atomicStore"]!(at, value);
    assertEquals(k["atomicLoad"]!(at), value);
    for (const { name, kernel, fetches } of opsOf(elementInfo(type))) {
      if (!fetches) continue;
      view[i - 1] = view[i + 1] = view[i] = old;
      view[i + 2] = model(type, name, old, value);
      assertEquals(k[kernel]!(at, value), old, name);
      assertEquals([view[i - 1], view[i], view[i + 1]], [old, view[i + 2], old], name);
    }
    view[i] = old;
    assertEquals(k["cas"]!(at, value, old), old);
    assertEquals(k["cas"]!(at, old, value), old);
    assertEquals(view[i], value);
    for (const other of [old, value]) {
      const results = [value == other, value != other, value > other, value >= other];
      results.push(value < other, value <= other);
      const codes = Object.values(Comparison);
      assertEquals(codes.map((code) => k["test"]!(at, code, other)), results.map(Number));
    }
    for (const n of [0, 1, j % 40]) {
      view[i + n] = old;
      k["fill"]!(at, value, n);
      for (let e = 0; e < n; e++) assertEquals(view[i + e], value);
      assertEquals(view[i + n], old);
    }
  }
}

/** Ways to spread 90 elements, or more of which they are a range. */
function layouts(size: number): Array<{ bases: number[]; distribution: Distribution }> {
  const part = 64 * size;
  const over = (
    kind: DistributionKind,
    parts: number[],
    whole = 90,
    first = 0,
  ): { bases: number[]; distribution: Distribution } => ({
    bases: parts.map((p) => DATA + p * part),
    distribution: new Distribution(kind, parts.length, whole, first, 90),
  });
  return [
    over("block", [0]),
    over("block", [0, 2]),
    over("block", [0, 1, 2]),
    over("block", [0, 1, 2, 3]),
    over("block", [3, 2, 1, 0]),
    over("block", [1, 0, 5, 2], 100, 7),
    over("block", [0, 1, 2, 3, 4, 5, 6], 94, 3),
    over("cyclic", [0, 1, 2, 3]),
    over("cyclic", [4, 0, 1]),
    over("cyclic", [0, 1, 2, 3], 101, 5),
    over("cyclic", [2, 0, 1, 3], 99, 9),
  ];
}

function checkBatches(memory64: boolean, type: MemoryType): void {
  const { own, kernels: k, view, size } = setup(memory64, type);
  const { views } = own;
  const total = 90;
  const random = randomizer(21);
  for (const { bases, distribution } of layouts(size)) {
    writeSpread(views.u32, SPREAD, { bases, distribution, elementBytes: size });
    const { kind, parts, whole, first } = distribution;
    const places = placesIn(kind, parts, whole).slice(first);
    const where = (g: number): number => bases[places[g]![0]]! / size + places[g]![1];
    for (const [n, bad, width] of [[0, -1, 4], [7, -1, 8], [531, -1, 4], [300, 290, 8]] as const) {
      const indices = Array.from({ length: n }, () => random(total));
      if (bad >= 0) indices[bad] = total;
      const done = bad < 0 ? n : bad;
      if (width === 4) views.u32.set(indices, INDICES / 4);
      else views.u64.set(indices.map(BigInt), INDICES / 8);
      const fresh = valuesOf(type, total, n);
      const values = valuesOf(type, n, n + 1);
      const run = (name: string, args: Value[], step: (at: number, i: number) => void): void => {
        for (let g = 0; g < total; g++) view[where(g)] = fresh[g]!;
        for (let i = 0; i < n; i++) view[VALUES / size + i] = values[i]!;
        const returned = k[name]!(SPREAD, INDICES, width, ...args, n);
        assertEquals(returned, done, name);
        const found = Array.from({ length: total }, (_, g) => view[where(g)]!);
        const out = Array.from({ length: done }, (_, i) => view[OUT / size + i]!);
        for (let g = 0; g < total; g++) view[where(g)] = fresh[g]!;
        for (let i = 0; i < done; i++) step(where(indices[i]!), i);
        assertEquals(found, Array.from({ length: total }, (_, g) => view[where(g)]!), name);
        if (args.includes(OUT)) {
          assertEquals(out, Array.from({ length: done }, (_, i) => view[OUT / size + i]!), name);
        }
      };
      for (const step of [0, size]) {
        const value = (i: number): Value => view[VALUES / size + (step === 0 ? 0 : i)]!;
        for (const { name, updates, fetches } of opsOf(elementInfo(type))) {
          const change = (at: number, i: number): void => {
            view[OUT / size + i] = view[at]!;
            view[at] = model(type, name, view[at]!, value(i));
          };
          if (updates) run(batchName(name as UpdateOp), [VALUES, step, 0], change);
          if (fetches) run(batchFetchName(name as FetchOp), [VALUES, step, OUT], change);
        }
        const put = (at: number, i: number): void => void (view[at] = value(i));
        run("scatter", [VALUES, step, 0], put);
        const pair = (i: number): number => EXPECTED / size + (step === 0 ? 0 : 2 * i);
        for (let i = 0; i < (step === 0 ? 1 : n); i++) {
          view[pair(i)] = i % 2 === 0 ? fresh[indices[i]!] ?? fresh[0]! : fresh[0]!;
          view[pair(i) + 1] = values[i] ?? fresh[0]!;
        }
        run("batchCas", [EXPECTED, 2 * step, OUT], (at, i) => {
          view[OUT / size + i] = view[at]!;
          if (view[at] === view[pair(i)]) view[at] = view[pair(i) + 1]!;
        });
      }
      run("gather", [0, 0, OUT], (at, i) => void (view[OUT / size + i] = view[at]!));
    }
  }
}

for (const memory64 of [false, true]) {
  const on = `over a ${memory64 ? 64 : 32}-bit memory`;

  for (const { memory: type } of MEMORY_TYPES) {
    Deno.test(`the ${type} kernels for one element follow the model ${on}`, () => {
      checkElement(memory64, type);
    });
    Deno.test(`the ${type} kernels for many elements follow the model ${on}`, () => {
      checkBatches(memory64, type);
    });
  }

  Deno.test(`64-bit integers as numbers are NaN beyond what a number holds ${on}`, () => {
    const { kernels, views } = bench(memory64);
    const [signed, unsigned] = [kernels.numbersOf("i64"), kernels.numbersOf("u64")];
    const max = Number.MAX_SAFE_INTEGER;
    for (const value of [0, 1, -1, max, -max]) {
      signed.store(DATA, value);
      assertEquals(views.i64[DATA / 8], BigInt(value));
      assertEquals(signed.load(DATA), value);
      assertEquals(unsigned.load(DATA), value < 0 ? NaN : value);
    }
    for (const value of [2n ** 53n, -(2n ** 53n)]) {
      views.i64[DATA / 8] = value;
      assertEquals(signed.load(DATA), NaN);
      assertEquals(signed.atomicSwap(DATA, 3), NaN);
      assertEquals(signed.atomicAdd(DATA, -5), 3);
      assertEquals(signed.atomicMin(DATA, -9), -2);
      assertEquals(signed.cas(DATA, -9, 4), -9);
      assertEquals(signed.test(DATA, Comparison.ge, 4), 1);
    }
    unsigned.fill(DATA, max, 3);
    assertEquals([0, 8, 16].map((at) => unsigned.atomicLoad(DATA + at)), [max, max, max]);
  });

  Deno.test(`every division by the reciprocal finds the right element ${on}`, () => {
    const { kernels, views } = bench(memory64);
    const u8 = kernels.of("u8");
    const random = randomizer(3);
    const cases = [1, 2, 3, 5, 7, 10, 255, 256, 257, 1000, 4095, 65535, 65537].flatMap((block) => {
      const parts = Math.max(1, Math.min(64, Math.floor(30000 / block)));
      const even = Math.min(block * parts, 30000);
      return [0, 1, parts - 1].map((extras) => [block, parts, even + extras] as const);
    });
    for (const [block, parts, total] of cases) {
      // Each part has room for one element more, as the long ones need it.
      const bases = Array.from({ length: parts }, (_, part) => DATA + part * (block + 1));
      assert(SPREAD + spreadBytes(parts) <= INDICES);
      const distribution = new Distribution("block", parts, total);
      writeSpread(views.u32, SPREAD, { bases, distribution, elementBytes: 1 });
      const places = placesIn("block", parts, total);
      for (let i = 0; i < 32768; i++) views.u8[DATA + i] = random(256);
      const indices = Array.from({ length: 1000 }, (_, i) => i < 8 ? total - 1 - i : random(total))
        .map((index) => Math.max(0, index));
      views.u32.set(indices, INDICES / 4);
      assertEquals(u8.gather(SPREAD, INDICES, 4, 0, 0, OUT, 1000), 1000);
      assertEquals(
        [...views.u8.subarray(OUT, OUT + 1000)],
        indices.map((index) => views.u8[bases[places[index]![0]]! + places[index]![1]]),
      );
    }
  });
}
