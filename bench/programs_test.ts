/**
 * The benchmark programs with small sizes: each line of theirs says that its result was verified.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { runProgram } from "../tests/support/run.ts";

/** Programs with their arguments, and the variants that report. */
const PROGRAMS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["histo", ["500", "64", "--table-length", "1000", "--iterations", "2"], [
    "safe_am",
    "unsafe_am",
    "buffered_safe_am",
    "buffered_unsafe_am",
    "darc",
    "atomic_array",
    "array_comparison_unsafe",
    "array_comparison_local_lock",
    "array_comparison_atomic",
  ]],
  ["index_gather", ["500", "64", "--table-length", "1000", "--iterations", "2"], [
    "am",
    "buffered_am",
    "atomic_array",
    "read_only_array",
  ]],
  ["randperm", ["300", "5", "--iterations", "2"], ["compare_exchange"]],
  ["triangle_count", ["7", "100", "--iterations", "2"], ["am", "buffered_am"]],
];

const WAYS = [
  { title: "one PE", pes: 1, lamella: "local" },
  { title: "three PEs", pes: 3, lamella: "local" },
  { title: "two processes", pes: 2, lamella: "shmem" },
] as const;

for (const [name, args, variants] of PROGRAMS) {
  for (const { title, pes, lamella } of WAYS) {
    Deno.test(`the program ${name} verifies all its variants on ${title}`, async () => {
      const { code, stdout, stderr } = await runProgram({
        program: new URL(`programs/${name}.ts`, import.meta.url),
        pes,
        args,
        launcher: true,
        launcherFlags: lamella === "shmem" ? ["--processes", "2"] : [],
        env: { LAMELLAR_BACKEND: lamella },
      });
      assertEquals([code, stderr], [0, ""]);
      const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
      assertEquals(lines.map(({ variant }) => variant as string), variants);
      for (const line of lines) {
        const { program, verified } = line;
        assertEquals([program, line.pes, line.lamella, verified], [name, pes, lamella, true]);
        assertEquals(line.iterations, 2);
        if (args[0] === "500") assertEquals(line.updates, 500 * pes);
      }
    });
  }
}
