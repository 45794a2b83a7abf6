/**
 * A shared object that contains nothing but symbols with absolute values. Opened by `Deno.dlopen`,
 * it gives functions at known addresses the fast way of calling, 6 to 21 ns, where a call through
 * `Deno.UnsafeFnPointer` costs 1000 to 3000 ns.
 *
 * The object has no code and no section table: the loader needs only the program headers, the
 * dynamic section, the hash table, the symbols and their names. The GNU C library from 2.28 on
 * gives the value of a symbol in `SHN_ABS` as it stands; see elf(5) and the System V ABI.
 *
 * @module
 */

/** Machine codes of elf(5). */
const MACHINES = { x86_64: 62, aarch64: 183 } as const;

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SYMBOL_BYTES = 24;

const ET_DYN = 3;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_GNU_STACK = 0x6474e551;
const PF_READ_WRITE = 6;
const DT_NULL = 0n;
const DT_HASH = 4n;
const DT_STRTAB = 5n;
const DT_SYMTAB = 6n;
const DT_STRSZ = 10n;
const DT_SYMENT = 11n;
const STB_GLOBAL_STT_FUNC = 0x12;
const SHN_ABS = 0xfff1;

/** The largest page of the machines: the loader refuses a segment that is aligned to less. */
const PAGE_BYTES = 0x10000n;

/** Where the parts of the object stand, in bytes from its start. */
interface Layout {
  readonly dynamic: number;
  readonly hash: number;
  readonly symbols: number;
  readonly names: number;
  readonly end: number;
}

/**
 * Says whether there is a machine code for this machine.
 *
 * @param arch The machine, as `Deno.build.arch` has it
 * @returns Whether {@linkcode absoluteSymbols} can be used
 */
export function knowsMachine(arch: string): arch is keyof typeof MACHINES {
  return Object.hasOwn(MACHINES, arch);
}

/**
 * Writes the shared object.
 *
 * @param symbols The value of each symbol by its name
 * @param arch The machine
 * @returns The bytes of an ELF64 file
 * @throws {TypeError} If there are no symbols
 */
export function absoluteSymbols(
  symbols: Readonly<Record<string, bigint>>,
  arch: keyof typeof MACHINES,
): Uint8Array<ArrayBuffer> {
  const names = Object.keys(symbols);
  if (names.length === 0) throw new TypeError("Cannot write a shared object without symbols");
  const text = new TextEncoder().encode(`\0${names.map((name) => `${name}\0`).join("")}`);
  const layout = layOut(names.length, text.length);
  const bytes = new Uint8Array(layout.end);
  const view = new DataView(bytes.buffer);
  bytes.set(text, layout.names);
  writeHeaders(view, layout, MACHINES[arch]);
  writeDynamic(view, layout, text.length);
  writeHash(view, layout.hash, names.length);
  let name = 1;
  names.forEach((symbol, index) => {
    // The first entry is the null symbol.
    const at = layout.symbols + (index + 1) * SYMBOL_BYTES;
    view.setUint32(at, name, true);
    view.setUint8(at + 4, STB_GLOBAL_STT_FUNC);
    view.setUint16(at + 6, SHN_ABS, true);
    view.setBigUint64(at + 8, symbols[symbol]!, true);
    name += new TextEncoder().encode(symbol).length + 1;
  });
  return bytes;
}

function layOut(count: number, nameBytes: number): Layout {
  const dynamic = HEADER_BYTES + 3 * PROGRAM_HEADER_BYTES;
  const hash = dynamic + 6 * 16;
  // Two counts, one bucket, and a link for each symbol, rounded up to whole words of 64 bits.
  const symbols = hash + Math.ceil((4 * (3 + count + 1)) / 8) * 8;
  const names = symbols + (count + 1) * SYMBOL_BYTES;
  return { dynamic, hash, symbols, names, end: names + nameBytes };
}

function writeHeaders(view: DataView, layout: Layout, machine: number): void {
  // 64 bits, little endian, version 1.
  for (const [at, byte] of [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1].entries()) view.setUint8(at, byte);
  view.setUint16(16, ET_DYN, true);
  view.setUint16(18, machine, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(32, BigInt(HEADER_BYTES), true);
  view.setUint16(52, HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, 3, true);
  view.setUint16(58, 64, true);
  const dynamicBytes = layout.hash - layout.dynamic;
  // Writable, because the loader puts addresses into the dynamic section; nothing is executable.
  writeSegment(view, 0, PT_LOAD, 0, layout.end, PAGE_BYTES);
  writeSegment(view, 1, PT_DYNAMIC, layout.dynamic, dynamicBytes, 8n);
  writeSegment(view, 2, PT_GNU_STACK, 0, 0, 16n);
}

function writeSegment(
  view: DataView,
  index: number,
  type: number,
  from: number,
  bytes: number,
  align: bigint,
): void {
  const at = HEADER_BYTES + index * PROGRAM_HEADER_BYTES;
  view.setUint32(at, type, true);
  view.setUint32(at + 4, PF_READ_WRITE, true);
  for (const field of [8, 16, 24]) view.setBigUint64(at + field, BigInt(from), true);
  for (const field of [32, 40]) view.setBigUint64(at + field, BigInt(bytes), true);
  view.setBigUint64(at + 48, align, true);
}

function writeDynamic(view: DataView, layout: Layout, nameBytes: number): void {
  const entries: readonly (readonly [bigint, number])[] = [
    [DT_HASH, layout.hash],
    [DT_STRTAB, layout.names],
    [DT_SYMTAB, layout.symbols],
    [DT_STRSZ, nameBytes],
    [DT_SYMENT, SYMBOL_BYTES],
    [DT_NULL, 0],
  ];
  entries.forEach(([tag, value], index) => {
    view.setBigUint64(layout.dynamic + index * 16, tag, true);
    view.setBigUint64(layout.dynamic + index * 16 + 8, BigInt(value), true);
  });
}

/** One bucket that chains all symbols: they are looked up once, so no hash need be computed. */
function writeHash(view: DataView, at: number, count: number): void {
  view.setUint32(at, 1, true);
  view.setUint32(at + 4, count + 1, true);
  view.setUint32(at + 8, 1, true);
  for (let symbol = 1; symbol < count; symbol++) {
    view.setUint32(at + 12 + symbol * 4, symbol + 1, true);
  }
}
