import { assert, assertEquals, assertRejects } from "@std/assert";
import { baseAddress } from "../../ffi/host.ts";
import { type Config, readConfig } from "../../internal/config.ts";
import { FeatureLevelError, HandshakeError } from "../../internal/errors.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import type { Bootstrap } from "../bootstrap/mod.ts";
import { Nonsense } from "../bootstrap/random_test.ts";
import { isFailing, readFailure, writeFailure } from "../local/failure_record.ts";
import { createMemory, HEADER } from "../local/layout.ts";
import { ProcessNetwork } from "../rofi/process_network.ts";
import { ShmemGroup } from "../shmem/shmem_group.ts";
import { joinBy } from "./join.ts";
import type { ProcessGroup } from "./process_group.ts";

/** What a process says and what becomes of it on its way: by round, sender, text. */
type Spoil = (round: number, rank: number, text: string) => string;

/** Bootstraps of processes that are all in this one. */
function bootstraps(size: number, spoil: Spoil = (_round, _rank, text) => text): Bootstrap[] {
  const rounds: { texts: string[]; all: PromiseWithResolvers<string[]> }[] = [];
  return Array.from({ length: size }, (_, rank) => {
    let round = 0;
    const one: Partial<Bootstrap> = {
      rank,
      size,
      job: "a job",
      agent: "other",
      exchange(text) {
        const at = round++;
        const { texts, all } = rounds[at] ??= { texts: [], all: Promise.withResolvers() };
        texts[rank] = spoil(at, rank, text);
        if (Object.keys(texts).length === size) all.resolve(texts);
        return all.promise;
      },
      enter() {},
      close: () => Promise.resolve(),
    };
    return one as Bootstrap;
  });
}

const CONFIG = { ...readConfig(() => undefined), heapBytes: 65536 };

function join(
  all: readonly Bootstrap[],
  config: Partial<Config> = {},
): Promise<ProcessGroup[]> {
  const wishes = { config: { ...CONFIG, ...config }, version: "1", pesPerProcess: 2 };
  return Promise.all(all.map((bootstrap) => joinBy(bootstrap, wishes)));
}

/** What becomes of processes: what carries their traffic, and which of them share memory. */
async function outcome(all: readonly Bootstrap[], config: Partial<Config> = {}) {
  const groups = await join(all, config);
  return groups.map((group) => {
    const name = group instanceof ShmemGroup ? "shmem" : "rofi";
    assert(name === "shmem" || group instanceof ProcessNetwork);
    return `${name} ${group.layout.host?.ranks ?? "alone"}`;
  });
}

/** A process that has come as far as to start its PEs. */
interface Started {
  readonly group: ProcessGroup;
  readonly views: MemoryViews;
}

async function start(size: number): Promise<Started[]> {
  const groups = await join(bootstraps(size));
  return await Promise.all(groups.map(async (group) => {
    const memory = createMemory(group.layout);
    group.adopt(memory);
    await group.open(memory);
    return { group, views: memoryViews(memory.buffer) };
  }));
}

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds() && performance.now() < end) await new Promise((wake) => setTimeout(wake, 5));
  assert(holds());
}

Deno.test("processes of one host share memory, in which each has what it had alone", async () => {
  const all = await start(3);
  const addresses = all.map(({ views }) => baseAddress(views.buffer));
  assertEquals(new Set(addresses).size, 3);
  for (const [rank, { group, views }] of all.entries()) {
    assertEquals([group.layout.firstPe, group.layout.host?.ranks], [2 * rank, [0, 1, 2]]);
    views.i32[HEADER.magic / 4] = rank;
  }
  assertEquals(all.map(({ views }) => views.i32[HEADER.magic / 4]), [0, 1, 2]);
  for (const { group } of all) await group.close();
});

Deno.test("a failure of one process is known to all, who need not report it", async () => {
  const all = await start(3);
  const [first, ...others] = all;
  assert(writeFailure(first!.group.layout, first!.views, 1, 7, "PE 1 failed: so it is"));
  assert(first!.group.tell());
  for (const { views } of others) {
    assert(isFailing(views));
    const record = { pe: 1, exitCode: 7, text: "PE 1 failed: so it is", far: true };
    assertEquals(readFailure(views), record);
  }
  assertEquals(readFailure(first!.views).far, false);
  for (const { group } of all) await group.close();
});

Deno.test("a process that gives no sign of life any more ends the job", async () => {
  const all = await start(2);
  await all[1]!.group.close();
  await until(() => isFailing(all[0]!.views));
  const { text } = readFailure(all[0]!.views);
  assert(/^PEs 2 to 3 on \S+ gave no sign of life for 3 s$/.test(text), text);
  await all[0]!.group.close();
});

Deno.test("nothing moves in a job for as long as in the process that moved last", async () => {
  const all = await start(3);
  all[0]!.group.shareStalled(50_000);
  all[1]!.group.shareStalled(20_000);
  const least = all[2]!.group.shareStalled(90_000);
  assert(least >= 20_000 && least < 21_000, `${least}`);
  for (const { group } of all) await group.close();
});

/** Gives a process something else to say in its greeting. */
function saying(rank: number, said: Record<string, unknown>): Spoil {
  return (round, who, text) =>
    round > 0 || who !== rank ? text : JSON.stringify({ ...JSON.parse(text), ...said });
}

const REFUSED: readonly { name: string; spoil: Spoil; told: RegExp }[] = [
  {
    name: "are on several hosts",
    spoil: saying(1, { host: "n2" }),
    told: /^Cannot use the shmem lamella: the processes are on 2 hosts; use LAMELLAR_BACKEND=rofi$/,
  },
  {
    name: "have one that cannot make files in memory",
    spoil: (round, rank, text) => round === 1 && rank === 1 ? "1" : text,
    told: /shmem lamella: PEs 2 to 3 cannot make files in memory \(that needs Linux, --allow-ffi/,
  },
  {
    name: "have one whose memory is another's",
    spoil: saying(1, { memory: `${Deno.pid}/fd/0` }),
    told: /shmem lamella: PEs 0 to 1 cannot open the memory of PEs 2 to 3; use/,
  },
  {
    name: "have one that says a path of its own",
    spoil: saying(1, { memory: "../etc/passwd" }),
    told: /shmem lamella: PEs 0 to 1 cannot open the memory of PEs 2 to 3; use/,
  },
];

for (const { name, spoil, told } of REFUSED) {
  Deno.test(`processes that ${name} all do without shared memory`, async () => {
    assertEquals(await outcome(bootstraps(2, spoil)), ["rofi alone", "rofi alone"]);
    const all = bootstraps(2, spoil).map((one) => join([one], { backend: "shmem" }));
    for (const one of all) {
      const error = await assertRejects(() => one, FeatureLevelError);
      assert(told.test(error.message), error.message);
    }
  });
}

Deno.test("processes do without shared memory that is more than one of them maps", async () => {
  const heapBytes = 5 * 2 ** 30;
  assertEquals(await outcome(bootstraps(2), { heapBytes }), ["rofi alone", "rofi alone"]);
  await assertRejects(
    () => join(bootstraps(2), { heapBytes, backend: "shmem" }),
    FeatureLevelError,
    "one process maps at most 17179869184; use LAMELLAR_BACKEND=rofi",
  );
});

Deno.test("processes of one host share memory, unless something else is asked for", async () => {
  const cases: [Partial<Config>, string][] = [
    [{}, "shmem 0,1"],
    [{ backend: "shmem" }, "shmem 0,1"],
    [{ backend: "rofi" }, "rofi alone"],
    [{ provider: "tcp" }, "rofi alone"],
    [{ provider: "shm" }, "rofi 0,1"],
    [{ provider: "shm", shareMemory: false }, "rofi alone"],
    [{ domain: "eth0" }, "rofi alone"],
    [{ shareMemory: false }, "rofi alone"],
    [{ shareMemory: true }, "shmem 0,1"],
    [{ shareMemory: true, provider: "tcp" }, "rofi 0,1"],
  ];
  for (const [config, expected] of cases) {
    assertEquals(await outcome(bootstraps(2), config), [expected, expected]);
  }
});

Deno.test("processes share memory with those of their host, where there are several", async () => {
  const hosts = ["n1", "n2", "n1", "n2", "n1"];
  const spoil: Spoil = (round, rank, text) => {
    return round > 0 ? text : JSON.stringify({ ...JSON.parse(text), host: hosts[rank] });
  };
  const shared = ["rofi 0,2,4", "rofi 1,3", "rofi 0,2,4", "rofi 1,3", "rofi 0,2,4"];
  const alone = hosts.map(() => "rofi alone");
  assertEquals(await outcome(bootstraps(5, spoil)), shared);
  assertEquals(await outcome(bootstraps(5, spoil), { provider: "tcp" }), shared);
  assertEquals(await outcome(bootstraps(5, spoil), { shareMemory: false }), alone);
  // Heaps lie alike in all, however many processes a host has.
  const groups = await join(bootstraps(5, spoil));
  assertEquals(new Set(groups.map(({ layout }) => layout.open)).size, 1);
  assertEquals(groups.map(({ layout }) => [0, 1, 2, 3, 4].map((r) => layout.placeOf[r] ?? -1)), [
    [0, -1, 1, -1, 2],
    [-1, 0, -1, 1, -1],
    [1, -1, 0, -1, 2],
    [-1, 1, -1, 0, -1],
    [1, -1, 2, -1, 0],
  ]);
});

Deno.test("processes do without shared memory that has no room for their rings", async () => {
  const spoil: Spoil = (round, rank, text) =>
    round > 0 ? text : JSON.stringify({ ...JSON.parse(text), host: rank < 2 ? "n1" : "n2" });
  const config = { ringBytes: 32 * 2 ** 20 };
  const alone = Array.from({ length: 4 }, () => "rofi alone");
  assertEquals(await outcome(bootstraps(4, spoil), config), alone);
  await assertRejects(
    () => join(bootstraps(4, spoil), { ...config, shareMemory: true }),
    FeatureLevelError,
    "Cannot share memory: Cannot use rings of 33554432 bytes with 8 PEs",
  );
});

Deno.test("processes that differ are told so before anything is shared", async () => {
  const spoil: Spoil = (_round, rank, text) =>
    rank === 0 ? text : JSON.stringify({ ...JSON.parse(text), version: "2", provider: "tcp" });
  const error = await assertRejects(() => join(bootstraps(2, spoil)), HandshakeError);
  assert(error.message.includes("has Lamellar 2, rank 0"), error.message);
  assert(error.message.includes("has provider tcp, rank 0"), error.message);
});

Deno.test("spoilt greetings are read or refused, and nothing else happens", async () => {
  const nonsense = new Nonsense();
  const spoil: Spoil = (round, rank, text) => round > 0 || rank === 0 ? text : nonsense.spoil(text);
  let refused = 0;
  for (let i = 0; i < 1000; i++) {
    try {
      await join(bootstraps(2, spoil));
    } catch (error) {
      assert(error instanceof HandshakeError, `seed ${nonsense.seed}: ${error}`);
      refused++;
    }
  }
  assert(refused > 100, `${refused} refused`);
});
