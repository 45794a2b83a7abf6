import { assertEquals, assertThrows } from "@std/assert";
import { absoluteSymbols, knowsMachine } from "./absolute_symbols.ts";

/** Reads the symbols as a loader does: from the dynamic section, through the hash table. */
function readSymbols(bytes: Uint8Array<ArrayBuffer>): Record<string, bigint> {
  const view = new DataView(bytes.buffer);
  const word = (at: number) => Number(view.getBigUint64(at, true));
  const headers = Array.from({ length: view.getUint16(56, true) }, (_, index) => {
    const at = word(32) + index * view.getUint16(54, true);
    return { type: view.getUint32(at, true), flags: view.getUint32(at + 4, true), at };
  });
  const dynamic = headers.find(({ type }) => type === 2)!;
  const entries = new Map<number, number>();
  for (let at = word(dynamic.at + 16); word(at) !== 0; at += 16) {
    entries.set(word(at), word(at + 8));
  }
  const [hash, names, symbols] = [4, 5, 6].map((tag) => entries.get(tag)!);
  assertEquals(view.getUint32(hash!, true), 1);
  const count = view.getUint32(hash! + 4, true);
  const found: Record<string, bigint> = {};
  for (let index = view.getUint32(hash! + 8, true); index !== 0;) {
    const at = symbols! + index * entries.get(11)!;
    const name = names! + view.getUint32(at, true);
    const end = bytes.indexOf(0, name);
    assertEquals([view.getUint8(at + 4), view.getUint16(at + 6, true)], [0x12, 0xfff1]);
    found[new TextDecoder().decode(bytes.subarray(name, end))] = view.getBigUint64(at + 8, true);
    index = view.getUint32(hash! + 12 + index * 4, true);
  }
  assertEquals(Object.keys(found).length, count - 1);
  assertEquals(names! + entries.get(10)!, bytes.length);
  return found;
}

const SYMBOLS = { sendmsg: 0x7f12_3456_789an, é: 1n, cqRead: 0xffff_ffff_ffff_fff0n };

Deno.test("absoluteSymbols() gives each symbol its value, in the form that a loader reads", () => {
  assertEquals(readSymbols(absoluteSymbols(SYMBOLS, "x86_64")), SYMBOLS);
  assertEquals(readSymbols(absoluteSymbols({ one: 2n }, "aarch64")), { one: 2n });
  const many = Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => [`symbol${index}`, BigInt(index) << 40n]),
  );
  assertEquals(readSymbols(absoluteSymbols(many, "x86_64")), many);
});

Deno.test("absoluteSymbols() names the machine and maps nothing that can be executed", () => {
  for (const [arch, machine] of [["x86_64", 62], ["aarch64", 183]] as const) {
    const bytes = absoluteSymbols(SYMBOLS, arch);
    const view = new DataView(bytes.buffer);
    assertEquals([...bytes.subarray(0, 7)], [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    assertEquals([view.getUint16(16, true), view.getUint16(18, true)], [3, machine]);
    for (let header = 0; header < 3; header++) {
      assertEquals(view.getUint32(64 + header * 56 + 4, true), 6);
    }
    // The segment that is loaded is the whole file, aligned to the largest page there is.
    assertEquals(view.getBigUint64(64 + 32, true), BigInt(bytes.length));
    assertEquals(view.getBigUint64(64 + 48, true), 0x10000n);
  }
  assertEquals([knowsMachine("x86_64"), knowsMachine("riscv64"), knowsMachine("toString")], [
    true,
    false,
    false,
  ]);
});

Deno.test("absoluteSymbols() refuses to write an object without symbols", () => {
  assertThrows(() => absoluteSymbols({}, "x86_64"), TypeError, "without symbols");
});

Deno.test("an object of absolute symbols makes functions at their addresses callable", () => {
  const { arch } = Deno.build;
  if (!knowsMachine(arch)) throw new Error(`no machine code for ${arch}`);
  const libc = Deno.dlopen("libc.so.6", {
    dlsym: { parameters: ["u64", "buffer"], result: "u64" },
  });
  const address = libc.symbols.dlsym(0n, new TextEncoder().encode("abs\0"));
  libc.close();
  const path = Deno.makeTempFileSync();
  Deno.writeFileSync(path, absoluteSymbols({ distance: address }, arch));
  const library = Deno.dlopen(path, { distance: { parameters: ["i32"], result: "i32" } });
  Deno.removeSync(path);
  assertEquals(library.symbols.distance(-7), 7);
  library.close();
});
