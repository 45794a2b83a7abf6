import { assertEquals } from "@std/assert";
import { publishedFiles, reachable } from "./check_publish.ts";
import { ROOT } from "./tree.ts";

Deno.test("reachable() follows imports and the URLs of Workers, and no comments", () => {
  const files: Record<string, string> = {
    "mod.ts": 'export * from "./am/mod.ts";\n// import "./old.ts";\n * import "./shown.ts";\n',
    "am/mod.ts": 'new Worker(new URL("../life/boot.ts", import.meta.url));\nimport "./mod.ts";',
    "life/boot.ts": 'const later = await import("./late.ts");',
    "life/late.ts": "",
    "old.ts": "",
    "shown.ts": "",
  };
  assertEquals([...reachable(["mod.ts", "none.ts"], (path) => files[path])].sort(), [
    "am/mod.ts",
    "life/boot.ts",
    "life/late.ts",
    "mod.ts",
  ]);
});

Deno.test("publishedFiles() reads what a dry run says", () => {
  const output = `Simulating publish of @a/b@1.0.0 with files:
   file://${ROOT}LICENSE (1.48KB)
   file://${ROOT}am/call.ts (880B)
Warning Aborting due to --dry-run
`;
  assertEquals(publishedFiles(output), ["LICENSE", "am/call.ts"]);
});
