/**
 * The examples of active messages, and what they have to write.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { each, type Example } from "./example_tools.ts";

/** The examples. */
export const MESSAGE_EXAMPLES: readonly Example[] = [
  {
    name: "active_messages/am_no_return.ts",
    check: ({ sorted }, pes) => {
      const expected = [
        "PE 0: local from PE 0",
        `PE ${pes - 1}: remote from PE 0`,
        ...each(pes, (pe) => `PE ${pe}: to all from PE 0`),
        ...each(pes, (pe) => `PE ${pe}: ring from PE ${(pe + pes - 1) % pes}`),
        ...each(pes, (pe) => `PE ${pe} received ${pe === 0 || pe === pes - 1 ? 3 : 2}`),
      ];
      assertEquals(sorted, expected.sort());
    },
  },
  {
    name: "active_messages/am_return_usize.ts",
    check: ({ lines }, pes) => {
      const all = each(pes, (pe) => 10 * (pe + 1) + 100).join(" ");
      assertEquals(lines, [
        "local: 110",
        `remote: ${10 * pes + 100}`,
        `all: ${all}`,
        `blocking: ${all}`,
      ]);
    },
  },
  {
    name: "active_messages/am_return_am.ts",
    check: ({ sorted }, pes) => {
      const expected = [
        ...each(pes, (pe) => `PE ${pe}: back from PE ${(pe + 1) % pes}`),
        ...each(pes, (pe) => `PE 0: back from PE ${pe}`),
      ];
      assertEquals(sorted, expected.sort());
    },
  },
  {
    name: "active_messages/am_return_am_usize.ts",
    check: ({ lines }, pes) => {
      const prices = [10, 25, 40];
      assertEquals(lines, [
        `PE ${pes - 1} chose for ${2 * prices[pes - 1]!}`,
        `all chose for ${each(pes, (pe) => 3 * prices[pe]!).join(" ")}`,
      ]);
    },
  },
  {
    name: "active_messages/am_return_ordered.ts",
    args: ["20000"],
    check: ({ lines }) => assertEquals(lines, ["20000 results, 0 of them wrong"]),
  },
  {
    name: "active_messages/async_comparison.ts",
    args: ["10", "30"],
    check: ({ lines }) => {
      assertMatch(lines[0]!, /^blocking: 10 messages of 30 ms took \d+ ms$/);
      assertMatch(lines[1]!, /^awaiting: 10 messages of 30 ms took \d+ ms$/);
      assertEquals(lines.slice(2), ["blocking ones ran one by one", "awaiting ones were faster"]);
    },
  },
  {
    name: "active_messages/am_local_memregions.ts",
    args: ["4", "3"],
    check: ({ lines }, pes) => {
      const all = each(pes, (pe) => pe).join(", ");
      const even = each(pes, (pe) => pe).filter((pe) => pe % 2 === 0).join(", ");
      const us = String.raw`[\d.]+ µs each`;
      assertMatch(lines[0]!, new RegExp(`^the world: 85 handlers ran on PEs ${all}, ${us}$`));
      assertMatch(lines[1]!, new RegExp(`^half of it: 85 handlers ran on PEs ${even}, ${us}$`));
    },
  },
  {
    name: "active_messages/unbalanced_tree.ts",
    args: ["10"],
    check: ({ lines }, pes) => {
      assertMatch(lines[0]!, /^the search took [\d.]+ ms$/);
      assertMatch(lines[1]!, /^\d{3,} nodes, of which each PE visited [\d, ]+$/);
      assertEquals(lines[1]!.split(",").length, 1 + pes);
      assertEquals(lines[2], "as a plain recursion counts");
    },
  },
  {
    name: "active_messages/recursive_am.ts",
    check: ({ sorted }, pes) => {
      const expected = each(pes, (pe) => {
        const path = each(pes + 1, (hop) => (pe + hop) % pes);
        return `PE ${pe} walked ${path.join(" > ")}`;
      });
      assertEquals(sorted, [...expected, "on 1 host"].sort());
    },
  },
  {
    name: "active_messages/am_batch_tests.ts",
    args: ["100", "5"],
    check: (output) => {
      const { lines } = output;
      const combinations = ["empty", "data", "vec"].flatMap((kind) =>
        ["batched", "direct"].flatMap((there) =>
          ["batched", "direct"].map((back) => [kind, there, back])
        )
      );
      const rows = lines.slice(1, 13).map((line) => line.split(/ +/));
      assertEquals(rows.map((cells) => cells.slice(0, 3)), combinations);
      assertEquals(new Set(lines.slice(0, 13).map((line) => line.length)).size, 1);
      assertEquals(lines[13], "every PE received 115 of each kind");
    },
  },
  {
    name: "active_messages/am_local.ts",
    check: ({ sorted }, pes) => {
      assertEquals(sorted, each(pes, (pe) => `PE ${pe}: 1 1 2 1 3 1 4 1, 5 different words`));
    },
  },
];
