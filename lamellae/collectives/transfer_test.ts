import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.11.0";
import { COLLECTIVE_SLOTS, rowPlace } from "../../internal/collective_area.ts";
import { type ElementOpInfo, opsOf } from "../../internal/element_ops.ts";
import { type ElementInfo, ELEMENTS, type TypedArrayLike } from "../../internal/elements.ts";
import { randomizer } from "../../internal/kernels_test_bench.ts";
import { PES_MAX } from "../../internal/limits.ts";
import type { PeGroup } from "./group.ts";
import type { Collective } from "./operation.ts";
import { PeGroups } from "./groups.ts";
import { localPes, type Pe, settle } from "../pes_test.ts";
import { exchange, prefix, reduction, spread } from "./kinds.ts";
import { LENGTHS_MAX } from "./head.ts";
import type { Transfer } from "./transfer.ts";
import { newSeed } from "../../internal/random_test_numbers.ts";

type Random = (below: number) => number;
type Bytes = Uint8Array;

/** A PE with the group of all. */
interface Member extends Pe {
  readonly groups: PeGroups;
  readonly group: PeGroup;
}

/**
 * PEs whose memory is one, of which those of other hosts are far all the same: what one gets from
 * there is copied as late as possible, when this PE has looked for it often enough.
 */
function members(hosts: readonly number[], random: Random): Member[] {
  const partners = 1 + random(3);
  return localPes(hosts.length, 4096, 1 << 22).pes.map((pe, me) => {
    pe.progress.close();
    const { lamella } = pe.progress;
    const open = new Map<number, { looks: number; copy: () => void }>();
    let tickets = 0;
    Object.assign(lamella, {
      isNear: (other: number) => hosts[other] === hosts[me],
      get(other: number, offset: number, target: number, bytes: number) {
        assert(hosts[other] !== hosts[me], "near memory is read directly");
        const from = lamella.address(other, offset);
        const copy = (): void => lamella.kernels.copy(target, from, bytes);
        open.set(++tickets, { looks: random(4), copy });
        return tickets;
      },
      isPending(ticket: number) {
        const get = open.get(ticket);
        assert(get, "a ticket is not asked for again once it is done");
        if (get.looks-- > 0) return true;
        get.copy();
        open.delete(ticket);
        return false;
      },
    });
    const groups = new PeGroups(pe.progress);
    return { ...pe, groups, group: groups.world(partners) };
  });
}

/**
 * Steps the PEs in random order until all collectives are over. A PE for which one is over uses the
 * memory at once: its area for other collectives, and what it has contributed.
 */
function run(
  all: readonly Member[],
  collectives: readonly Collective[],
  random: Random,
  sources: readonly Bytes[] = [],
): void {
  const over = all.map(() => false);
  for (let steps = 0; collectives.some(({ done }) => !done); steps++) {
    const failure = all[0]!.lamella.failure();
    if (failure) throw failure;
    assert(steps < 200_000, "the PEs never come to rest");
    const pe = random(all.length);
    all[pe]!.progress.step();
    if (over[pe] || collectives.length > all.length || !collectives[pe]!.done) continue;
    over[pe] = true;
    const { lamella } = all[pe]!;
    const area = lamella.address(pe, lamella.collectiveOffset);
    // The first slot, which they have used.
    const [begin, end] = [0, 1].map((slot) => area + rowPlace(all.length, slot, 0));
    lamella.views.u8.fill(0xee, begin, end);
    sources[pe]?.fill(0xee);
  }
  settle(all);
}

/** As a program's array, or in the heap of the PE. */
function placed(member: Member, bytes: Bytes, inHeap: boolean): Bytes {
  if (!inHeap || bytes.length === 0) return bytes;
  const { heap, pe, views } = member.lamella;
  const at = member.lamella.address(pe, heap.allocate(bytes.length));
  views.u8.set(bytes, at);
  return views.u8.subarray(at, at + bytes.length);
}

/** Compares bytes; a report of all that differ would be as long as they are. */
function assertBytes(got: Bytes | undefined, expected: Bytes | undefined, about: string): void {
  assertEquals(got?.length, expected?.length, about);
  const at = got?.findIndex((byte, i) => byte !== expected![i]) ?? -1;
  assertEquals(at, -1, `${about}: byte ${at} of ${got?.length} differs`);
}

function assertLists(got: readonly Bytes[], expected: readonly Bytes[], about: string): void {
  assertEquals(got.length, expected.length, about);
  expected.forEach((bytes, place) => assertBytes(got[place], bytes, `${about} from ${place}`));
}

function randomBytes(length: number, random: Random): Bytes {
  return Uint8Array.from({ length }, () => random(256));
}

/** Parts that are apart, or follow each other in a program's array or in the heap. */
function partsIn(member: Member, lengths: readonly number[], random: Random): Bytes[] {
  const form = random(3);
  if (form === 0) return lengths.map((length) => randomBytes(length, random));
  const length = lengths.reduce((sum, length) => sum + length, 0);
  const whole = placed(member, randomBytes(length, random), form === 1);
  let end = 0;
  return lengths.map((length) => whole.subarray(end, end += length));
}

const LENGTHS = [0, 1, 7, 500, 504, 505, 8000, 131_072, 131_073, 300_001];

/** Random hosts of up to 8 PEs: often one, or one PE each. */
function randomHosts(random: Random): number[] {
  const pes = 1 + random(8);
  const count = [1, 2, 3, pes][random(4)]!;
  return Array.from({ length: pes }, () => random(count));
}

/**
 * Checks a property of random cases. What a case is, `draw` decides, so that a case that fails is
 * made smaller; what fills it, and in which order the PEs run, comes from `noise`.
 */
function checked(name: string, runs: number, check: (draw: Random, noise: Random) => void): void {
  Deno.test(name, () => {
    const property = fc.property(fc.gen(), fc.nat(), (gen, seed) => {
      check((below) => gen(fc.nat, { max: below - 1 }), randomizer(seed));
    });
    fc.assert(property, { numRuns: runs, seed: newSeed() });
  });
}

checked("Everybody, or one PE, gets what each contributes", 30, (draw, noise) => {
  const hosts = randomHosts(draw);
  const all = members(hosts, noise);
  const reader = draw(3) === 0 ? draw(all.length) : undefined;
  const only = draw(3) === 0 ? draw(all.length) : undefined;
  const sources = all.map((member, place) => {
    const length = only === undefined || only === place ? LENGTHS[draw(LENGTHS.length)]! : 0;
    return placed(member, randomBytes(length, noise), draw(3) === 0);
  });
  const expected = sources.map((bytes) => bytes.slice());
  const got = all.map((): Bytes[] => []);
  const collectives = all.map(({ group, groups }, me) => {
    const targetOf = (place: number, length: number, meaning: number): Bytes => {
      assertEquals(meaning, place);
      return got[me]![place] = new Uint8Array(length);
    };
    const transfer = spread({ source: sources[me]!, meaning: me, reader, me, targetOf });
    return groups.transfers.call(group, "gather", "", transfer);
  });
  run(all, collectives, noise, sources);
  got.forEach((list, me) => {
    assertLists(list, reader === undefined || reader === me ? expected : [], `PE ${me}`);
  });
});

checked("Each PE gets its part of what each contributes", 30, (draw, noise) => {
  const hosts = randomHosts(draw);
  const all = members(hosts, noise);
  const giver = draw(3) === 0 ? draw(all.length) : undefined;
  const lengths = [0, 1, 60, 500, 20_000, 70_001];
  const parts = all.map((_, place) =>
    giver !== undefined && giver !== place
      ? undefined
      : partsIn(all[place]!, all.map(() => lengths[draw(lengths.length)]!), noise)
  );
  const given = parts.map((list) => list?.map((part) => part.slice()));
  const got = all.map((): Bytes[] => []);
  const collectives = all.map(({ group, groups }, me) => {
    const targetOf = (place: number, length: number, meaning: number): Bytes => {
      assertEquals(meaning, 7);
      return got[me]![place] = new Uint8Array(length);
    };
    const transfer = exchange({ parts: parts[me], meaning: 7, me, targetOf });
    return groups.transfers.call(group, "allToAll", "", transfer);
  });
  run(all, collectives, noise);
  got.forEach((list, me) => {
    assertLists(list, given.map((parts) => parts?.[me] ?? new Uint8Array(0)), `PE ${me}`);
  });
});

checked("So it does with more PEs than a head has room to tell of", 2, (draw, noise) => {
  const hosts = Array.from({ length: LENGTHS_MAX + 1 + draw(8) }, () => draw(2));
  const all = members(hosts, noise);
  const parts = all.map(() => all.map(() => randomBytes(draw(40), noise)));
  const got = all.map((): Bytes[] => []);
  const collectives = all.map(({ group, groups }, me) => {
    const targetOf = (place: number, length: number): Bytes =>
      got[me]![place] = new Uint8Array(length);
    const transfer = exchange({ parts: parts[me], meaning: 0, me, targetOf });
    return groups.transfers.call(group, "allToAll", "", transfer);
  });
  run(all, collectives, noise);
  got.forEach((list, me) => assertLists(list, parts.map((given) => given[me]!), `PE ${me}`));
});

checked("One PE collects from as many hosts as there may be PEs", 1, (draw, noise) => {
  const all = members(Array.from({ length: PES_MAX }, (_, place) => place), noise);
  const reader = draw(all.length);
  const sources = all.map((_, place) => randomBytes(place % 50 === 0 ? 600 : 3, noise));
  const got: Bytes[] = [];
  const collectives = all.map(({ group, groups }, me) => {
    const targetOf = (place: number, length: number): Bytes => got[place] = new Uint8Array(length);
    const transfer = spread({ source: sources[me]!, meaning: 0, reader, me, targetOf });
    return groups.transfers.call(group, "gather", "", transfer);
  });
  run(all, collectives, noise);
  assertLists(got, sources, "gathered");
});

type Values = TypedArrayLike<number | bigint>;

function valuesOver({ arrayClass }: ElementInfo, bytes: Bytes): Values {
  const { buffer, byteOffset, length } = bytes;
  const count = length / arrayClass.BYTES_PER_ELEMENT;
  return new arrayClass(buffer, byteOffset, count) as Values;
}

function randomValues(info: ElementInfo, length: number, random: Random): Bytes {
  const bytes = randomBytes(length * info.bytes, random);
  if (info.kind !== "float") return bytes;
  const values = valuesOver(info, bytes);
  for (let i = 0; i < length; i++) values[i] = random(2 ** 20) / 64 - 4000;
  return bytes;
}

/** Combines two arrays as JavaScript would, with the array's own rounding. */
function combine(op: ElementOpInfo, into: Values, other: Values): void {
  const imul = op.name === "mul" && into.byteLength === 4 * into.length && !isFloat(into);
  for (let i = 0; i < into.length; i++) {
    const [a, b] = [into[i] as number, other[i] as number];
    const results: Record<string, number> = {
      add: a + b,
      mul: imul ? Math.imul(a, b) : a * b,
      min: a < b ? a : b,
      max: a > b ? a : b,
    };
    into[i] = results[op.name] ?? (op.name === "and" ? a & b : op.name === "or" ? a | b : a ^ b);
  }
}

function isFloat(values: Values): boolean {
  return values instanceof Float64Array || values instanceof Float32Array;
}

/** In the order that is promised: first the PEs of each host, then the hosts. */
function reduced(
  info: ElementInfo,
  op: ElementOpInfo,
  sources: readonly Bytes[],
  hosts: readonly number[],
): Bytes {
  const partials = [...new Set(hosts)].map((host) => {
    const [first, ...others] = sources.filter((_, place) => hosts[place] === host);
    const sum = first!.slice();
    for (const other of others) combine(op, valuesOver(info, sum), valuesOver(info, other.slice()));
    return sum;
  });
  const [total, ...others] = partials;
  for (const other of others) combine(op, valuesOver(info, total!), valuesOver(info, other));
  return total!;
}

const REDUCED = ELEMENTS.filter(({ type, memory }) => type === memory);

checked("Reductions have the bits of their order, wherever PEs are", 60, (draw, noise) => {
  const hosts = randomHosts(draw);
  const all = members(hosts, noise);
  const info = REDUCED[draw(REDUCED.length)]!;
  const ops = opsOf(info).filter(({ reduction }) => reduction);
  const op = ops[draw(ops.length)]!;
  const counts = all.map(() => draw(4) === 0 ? 0 : draw(40_000));
  const form = draw(3);
  const to = form === 0 ? "all" : form === 1 ? draw(all.length) : counts;
  const short = [1, 2, 63, 8000, 16_384, 50_001][draw(6)]!;
  const length = typeof to === "object" ? counts.reduce((a, b) => a + b) : short;
  const sources = all.map((member) =>
    placed(member, randomValues(info, length, noise), draw(3) === 0)
  );
  const result = reduced(info, op, sources.map((bytes) => bytes.slice()), hosts);
  const inPlace = to === "all" && draw(2) === 0;
  const targets = sources.map((source, me) => {
    if (inPlace) return source;
    if (typeof to === "number" && to !== me) return undefined;
    return new Uint8Array(typeof to === "object" ? to[me]! * info.bytes : source.length);
  });
  const collectives = all.map(({ group, groups, lamella }, me) =>
    groups.transfers.call(
      group,
      "reduce",
      "",
      reduction(lamella, { info, op, source: sources[me]!, target: targets[me], to, me }),
    )
  );
  run(all, collectives, noise, inPlace ? [] : sources);
  let start = 0;
  targets.forEach((target, me) => {
    const end = start + (typeof to === "object" ? to[me]! * info.bytes : result.length);
    const expected = result.subarray(start, end);
    if (typeof to === "object") start = end;
    if (target) assertBytes(target, expected, `${info.type} ${op.name} PE ${me}`);
  });
});

checked("Scans combine the PEs in their order", 30, (draw, noise) => {
  const hosts = randomHosts(draw);
  const all = members(hosts, noise);
  const info = REDUCED[draw(REDUCED.length)]!;
  const ops = opsOf(info).filter(({ reduction }) => reduction);
  const op = ops[draw(ops.length)]!;
  const length = [1, 2, 63, 8000, 16_384, 50_001][draw(6)]!;
  const exclusive = draw(2);
  const sources = all.map((member) =>
    placed(member, randomValues(info, length, noise), draw(3) === 0)
  );
  const copies = sources.map((bytes) => bytes.slice());
  const targets = sources.map(({ length }) => new Uint8Array(length));
  const collectives = all.map(({ group, groups, lamella }, me) => {
    const job = { info, op, source: sources[me]!, target: targets[me]!, upTo: me - exclusive };
    return groups.transfers.call(group, "scan", "", prefix(lamella, job));
  });
  run(all, collectives, noise, sources);
  targets.forEach((target, me) => {
    const before = copies.slice(0, me + 1 - exclusive);
    const expected = before.length === 0
      ? new Uint8Array(target.length)
      : reduced(info, op, before.map((bytes) => bytes.slice()), before.map(() => 0));
    assertBytes(target, expected, `${info.type} ${op.name} PE ${me}`);
  });
});

checked("Several at once overlap, also where a PE has no slot left", 10, (draw, noise) => {
  const all = members(randomHosts(draw), noise);
  const info = REDUCED.find(({ type }) => type === "i32")!;
  const op = opsOf(info).find(({ reduction }) => reduction?.name === "sum")!;
  // Others have taken the slots of a PE.
  const { group, groups, lamella } = all[draw(all.length)]!;
  const others = COLLECTIVE_SLOTS - [0, 1, 8, 10][draw(4)]!;
  for (let i = 0; i < others; i++) groups.transfers.slots.take({} as PeGroup, 0, true);
  assert(group && lamella);
  const targets = all.map((): Bytes[] => []);
  const lengths = Array.from({ length: 1 + draw(12) }, () => 1 + draw(3000));
  const collectives = all.flatMap(({ group, groups, lamella }, me) =>
    lengths.map((length, i) => {
      const source = new Uint8Array(new Int32Array(length).fill(me + i).buffer);
      const target = targets[me]![i] = new Uint8Array(4 * length);
      const transfer: Transfer = reduction(lamella, { info, op, source, target, to: "all", me });
      return groups.transfers.call(group, "allReduce", `${length}`, transfer);
    })
  );
  run(all, collectives, noise);
  const sum = all.length * (all.length - 1) / 2;
  for (const list of targets) {
    list.forEach((bytes, i) => {
      const expected = new Int32Array(lengths[i]!).fill(sum + i * all.length);
      assertBytes(bytes, new Uint8Array(expected.buffer), `sum ${i}`);
    });
  }
});
