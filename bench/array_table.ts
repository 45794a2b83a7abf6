/**
 * The cases of arrays: beside C with two threads, and beside the region that does the same.
 *
 * @module
 */

import { type BenchCase, c, contender, ours, printed } from "./contender.ts";

const COPIES: readonly (readonly [label: string, bytes: number])[] = [
  ["8B", 8],
  ["1KiB", 1 << 10],
  ["1MiB", 1 << 20],
];

const ADDS = c("C __atomic_fetch_add", "tables", "histogram", "plain");
const REGION_ADDS = { ...ours("histogram"), name: "ours, a region" };

/** Every case, in the order in which they run. */
export const ARRAY_CASES: readonly BenchCase[] = [
  ...["u64", "u32", "f64"].map((type) => addCase(type, "add", type)),
  addCase("u64-iterator", "add-iterator"),
  addCase("u64-locked", "add-locked"),
  {
    ...printed("array-load-u64", 2, "M/s", false),
    ours: ours("array", "load"),
    floors: [
      c("C loads", "tables", "gather", "plain"),
      { ...ours("gather"), name: "ours, a region" },
    ],
  },
  ...["f64", "u64"].map((type): BenchCase => ({
    ...printed(`array-sum-${type}`, 2, "ms", true),
    ours: ours("array", "sum", type),
    floors: [
      c("C, two threads", "sum", type),
      contender("Lamellar for Rust", "rust", `sum_${type}`, []),
    ],
  })),
  ...["put", "get"].flatMap((kind) =>
    COPIES.map(([label, bytes]): BenchCase => ({
      ...printed(`array-${kind}-${label}`, 2, "GB/s", false),
      ours: ours("array", kind, bytes),
      floors: [{ ...ours("array", `region-${kind}`, bytes), name: "ours, a region" }],
    }))
  ),
  ...["block", "awaited"].map((form): BenchCase => ({
    ...printed(`array-fetch-add-${form}`, 2, "us", true),
    ours: ours("array", `fetch-add-${form}`),
    floors: [],
  })),
];

function addCase(title: string, what: string, type = "u64"): BenchCase {
  return {
    ...printed(`array-add-${title}`, 2, "M/s", false),
    ours: ours("array", what, type),
    floors: [ADDS, REGION_ADDS],
  };
}
