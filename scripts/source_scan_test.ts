import { assertEquals } from "@std/assert";
import { findImports, maskSource } from "./source_scan.ts";

function specifiers(source: string): string[] {
  return findImports(source).map((found) => found.specifier);
}

Deno.test("findImports() finds every form of import and re-export, with its line", () => {
  const source = `import { a,
  b } from "./a.ts";
import "./effect.ts";
import type { T } from './types.ts';
export * from "./all.ts";
export { x as y } from "./x.ts";
const late = await import("./late.ts");
const wrapped = import(
  "./wrapped.ts"
);`;
  assertEquals(findImports(source), [
    { specifier: "./a.ts", line: 2 },
    { specifier: "./effect.ts", line: 3 },
    { specifier: "./types.ts", line: 4 },
    { specifier: "./all.ts", line: 5 },
    { specifier: "./x.ts", line: 6 },
    { specifier: "./late.ts", line: 7 },
    { specifier: "./wrapped.ts", line: 8 },
  ]);
});

Deno.test("findImports() is not misled by comments, texts, templates and Array.from", () => {
  assertEquals(
    specifiers(`
// import "./comment.ts";
/* import "./block.ts"; */
/** \`\`\`ts
 * import { am } from "../mod.ts";
 * \`\`\` */
const text = 'import "./text.ts"', other = "from \\"./other.ts\\"";
const source = \`import "./template.ts";\`;
const list = Array.from("abc");
const pattern = /import "x"/;
import "./real.ts";
`),
    ["./real.ts"],
  );
});

Deno.test("findImports() sees the code inside a template's substitutions", () => {
  assertEquals(
    specifiers("const t = `${{ x: await import('./in.ts') }.x} import './o.ts' ${`}`}`;"),
    ["./in.ts"],
  );
});

Deno.test("maskSource() keeps length and lines, and tells division from patterns", () => {
  const source = "const a = b / c; // it's\nconst r = /[/'\"]+/g.test(d) / 2;\nfoo('x\\'y');\n";
  const masked = maskSource(source);
  assertEquals(masked.length, source.length);
  assertEquals(
    masked,
    "const a = b / c;        \nconst r = /      /g.test(d) / 2;\nfoo('    ');\n",
  );
});
