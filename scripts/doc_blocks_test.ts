import { assertEquals } from "@std/assert";
import { absoluteImports, findBlocks, impliedImport } from "./doc_blocks.ts";

const FENCE = "```";

Deno.test("findBlocks() finds the ts blocks of a document, with line and flags", () => {
  const text = [
    "# Title",
    `${FENCE}sh`,
    "deno task test",
    FENCE,
    `${FENCE}ts`,
    "const a = 1;",
    "",
    "  const b = 2;",
    FENCE,
    `- item`,
    `  ${FENCE}ts ignore`,
    "  const c = 3;",
    `  ${FENCE}`,
  ].join("\n");
  assertEquals(findBlocks("x.md", text), [
    { path: "x.md", line: 6, code: "const a = 1;\n\n  const b = 2;\n", ignored: false },
    { path: "x.md", line: 12, code: "const c = 3;\n", ignored: true },
  ]);
});

Deno.test("findBlocks() reads only the doc comments of a source file", () => {
  const text = [
    "/**",
    " * Adds.",
    " *",
    ` * ${FENCE}ts`,
    " * add(1,",
    " *   2);",
    ` * ${FENCE}`,
    " */",
    "export function add() {}",
    `const s = "${FENCE}ts";`,
    "/* no doc comment",
    ` * ${FENCE}ts`,
    " */",
  ].join("\n");
  assertEquals(findBlocks("x.ts", text), [
    { path: "x.ts", line: 5, code: "add(1,\n  2);\n", ignored: false },
  ]);
});

Deno.test("absoluteImports() resolves relative imports against the file, and only those", () => {
  const code = 'import { a } from "../mod.ts";\nimport "npm:x";\nconst s = "./y.ts";\n';
  assertEquals(
    absoluteImports(code, "file:///p/docs/x.md"),
    'import { a } from "file:///p/mod.ts";\nimport "npm:x";\nconst s = "./y.ts";\n',
  );
});

Deno.test("impliedImport() imports what the example uses of its module and does not import", () => {
  const source =
    "export function add() {}\nexport const two = 2;\nexport class Unused {}\n/* x */\n" +
    "export interface Options {}\nfunction hidden() {}\n";
  const url = "file:///p/add.ts";
  assertEquals(
    impliedImport("const o: Options = {};\nadd(two); // Unused, hidden\n", source, url),
    'import { add, two, Options } from "file:///p/add.ts";\n',
  );
  assertEquals(impliedImport('import { add } from "./add.ts";\nadd(1);\n', source, url), "");
});
