import { assert, assertEquals, assertThrows } from "@std/assert";
import type { ElementName } from "./kernels_element.ts";
import { Comparison } from "./kernels_element.ts";
import { SCRATCH_BYTES, spreadBytes, writeSpread } from "./kernels_spread.ts";
import {
  type Bench,
  bench,
  DATA,
  EXPECTED,
  INDICES,
  OUT,
  randomizer,
  SCRATCH,
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

const TYPES = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"] as const;
const UPDATES = ["Add", "Sub", "Mul", "Min", "Max", "Xchg", "And", "Or", "Xor"] as const;
type Update = typeof UPDATES[number];

/** The updates a type has. */
function updatesOf(type: ElementName): readonly Update[] {
  return type.startsWith("f") ? UPDATES.slice(0, 6) : UPDATES;
}

/** The model: what an update makes of a value, before the view wraps or rounds it. */
function model(type: ElementName, op: Update, old: Value, value: Value): Value {
  // Numbers stay numbers and BigInts stay BigInts: the operators do both.
  const [a, b] = [old as number, value as number];
  switch (op) {
    case "Add":
      return a + b;
    case "Sub":
      return a - b;
    case "Mul":
      return type === "u32" || type === "i32" ? Math.imul(a, b) : a * b;
    case "Min":
      return a < b ? a : b;
    case "Max":
      return a > b ? a : b;
    case "Xchg":
      return b;
    case "And":
      return a & b;
    case "Or":
      return a | b;
    case "Xor":
      return a ^ b;
  }
}

/** Random values of a type, from its whole range where that is up to 26 bits or 64. */
function valuesOf(type: ElementName, n: number, seed: number): Value[] {
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

function setup(memory64: boolean, type: ElementName): {
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

function checkElement(memory64: boolean, type: ElementName): void {
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
    for (const op of updatesOf(type)) {
      view[i - 1] = view[i + 1] = view[i] = old;
      view[i + 2] = model(type, op, old, value);
      assertEquals(k[`atomic${op}`]!(at, value), old, op);
      assertEquals([view[i - 1], view[i], view[i + 1]], [old, view[i + 2], old], op);
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

/** Ways to spread 90 elements: how the kernels find them, and how the model does. */
function layouts(size: number): Array<{ bases: number[]; blockLength?: number; cyclic?: boolean }> {
  const part = 64 * size;
  const at = (...parts: number[]): number[] => parts.map((p) => DATA + p * part);
  return [
    { bases: [DATA], blockLength: 90 },
    { bases: at(0, 2), blockLength: 64 },
    { bases: at(0, 1, 2) },
    { bases: at(3, 2, 1), blockLength: 31 },
    { bases: at(1, 0, 5), blockLength: 30 },
    { bases: at(0, 1, 2, 3), cyclic: true },
    { bases: at(4, 0, 1), cyclic: true },
  ];
}

function checkBatches(memory64: boolean, type: ElementName): void {
  const { own, kernels: k, view, size } = setup(memory64, type);
  const { views } = own;
  const total = 90;
  const random = randomizer(21);
  for (const layout of layouts(size)) {
    writeSpread(views.u32, SPREAD, { ...layout, total, elementBytes: size });
    const { bases, cyclic = false, blockLength = Math.ceil(total / bases.length) } = layout;
    const where = (g: number): number => {
      const [pe, offset] = cyclic
        ? [g % bases.length, Math.floor(g / bases.length)]
        : [Math.floor(g / blockLength), g % blockLength];
      return bases[pe]! / size + offset;
    };
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
        for (const op of updatesOf(type)) {
          const change = (at: number, i: number): void => {
            view[OUT / size + i] = view[at]!;
            view[at] = model(type, op, view[at]!, value(i));
          };
          if (op !== "Xchg") run(`batch${op}`, [VALUES, step], change);
          run(`batchFetch${op}`, [VALUES, step, OUT], change);
        }
        const put = (at: number, i: number): void => void (view[at] = value(i));
        run("batchStore", [VALUES, step], put);
        run("scatter", [VALUES, step], put);
        for (let i = 0; i < n; i++) {
          view[EXPECTED / size + i] = i % 2 === 0 ? fresh[indices[i]!] ?? fresh[0]! : fresh[0]!;
        }
        run("batchCas", [EXPECTED, size, VALUES, step, OUT], (at, i) => {
          view[OUT / size + i] = view[at]!;
          if (view[at] === view[EXPECTED / size + i]) view[at] = value(i);
        });
      }
      run("gather", [OUT], (at, i) => void (view[OUT / size + i] = view[at]!));
    }
  }
}

function checkIndexed(memory64: boolean, type: ElementName): void {
  const { own, kernels: k, view, size } = setup(memory64, type);
  const random = randomizer(31);
  const indices = Array.from({ length: 300 }, () => random(50));
  own.views.u32.set(indices, INDICES / 4);
  const values = valuesOf(type, 300, 32);
  values.forEach((value, i) => view[VALUES / size + i] = value);
  assertEquals(k["indexedPut"]!(DATA, 50, INDICES, 4, VALUES, size, 300), 300);
  assertEquals(k["indexedGet"]!(DATA, 50, INDICES, 4, OUT, 300), 300);
  const last = new Map(indices.map((index, i) => [index, values[i]!]));
  assertEquals(
    Array.from({ length: 300 }, (_, i) => view[OUT / size + i]),
    indices.map((index) => last.get(index)),
  );
  const first = indices.findIndex((index) => index === Math.max(...indices));
  assertEquals(k["indexedGet"]!(DATA, Math.max(...indices), INDICES, 4, OUT, 300), first);
}

for (const memory64 of [false, true]) {
  const on = `over a ${memory64 ? 64 : 32}-bit memory`;

  for (const type of TYPES) {
    Deno.test(`the ${type} kernels for one element follow the model ${on}`, () => {
      checkElement(memory64, type);
    });
    Deno.test(`the ${type} kernels for many elements follow the model ${on}`, () => {
      checkBatches(memory64, type);
      checkIndexed(memory64, type);
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
      assertEquals(signed.atomicXchg(DATA, 3), NaN);
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
    for (const divisor of [1, 2, 3, 5, 7, 10, 255, 256, 257, 1000, 4095, 65535, 65537]) {
      const numPes = Math.min(64, Math.ceil(30000 / divisor));
      const total = Math.min(divisor * numPes, 30000);
      const bases = Array.from({ length: numPes }, (_, pe) => DATA + pe * divisor);
      assert(SPREAD + spreadBytes(numPes) <= INDICES);
      writeSpread(views.u32, SPREAD, { bases, total, elementBytes: 1, blockLength: divisor });
      for (let i = 0; i < 32768; i++) views.u8[DATA + i] = random(256);
      const indices = Array.from({ length: 1000 }, (_, i) => i < 8 ? total - 1 - i : random(total))
        .map((index) => Math.max(0, index));
      views.u32.set(indices, INDICES / 4);
      assertEquals(u8.gather(SPREAD, INDICES, 4, OUT, 1000), 1000);
      assertEquals(
        [...views.u8.subarray(OUT, OUT + 1000)],
        indices.map((index) => views.u8[DATA + index]!),
      );
    }
  });
}

Deno.test("writeSpread() refuses blocks that cannot hold the region", () => {
  const { views } = bench(false);
  assertThrows(
    () => writeSpread(views.u32, SPREAD, { bases: [0], total: 9, elementBytes: 1, blockLength: 8 }),
    RangeError,
    "Cannot spread 9 elements: 1 blocks of 8 are too few",
  );
  assert(SCRATCH + SCRATCH_BYTES <= SPREAD);
});
