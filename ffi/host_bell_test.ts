import { assert, assertEquals } from "@std/assert";
import { createBell, HostBells, openBell } from "./host_bell.ts";

/** A thread that sleeps by a bell: it says when it has lain down, and when and how it got up. */
const SLEEPER = `
import { HostBells } from "${new URL("./host_bell.ts", import.meta.url)}";
onmessage = ({ data: { address, timeoutMs } }) => {
  const bells = new HostBells([address]);
  bells.lieDown(0);
  postMessage("lying");
  const start = performance.now();
  bells.sleep(0, timeoutMs);
  postMessage(performance.now() - start);
};
`;

const LONG_MS = 60_000;

async function sleeper(address: bigint, timeoutMs: number) {
  const url = URL.createObjectURL(new Blob([SLEEPER], { type: "application/typescript" }));
  const worker = new Worker(url, { type: "module" });
  const next = () =>
    new Promise<unknown>((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
    });
  const lying = next();
  worker.postMessage({ address, timeoutMs });
  assertEquals(await lying, "lying");
  return { slept: next(), [Symbol.dispose]: () => worker.terminate() };
}

Deno.test("a bell can be mapped by those of its job while it is open", () => {
  const bell = createBell(17)!;
  assertEquals(bell.mapped(), 0);
  assertEquals(openBell(bell.path, 18), 0n);
  const address = openBell(bell.path, 17);
  assert(address !== 0n && address !== bell.address);
  assertEquals(bell.mapped(), 1);
  bell.close();
  assertEquals(openBell(bell.path, 17), 0n);
  assertEquals(openBell("1/fd/999", 17), 0n);
});

Deno.test("what is no bell is not mapped", async () => {
  const path = await Deno.makeTempFile();
  using file = await Deno.open(path, { read: true, write: true });
  await Deno.remove(path);
  for (const bytes of [0, 4096]) {
    await file.truncate(bytes);
    for (const fd of Deno.readDirSync("/proc/self/fd")) {
      assertEquals(openBell(`${Deno.pid}/fd/${fd.name}`, 17), 0n);
    }
  }
});

Deno.test("a wake through another mapping reaches who has lain down", async () => {
  const bell = createBell(-3)!;
  const bells = new HostBells([0n, openBell(bell.path, -3)]);
  bells.wake(0);
  bells.wake(1);
  using thread = await sleeper(bell.address, LONG_MS);
  bells.wake(1);
  assert(Number(await thread.slept) < LONG_MS / 2);
  bell.close();
});

Deno.test("nobody is woken by a wake before, and a sleep ends by itself", async () => {
  const bell = createBell(-3)!;
  new HostBells([bell.address]).wake(0);
  using thread = await sleeper(bell.address, 30);
  assert(Number(await thread.slept) >= 29);
  bell.close();
});
