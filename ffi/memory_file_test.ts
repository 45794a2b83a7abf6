import { assert, assertEquals } from "@std/assert";
import { MemoryFile } from "./memory_file.ts";
import { baseAddress } from "./native.ts";

const PAGE_BYTES = 65536;

Deno.test("a file in memory is opened by its path, as long as it is open and is that long", () => {
  const file = MemoryFile.create("lamellar_test", PAGE_BYTES)!;
  assert(file.write32(8, -7));
  const again = MemoryFile.open(file.path, PAGE_BYTES)!;
  assertEquals([again.read32(8), again.read32(12), again.read32(PAGE_BYTES)], [-7, 0, undefined]);
  assertEquals(MemoryFile.open(file.path, 2 * PAGE_BYTES), undefined);
  const { path } = file;
  file.close();
  assertEquals(MemoryFile.open(path, PAGE_BYTES), undefined);
  assertEquals(MemoryFile.open("1/fd/999", PAGE_BYTES), undefined);
  again.close();
});

Deno.test("a file larger than the memory of the machine takes none before it is touched", () => {
  const file = MemoryFile.create("lamellar_test", 2 ** 42)!;
  assert(file.map() !== 0n);
  file.close();
});

Deno.test("two WebAssembly memories over one file are the same memory", () => {
  const file = MemoryFile.create("lamellar_test", 2 * PAGE_BYTES)!;
  const views = [0, 1].map((page) => {
    const memory = new WebAssembly.Memory({ initial: 3, maximum: 3, shared: true });
    const at = baseAddress(memory.buffer) + BigInt(page * PAGE_BYTES);
    assert(file.mapAt(at, 0, 2 * PAGE_BYTES));
    return new Int32Array(memory.buffer, page * PAGE_BYTES, 2 * PAGE_BYTES / 4);
  });
  file.close();
  views[0]![5] = 42;
  Atomics.add(views[1]!, 5, 1);
  assertEquals(Atomics.load(views[0]!, 5), 43);
});
