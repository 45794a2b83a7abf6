import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { LamellarError, PeFailedError, RemoteError } from "../internal/errors.ts";
import { Pes } from "../memregion/pes_test.ts";
import type { SharedMemoryRegion } from "../memregion/mod.ts";
import type { AmContext } from "./context.ts";
import { AmEngine } from "./engine.ts";
import { AmCall, type AmDefinition } from "./call.ts";

/** The engine of PE 0, and a region of which PE 1 in another process has a part. */
function setUp(): { pes: Pes; engine: AmEngine; region: SharedMemoryRegion<"u32"> } {
  const seed = Number(Deno.env.get("TEST_SEED") ?? Date.now() % 2 ** 31);
  const pes = new Pes(2, 1 << 20, { pesPerProcess: 1, seed });
  const { progress, regions } = pes.all[0]!;
  const engine = new AmEngine({
    progress,
    thresholdBytes: 1024,
    closuresAllowed: false,
    definitions: [],
    context: {} as AmContext,
    makeFinishContext: (base) => base,
    decodeContext: {},
  });
  regions.countWith(engine);
  const [region] = pes.allocShared("u32", 10) as [SharedMemoryRegion<"u32">];
  return { pes, engine, region };
}

Deno.test("waitAll and awaitAll cover ignored operations at other processes", async () => {
  const { pes, engine, region } = setUp();
  using _pes = pes;
  region.put(1, 0, 1);
  region.fetchAdd(1, 1, 1);
  region.batchAdd([10, 13], 1);
  assert(engine.outstanding >= 3);
  engine.waitAll();
  assertEquals([engine.outstanding, pes.all[0]!.regions.pendingFar], [0, 0]);
  region.putUnmanaged(1, 0, 2);
  await engine.awaitAll();
  assertEquals(engine.outstanding, 0);
  assertEquals(region.at(1, 0), 2);
});

Deno.test("waitAll throws what went wrong with an ignored one, once", async () => {
  const { pes, engine, region } = setUp();
  using _pes = pes;
  pes.network!.failing = 1;
  region.put(1, 0, 1);
  const text = "Cannot write to the network";
  assertEquals(assertThrows(() => engine.waitAll(), LamellarError, text).code, "ERR_TRANSPORT");
  engine.waitAll();
  region.fetchAdd(1, 0, 1);
  await assertRejects(() => engine.awaitAll(), LamellarError, text);
  assertThrows(() => region.fetchAdd(1, 0, 1).block(), LamellarError, text);
  engine.waitAll();
});

Deno.test("awaitAll ends when the job fails while the network stands still", async () => {
  const { pes, engine, region } = setUp();
  using _pes = pes;
  pes.network!.stuck = true;
  region.put(1, 0, 1);
  setTimeout(() => pes.all[1]!.lamella.fail(new Error("on purpose")), 10);
  await assertRejects(() => engine.awaitAll(), PeFailedError, "on purpose");
  assertEquals(engine.outstanding, 0);
});

Deno.test("A handler reads and changes far memory in place", () => {
  const { pes, engine, region } = setUp();
  using _pes = pes;
  const definition: AmDefinition = {
    name: "Reads",
    handler: () => {
      region.blockingPut(1, 0, 5);
      region.fetchAdd(1, 0, 1).block();
      return region.at(1, 0);
    },
    codec: undefined,
    returns: undefined,
    id: 0,
  };
  assertEquals(engine.launchLocal(new AmCall<number>(definition, {})).block(), 6);
  pes.network!.failing = 1;
  const failing = engine.launchLocal(new AmCall<number>(definition, {}));
  assertThrows(() => failing.block(), RemoteError, "Cannot write to the network");
});
