/**
 * The examples, and what they have to write, on whatever carries their messages.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { ARRAY_EXAMPLES } from "./array_examples.ts";
import { COLLECTIVE_EXAMPLES } from "./collective_examples.ts";
import { DARC_EXAMPLES } from "./darc_examples.ts";
import { each, type Example, numbersOf, type Output } from "./example_tools.ts";
import { repositoryPath } from "./inline.ts";
import { MESSAGE_EXAMPLES } from "./message_examples.ts";
import { type RunOptions, runProgram } from "./run.ts";

const edgeList = await Deno.makeTempFile({ suffix: ".tsv" });
// A complete graph of 5 vertices, 10 triangles, in both directions and with weights, a triangle
// beside it, and a loop, a repeated edge and a vertex without triangles.
await Deno.writeTextFile(
  edgeList,
  [
    "# from\tto\tweight",
    ...each(25, (i) => [1 + Math.floor(i / 5), 1 + i % 5, i + 1]).filter(([a, b]) => a !== b)
      .map((row) => row.join("\t")),
    "6\t7\t1",
    "7\t8\t1",
    "8\t6\t1",
    "8\t6\t1",
    "9\t9\t1",
    "5\t10\t2",
    "",
  ].join("\n"),
);
globalThis.addEventListener("unload", () => Deno.removeSync(edgeList));

function checkBandwidths(output: Output, sizes: number): void {
  const rows = rowsOf(output, 8);
  assertEquals(rows.map(([bytes]) => bytes), each(sizes, (power) => 2 ** power));
  // Two digits are shown: where a call takes long, single bytes come to nothing.
  const values = rows.map((row) => row[5]!);
  assert(values.every((value) => value >= 0) && values.at(-1)! > 0, output.text);
}

/** The numbers of the lines that are so many numbers, as far as they stand below each other. */
function rowsOf(output: Output, columns: number): number[][] {
  const lines = output.lines.filter((line) => /^ *\d[\d. ]*$/.test(line));
  assertEquals(new Set(lines.map((line) => line.length)).size, 1, output.text);
  const rows = lines.map((line) => line.trim().split(/ +/).map(Number));
  for (const row of rows) assertEquals(row.length, columns, output.text);
  return rows;
}

/** How many bytes the bandwidth examples moved. */
function bytesMoved(output: Output): number {
  return rowsOf(output, 8).reduce((sum, [bytes, count]) => sum + bytes! * count!, 0);
}

const BANDWIDTH = { args: ["4096", "200000"], pes: [2, 3] };

const EXAMPLES: readonly Example[] = [
  {
    name: "hello.ts",
    args: ["200000"],
    check: ({ text, lines }, pes) => {
      for (let pe = 0; pe < pes; pe++) {
        const line = `Hello from PE ${pe} to PE ${(pe + 1) % pes} of ${pes}`;
        assertEquals(lines.filter((other) => other === line).length, 1);
      }
      assertStringIncludes(text, "17,984 primes below 200,000");
    },
  },
  {
    name: "hello_world/hello_world_am.ts",
    check: ({ sorted }, pes) => {
      const expected = each(
        pes,
        (pe) =>
          each(pes, (from) => `PE ${pe} of ${pes}: hello from PE ${from} on ${Deno.hostname()}`),
      );
      assertEquals(sorted, expected.flat().sort());
    },
  },
  ...MESSAGE_EXAMPLES,
  {
    name: "closures/closure_results.ts",
    check: ({ lines }, pes) => {
      assertEquals(lines.slice(0, 2), [
        `PE ${pes - 1} added up 42`,
        `squares: ${each(pes, (pe) => (10 + pe) ** 2).join(" ")}`,
      ]);
      assertMatch(lines[2]!, /^Cannot send the closure: it uses "factor"/);
    },
  },
  {
    name: "closures/closure_return.ts",
    check: ({ lines }, pes) => {
      assertEquals(lines, [
        `as data: a closure, made on PE ${pes - 1}`,
        `on return: sent by PE ${pes - 1}, run on PE 0`,
      ]);
    },
  },
  {
    name: "closures/closure_map.ts",
    args: ["10001"],
    check: ({ lines }, pes) => {
      assertEquals(lines[0], "10001 roots are right");
      assertMatch(lines[1]!, new RegExp(`^[\\d.]+ ms on ${pes} PEs, [\\d.]+ ms serially$`));
    },
  },
  {
    name: "misc/lamellar_env.ts",
    check: ({ sorted }, pes) => {
      const names = [
        ...["world", "team", "UnsafeArray", "ReadOnlyArray", "AtomicArray", "LocalLockArray"],
        ...["Darc", "LocalRwDarc", "GlobalRwDarc", "handler"],
      ];
      const expected = each(pes, (pe) => [
        ...names.map((name) => `${name}: PE ${pe} of ${pes}, 1 thread`),
        `PE ${pe}: the team has PEs ${each(pes, (other) => other).join(" ")}`,
      ]);
      const alone = "PE 0 of 1, 1 thread";
      const ofTeam = `array of a team: ${alone} | Darc of that array: ${alone}`;
      assertEquals(sorted, [...expected.flat(), ofTeam].sort());
    },
  },
  {
    name: "misc/simple_ptp.ts",
    args: ["200"],
    check: ({ lines }, pes) => {
      for (let pe = 1; pe < pes; pe++) {
        assertMatch(lines[2 * pe - 2]!, new RegExp(`^PE ${pe}: round trip [\\d.]+ µs, clock`));
        assertEquals(lines[2 * pe - 1], `PE ${pe}: the clocks agree`);
      }
    },
  },
  {
    name: "misc/ping_pong.ts",
    args: ["30000", "100", "256"],
    check: ({ sorted }, pes) => {
      const gathers = Math.ceil(30_000 / pes) * pes;
      const expected = each(
        pes,
        (pe) => `PE ${pe}: gathered ${gathers}, served ${gathers}, 0 wrong`,
      );
      assertEquals(sorted.filter((line) => line.startsWith("PE")), expected);
      assertMatch(sorted[0]!, new RegExp(`^[\\d.]+ M gathers/s on ${pes} PEs, \\d+ M/s by a loop`));
    },
  },
  {
    name: "teams/team_am.ts",
    pes: [2, 5],
    check: ({ sorted }, pes) => {
      const half = Math.ceil(pes / 2);
      const from = `says PE ${pes - 1}`;
      const expected = [
        ...each(half, (i) => `even PE ${i} of ${half} is PE ${2 * i}, ${from}`),
        ...each(half, (i) => `low PE ${i} of ${half} is PE ${i}, ${from}`),
        `inner PE 0 of 1 is PE ${2 * half - 2}, says PE 0`,
      ];
      assertEquals(sorted.filter((line) => line.includes("says")), expected.sort());
      const timed = sorted.filter((line) =>
        /^a message to all \d PEs of .* takes [\d.]+ µs$/.test(line)
      );
      assertEquals(timed.length, 2);
    },
  },
  {
    name: "teams/custom_team_arch.ts",
    pes: [2, 6],
    check: ({ sorted }, pes) => {
      const members = pes === 2 ? [0, 1] : [0, 1, 3, 4];
      const expected = [
        `team 1 has ${members.length} PEs`,
        ...members.map((pe, i) => `  PE ${i}: PE ${pe} of its parent, PE ${pe}`),
        members.map((pe, i) => `${i} is ${pe}`).join(", "),
      ];
      assertEquals(sorted, expected.sort());
    },
  },
  {
    name: "teams/random_team.ts",
    args: ["42"],
    pes: [3, 6],
    check: ({ lines }, pes) => {
      assertEquals(lines, [
        `all: visited ${pes} PEs, in their order`,
        `half: visited ${Math.ceil(pes / 2)} PEs, in their order`,
      ]);
    },
  },
  {
    name: "rdma/rdma_put.ts",
    check: ({ sorted }, pes) => {
      const expected = each(pes, (pe) => [
        `PE ${pe} after put: 1 2 3 4 5 6 7 8 9 10`,
        `PE ${pe} after putAll: ${pe === 0 ? 1000 : 1} 2 70 80 90 6 7 8 9 10`,
      ]);
      assertEquals(sorted, expected.flat().sort());
    },
  },
  {
    name: "rdma/rdma_get.ts",
    check: ({ sorted }, pes) => {
      const expected = each(pes, (pe) => {
        const next = (pe + 1) % pes;
        const value = next + 0.5;
        return [
          `PE ${pe} got from PE ${next}: ${each(5, () => value).join(" ")}`,
          `PE ${pe} got one ${value} and some ${value} ${value}`,
          `PE ${pe} looked at all: ${each(pes, (other) => other + 0.5).join(" ")}`,
        ];
      });
      assertEquals(sorted, expected.flat().sort());
    },
  },
  {
    name: "rdma/rdma_am.ts",
    check: ({ sorted }, pes) => {
      const expected = each(pes, (pe) => {
        const next = (pe + 1) % pes;
        const numbers = [1, 2, 3, 4].map((n) => n + 10 * pe);
        const squares = numbers.map((n) => n * n + next);
        return `PE ${pe}: ${[...numbers, ...squares].join(" ")} from PE ${next}`;
      });
      assertEquals(sorted, expected);
    },
  },
  {
    name: "bandwidths/am_bw.ts",
    ...BANDWIDTH,
    check: (output) => {
      checkBandwidths(output, 13);
      const bytes = bytesMoved(output);
      assertEquals(
        output.lines.filter((line) => line === `PE 1 received ${bytes} bytes`).length,
        1,
      );
    },
  },
  ...[
    "am_bw_get",
    "am_group_bw_get",
    "task_group_am_bw",
    "task_group_futures_am_bw",
    "task_group_typed_futures_am_bw",
  ].map((name): Example => ({
    name: `bandwidths/${name}.ts`,
    ...BANDWIDTH,
    check: (output) => {
      checkBandwidths(output, 13);
      assertStringIncludes(output.text, `PE 1 received ${bytesMoved(output)} bytes`);
    },
  })),
  {
    name: "bandwidths/put_bw.ts",
    ...BANDWIDTH,
    check: (output) => {
      checkBandwidths(output, 13);
      assertStringIncludes(output.text, "PE 1 has what was put");
    },
  },
  {
    name: "bandwidths/get_bw.ts",
    ...BANDWIDTH,
    check: (output) => {
      checkBandwidths(output, 13);
      assertStringIncludes(output.text, "PE 0 got what PE 1 has");
    },
  },
  ...[
    "unsafe_array_put_bw",
    "unsafe_array_put_unchecked_bw",
    "atomic_array_put_bw",
    "local_lock_atomic_array_put_bw",
    "global_lock_atomic_array_put_bw",
    "unsafe_array_store_bw",
    "unsafe_array_get_bw",
    "unsafe_array_get_unchecked_bw",
    "atomic_array_get_bw",
    "local_lock_atomic_array_get_bw",
    "global_lock_atomic_array_get_bw",
    "readonly_array_get_bw",
    "readonly_array_get_unchecked_bw",
  ].map((name): Example => ({
    name: `bandwidths/${name}.ts`,
    ...BANDWIDTH,
    check: (output) => {
      checkBandwidths(output, 13);
      const done = name.includes("_get_") ? "PE 0 got what PE 1 has" : "PE 1 has what was put";
      assertStringIncludes(output.text, done);
    },
  })),
  {
    name: "kernels/am_flops.ts",
    args: ["1024", "200000"],
    check: (output) => {
      assertEquals(rowsOf(output, 4).map(([count]) => count), [1, 4, 16, 64, 256, 1024]);
      assertEquals(output.lines.at(-1), "result 2");
    },
  },
  {
    name: "kernels/am_gemm.ts",
    args: ["96", "16"],
    check: ({ lines }) => {
      assertMatch(lines[0]!, /^96 x 96: [\d.]+ GFLOP\/s on .* serially, 216 blocks fetched$/);
      assertEquals(lines[1], "the product is right");
    },
  },
  {
    name: "kernels/cached_am_gemm.ts",
    args: ["96", "16"],
    check: ({ lines }, pes) => {
      assertMatch(lines[0]!, new RegExp(`^96 x 96: .* serially, ${36 * pes} blocks fetched$`));
      assertEquals(lines[1], "the product is right");
    },
  },
  {
    name: "histogram.ts",
    args: ["60"],
    check: (output, pes) => {
      const counts = numbersOf(output, /min +(\d+)/);
      assertEquals(counts.length, 6);
      assertEquals(counts.reduce((sum, n) => sum + n), 200_000);
      // As a count outside this project finds it.
      assertEquals(counts, [97_769, 91_435, 7_968, 1_929, 578, 321]);
      assertMatch(output.lines.at(-2)!, new RegExp(`^200000 flights on ${pes} PEs in [\\d.]+ ms$`));
      assertMatch(output.lines.at(-1)!, /^the serial count agrees, [\d.]+ ms$/);
    },
  },
  {
    name: "triangle_count.ts",
    args: [edgeList],
    check: ({ lines }) => {
      assertEquals(lines[0], "10 vertices, 26 edges: 11 triangles");
      assertMatch(lines[2]!, /^the serial count agrees/);
    },
  },
  {
    name: "triangle_count.ts",
    args: ["--airports"],
    check: ({ lines }) => {
      assertEquals(lines[0], "305 vertices, 5366 edges: 21783 triangles");
      assertMatch(lines[2]!, /^the serial count agrees/);
    },
  },
  {
    name: "triangle_count.ts",
    check: ({ lines }) => {
      assertEquals(lines[0], "4096 vertices, 65536 edges: 477870 triangles");
      assertMatch(lines[2]!, /^the serial count agrees/);
    },
  },
  {
    name: "triangle_count.ts",
    args: ["--kronecker", "11"],
    check: ({ lines }) => {
      assertMatch(lines[0]!, /^2048 vertices, 32768 edges: \d+ triangles$/);
      assertGreater(Number(/: (\d+)/.exec(lines[0]!)?.[1]), 1000);
      assertMatch(lines[2]!, /^the serial count agrees/);
    },
  },
  ...DARC_EXAMPLES,
  ...COLLECTIVE_EXAMPLES,
  ...ARRAY_EXAMPLES,
];

/** On what examples run. */
export interface ExamplesUnderTest {
  /** How the titles of the tests begin. */
  readonly title: string;
  /** Numbers of PEs to take of those an example has; or whether one of its own fits. */
  readonly pes: (known: readonly number[]) => readonly number[];
  /** Paths of examples below the folder; all without it. */
  readonly only?: readonly string[];
  /** Arguments of an example, where it would take long with its own. */
  readonly shorten?: (name: string) => readonly string[] | undefined;
  /** How to run them on so many PEs. */
  readonly run?: (pes: number) => Partial<RunOptions>;
}

/**
 * Makes a test of every example.
 *
 * @param under On what they run.
 */
export function testExamples(under: ExamplesUnderTest): void {
  const { title, pes: choose, only, shorten, run } = under;
  for (const { name, args: own = [], pes = [2, 3], check } of EXAMPLES) {
    if (only && !only.includes(name)) continue;
    const args = shorten?.(name) ?? own;
    for (const n of choose(pes)) {
      const shown = args.map((arg) => arg === edgeList ? "EDGES" : arg).join(" ");
      Deno.test(`${title} ${name} ${shown} writes what it should on ${n} PEs`, async () => {
        const program = repositoryPath(`examples/${name}`);
        const limit = { timeoutMs: 60_000 };
        const result = await runProgram({ program, pes: n, args, ...limit, ...run?.(n) });
        assertEquals(result.code, 0, result.stderr + result.stdout);
        assertEquals(result.stderr, "");
        const lines = result.stdout.trimEnd().split("\n");
        check({ lines, sorted: lines.toSorted(), text: result.stdout }, n);
      });
    }
  }
}
