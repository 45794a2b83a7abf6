import { assert, assertEquals } from "@std/assert";
import { procFiles } from "./proc_file.ts";

Deno.test("procFiles() reads files of any length, folders and links, where there are some", () => {
  const { read, list, link } = procFiles()!;
  assert(read("self/stat")!.startsWith(`${Deno.pid} (`));
  const text = read("self/smaps")!;
  assert(text.length > 16 * 1024, `${text.length}`);
  assertEquals(text.split("\n").at(-1), "");
  assertEquals(read("self/no such file"), undefined);
  assert(list("self/task").includes(String(Deno.pid)));
  assertEquals(link("self/exe"), Deno.readLinkSync("/proc/self/exe"));
  assertEquals(link("self/no such link"), undefined);
  assertEquals([list("self/no such folder"), list("self/task").includes(".")], [[], false]);
});
