import { assertEquals } from "@std/assert";
import { findFiles, ROOT } from "./tree.ts";

Deno.test("the README lists every example, and no other", () => {
  const folder = `${ROOT}examples/`;
  const programs = findFiles(folder, ".ts").filter((path) =>
    /new LamellarWorldBuilder\(\)|startSession\(/.test(Deno.readTextFileSync(folder + path))
  );
  const section = Deno.readTextFileSync(`${ROOT}README.md`).split("\n## ")
    .find((part) => part.startsWith("Examples\n"))!;
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  const listed = rows.flatMap((row) => {
    const names = [...row.split("|")[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    const room = names[0]!.includes("/") ? names[0]!.replace(/[^/]*$/, "") : "";
    return names.map((name) => name.includes("/") ? name : room + name);
  });
  assertEquals(listed.toSorted(), programs.toSorted());
});
