/**
 * A program as a user writes it: little of everything that the library exports, so that a check of
 * it under other options than ours sees all of its types. The gate checks it in a folder of its
 * own, beside the library and by URL; see `scripts/check_foreign.ts`.
 *
 * @module
 */

import {
  am,
  type AmContext,
  type AmHandle,
  type AmType,
  array,
  BlockedArch,
  bool,
  type ElementType,
  f64,
  f64Array,
  type Infer,
  LamellarError,
  type LamellarWorld,
  LamellarWorldBuilder,
  localAm,
  oneOf,
  oneSided,
  optional,
  region,
  RemoteError,
  type Schema,
  type SharedMemoryRegion,
  str,
  StridedArch,
  TimeoutError,
  tuple,
  u32,
  u64,
} from "../../mod.ts";

/** A schema of several kinds. */
const particle = {
  id: u64,
  at: tuple(f64, f64),
  mass: optional(f64),
  kind: oneOf("star", "planet"),
  tags: array(str),
  fixed: bool,
} as const;

/** What a handler gets of it. */
export interface Particle {
  id: number;
  at: [number, number];
  mass?: number | undefined;
  kind: "star" | "planet";
  tags: string[];
  fixed: boolean;
}

/** Weighs a particle; nothing of it needs a PE. */
export function weigh({ mass, at: [x, y], kind }: Particle): number {
  return (mass ?? (kind === "star" ? 10 : 1)) * Math.hypot(x, y);
}

const Weigh = am("Weigh", particle, (self: Infer<typeof particle>) => weigh(self));

const Name = am("Name", async ({ pe, words }: { pe: number; words: string[] }, lamellar) => {
  await lamellar.world.execAmPe(pe, Mark({ pe }));
  return words.join(" ");
});

/** An AM whose type stands there, as code that exports it writes it. */
export const Mark: AmType<{ pe: number }, number> = am(
  "Mark",
  { pe: u32 },
  ({ pe }: { pe: number }, lamellar: AmContext): number => pe + lamellar.currentPe,
);

const Sum = am("Sum", { numbers: f64Array }, ({ numbers }) => numbers.reduce((a, b) => a + b, 0));

const Count = am("Count", { flags: region("u32"), log: oneSided("f64") }, ({ flags, log }) => {
  log.putUnmanaged(0, 1.5);
  return flags.at(0);
});

const Fail = am("Fail", (_: null): never => {
  throw new TypeError("as asked");
});

/** Work that needs a world. */
async function useMessages(world: LamellarWorld): Promise<number> {
  const peer = (world.myPe + 1) % world.numPes;
  const one: AmHandle<number> = world.execAmPe(peer, Sum({ numbers: Float64Array.of(1, 2) }));
  const weights: number[] = await world.execAmAll(
    Weigh({ id: 1, at: [3, 4], mass: undefined, kind: "planet", tags: ["a"], fixed: false }),
    { timeoutMs: 10_000 },
  );
  const name: string = await world.execAmPe(peer, Name({ pe: 0, words: ["to", "be"] }));
  const log: string[] = [];
  const Note = localAm((text: string) => log.push(text));
  const noted = await world.execAmLocal(Note(name));
  const product = await world.execClosurePe(peer, (a: number, b: number) => a * b, [6, 7]);
  try {
    await world.execAmPe(peer, Fail(null), { signal: AbortSignal.timeout(10_000) });
  } catch (error) {
    if (error instanceof TimeoutError || !(error instanceof RemoteError)) throw error;
    log.push(`${error.code} ${error.pe ?? -1}: ${error.message}`);
  }
  return await one + weights.length + noted + product + log.length;
}

/** Allocates what the element type asks for. */
async function useMemory<E extends ElementType>(
  world: LamellarWorld,
  type: E,
): Promise<SharedMemoryRegion<E>> {
  const result = await world.tryAllocSharedMemRegion(type, 16);
  if ("error" in result) throw result.error;
  return result.region;
}

async function useRegions(world: LamellarWorld): Promise<void> {
  const peer = (world.myPe + 1) % world.numPes;
  using flags = await useMemory(world, "u32");
  using doubles = world.allocOneSidedMemRegion("f64", 4);
  using words = await world.allocSharedMemRegion("u64", 4);
  await flags.put(peer, 0, Uint32Array.of(7));
  await words.store(peer, 0, 3);
  const old: number = await words.fetchAdd(peer, 0, 1);
  const { ok } = await flags.compareExchange(peer, 1, 0, old === 3 ? 1 : 2);
  await flags.waitUntil(0, "==", 7, { timeoutMs: 10_000 });
  const part: Uint32Array = await flags.get(peer, 0, 2);
  const counted: number = await world.execAmPe(peer, Count({ flags, log: doubles }));
  await flags.batchAdd([0, 1, 2], Uint32Array.of(1, 1, 1));
  await world.asyncBarrier();
  console.log(ok, part.length, counted, doubles.at(0), flags.asSlice()[0]);
}

async function useTeams(world: LamellarWorld): Promise<void> {
  const even = await world.createTeamFromArch(
    new StridedArch(0, 2, Math.ceil(world.numPes / 2)),
  );
  if (even.isMember) await even.execAmAll(Mark({ pe: world.myPe }));
  const first = await world.createTeamFromArch(new BlockedArch(0, 1));
  console.log(even.getPes().length, first.numPes);
  await first.close();
  await even.close();
}

/** The program. */
export async function main(): Promise<void> {
  await using world = await new LamellarWorldBuilder().withHeapSize(1 << 20).build();
  try {
    const total = world.spawn(() => useMessages(world));
    await useRegions(world);
    await useTeams(world);
    console.log(await total);
  } catch (error) {
    if (error instanceof LamellarError) console.error(error.code, error.op ?? "");
    throw error;
  }
}

/** Schemas can be named by their type. */
export const numbers: Schema<Float64Array> = f64Array;
