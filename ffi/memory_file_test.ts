import { assert, assertEquals } from "@std/assert";
import { MemoryFile } from "./memory_file.ts";
import { baseAddress } from "./native.ts";

const PAGE_BYTES = 65536;

Deno.test("a file in memory is opened by its path, as long as it is open", () => {
  const file = MemoryFile.create("lamellar_test")!;
  assert(file.write32(8, -7));
  const again = MemoryFile.open(file.path)!;
  assertEquals([again.bytes, again.read32(8), again.read32(12)], [12, -7, undefined]);
  assert(file.resize(PAGE_BYTES));
  assertEquals([again.bytes, again.read32(8), again.read32(12)], [PAGE_BYTES, -7, 0]);
  const { path } = file;
  file.close();
  assertEquals(MemoryFile.open(path), undefined);
  assertEquals(MemoryFile.open("1/fd/999"), undefined);
  again.close();
});

Deno.test("a file in memory is for its user only", () => {
  const file = MemoryFile.create("lamellar_test")!;
  assertEquals(Deno.statSync(`/proc/${file.path}`).mode! & 0o777, 0o600);
  file.close();
});

Deno.test("a file larger than the memory of the machine takes none before it is touched", () => {
  const file = MemoryFile.create("lamellar_test")!;
  assert(file.resize(2 ** 42) && file.map() !== 0n);
  file.close();
});

Deno.test("two WebAssembly memories over one file are the same memory", () => {
  const file = MemoryFile.create("lamellar_test")!;
  assert(file.resize(2 * PAGE_BYTES));
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

Deno.test("a length beyond the limit of files is refused, and ends nothing", async () => {
  const source = `
    import { MemoryFile } from "${new URL("./memory_file.ts", import.meta.url)}";
    const file = MemoryFile.create("lamellar_test");
    console.log(file.resize(1024), file.resize(2 ** 30));`;
  const limited = 'ulimit -f 200000; exec "$0" eval "$1"';
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", limited, Deno.execPath(), source],
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "true false\n");
});
