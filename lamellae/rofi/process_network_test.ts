import { assert, assertEquals } from "@std/assert";
import { fabricCalls } from "../../ffi/mod.ts";
import { atomicLoad, atomicStore } from "../../internal/atomics.ts";
import { readConfig } from "../../internal/config.ts";
import { memoryViews } from "../../internal/memory_views.ts";
import { VERSION } from "../../internal/version.ts";
import { startAlone } from "../bootstrap/alone.ts";
import { BLOCK, blockOf, createMemory } from "../local/layout.ts";
import { PE_STATE, STATUS } from "../local/pe_status.ts";
import { joinBy } from "../process/join.ts";
import { CONTROL } from "./network_layout.ts";

/** How long the progress thread may take to come. */
const START_MS = 60_000;
/** The state of a socket that listens, in /proc/net/tcp. */
const LISTENS = "0A";

/** Two PEs over `tcp`, which a test plays. */
async function openNetwork() {
  const settings: Record<string, string> = {
    LAMELLAR_BACKEND: "rofi",
    LAMELLAR_ROFI_PROVIDER: "tcp",
    LAMELLAR_HEAP_SIZE: "1M",
  };
  const config = readConfig((name) => settings[name]);
  const group = await joinBy(startAlone("other"), { config, version: VERSION, pesPerProcess: 2 });
  const memory = createMemory(group.layout);
  group.adopt(memory);
  const { fabric, net } = (await group.open(memory))!;
  const words = memoryViews(memory.buffer).i32;
  const spoken = () => atomicLoad(words, (net.control + CONTROL.spoken) / 4) !== 0;
  const end = performance.now() + START_MS;
  while (!spoken() && performance.now() < end) await new Promise((wake) => setTimeout(wake, 5));
  assert(spoken());
  const setState = (pe: number, state: number) =>
    atomicStore(words, (blockOf(group.layout, pe) + BLOCK.status) / 4 + STATUS.state, state);
  return { group, fabric, setState };
}

/** How many sockets of this process listen. */
function listening(): number {
  const sockets = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch {
      // The descriptor by which the folder was read.
      return "";
    }
  });
  const lines = Deno.readTextFileSync("/proc/self/net/tcp").split("\n");
  return lines.map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) =>
      state === LISTENS && sockets.includes(`socket:[${inode}]`)
    ).length;
}

Deno.test("a PE that starts late finds the endpoint of a process that is ending", async () => {
  const { group, fabric, setState } = await openNetwork();
  const before = listening();
  assert(before > 0);
  setState(0, PE_STATE.failed);
  await group.close();
  // Nobody knows when the Worker of PE 1 comes: it would read what was freed.
  fabricCalls(fabric.ep, fabric.cq).close();
  assertEquals(listening(), before);
});

Deno.test("a process whose PEs have all finished closes its endpoint", async () => {
  const before = listening();
  const { group, setState } = await openNetwork();
  for (const pe of [0, 1]) setState(pe, PE_STATE.finished);
  assertEquals(listening(), before + 1);
  await group.close();
  assertEquals(listening(), before);
});
