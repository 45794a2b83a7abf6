import { assert, assertEquals } from "@std/assert";
import { WAIT_EVENT, WAIT_TIMEOUT } from "../lamella.ts";
import { ASLEEP, BLOCK, blockOf } from "../local/layout.ts";
import type { LocalLamella } from "../local/local_lamella.ts";
import { HOST, hostWordOf } from "./host_words.ts";
import { type SharedProcess, shareMemory } from "./shared_host_test.ts";

const LONG_MS = 60_000;

/** Writes a frame of 16 bytes with a value. */
function send(from: LocalLamella, to: number, value: number): void {
  const at = from.reserve(to, 16);
  assert(at >= 0);
  from.views.i32[at / 4] = 16;
  from.views.i32[at / 4 + 1] = value;
  from.commit(to, 16);
  from.publish(to);
}

/** The values that have come, each with its source. */
function received(lamella: LocalLamella): [number, number][] {
  const values: [number, number][] = [];
  const take = () =>
    lamella.poll((source, views, at, end) => {
      for (; at < end && views.i32[at / 4] !== 0; at += 16) {
        values.push([source, views.i32[at / 4 + 1]!]);
      }
      return at;
    });
  while (take() > 0);
  return values;
}

Deno.test("frames go from every process to every other, round the ends of the rings", () => {
  const processes = shareMemory(3, 2);
  const pes = processes.flatMap((one, rank) => [one.lamella(2 * rank), one.lamella(2 * rank + 1)]);
  assertEquals(pes.map(({ name, neighbours }) => [name, neighbours]), pes.map(() => ["shmem", 6]));
  for (let round = 0; round < 1000; round++) {
    for (const from of pes) for (let to = 0; to < 6; to++) send(from, to, 100 * round + from.pe);
    const expected = [0, 1, 2, 3, 4, 5].map((pe) => [pe, 100 * round + pe]);
    for (const pe of pes) assertEquals(received(pe).sort(([a], [b]) => a - b), expected);
  }
});

Deno.test("every process reads and writes the memory of all PEs, above 4 GiB too", () => {
  for (const heapBytes of [65536, 2 ** 31]) {
    const pes = shareMemory(3, 1, heapBytes).map((one, pe) => one.lamella(pe));
    const last = heapBytes - 8;
    for (const pe of pes) {
      assert(pe.isNear(0) && pe.isNear(1) && pe.isNear(2));
      pe.kernels.store32(pe.address(pe.pe, 0), 10 + pe.pe);
      assertEquals(pe.put((pe.pe + 1) % 3, last, pe.address(pe.pe, 0), 4), 0);
    }
    for (const pe of pes) {
      const seen = [0, 1, 2].map((other) => [
        pe.kernels.load32(pe.address(other, 0)),
        pe.kernels.load32(pe.address(other, last)),
      ]);
      assertEquals(seen, [[10, 12], [11, 10], [12, 11]]);
    }
  }
});

Deno.test("a signal brings its tag, and what was contributed is read where it is", () => {
  const [first, second] = shareMemory(2, 1).map((one, pe) => one.lamella(pe));
  for (const sequence of [1, 2]) {
    second!.exchange(1, sequence).fill(sequence);
    const seen = first!.events();
    assertEquals(first!.waitSignal(3, sequence, seen, 1, 0, 1), WAIT_TIMEOUT);
    second!.signal(0, 3, sequence, 0x1234);
    assertEquals(first!.waitSignal(3, sequence, seen, 1, 0, LONG_MS), WAIT_EVENT);
    assertEquals([first!.signalled(3, sequence), first!.tagOf(3, sequence)], [true, 0x1234]);
    assertEquals(first!.exchange(1, sequence)[511], sequence);
  }
});

/** A PE in a thread of its own, which blocks until something comes, and says so. */
async function blocked(
  process: SharedProcess,
  pe: number,
): Promise<Disposable & { woken: Promise<number> }> {
  const source = `
    import { instantiateKernels } from "${new URL("../../internal/kernels.ts", import.meta.url)}";
    import { shmemLamella } from "${new URL("./shmem_lamella.ts", import.meta.url)}";
    onmessage = ({ data: { layout, memory, pe } }) => {
      const kernels = instantiateKernels(memory, { memory64: false });
      const lamella = shmemLamella(layout, memory, kernels, pe, undefined);
      const seen = lamella.events();
      postMessage("ready");
      const start = performance.now();
      while (lamella.wait(seen, 1, 0, ${LONG_MS}) === ${WAIT_TIMEOUT});
      postMessage(performance.now() - start);
    };`;
  const url = URL.createObjectURL(new Blob([source], { type: "application/typescript" }));
  const worker = new Worker(url, { type: "module" });
  const next = () =>
    new Promise<unknown>((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
    });
  const ready = next();
  worker.postMessage({ layout: process.layout, memory: process.memory, pe });
  assertEquals(await ready, "ready");
  return { woken: next() as Promise<number>, [Symbol.dispose]: () => worker.terminate() };
}

Deno.test("a PE that blocks is woken by frames, signals and wakes of another process", async () => {
  const ways: ((from: LocalLamella) => void)[] = [
    (from) => send(from, 1, 5),
    (from) => from.signal(1, 0, 1, 0),
    (from) => from.wake(1),
  ];
  for (const way of ways) {
    const [first, second] = shareMemory(2, 1);
    const bell = blockOf(first!.layout, 1) + BLOCK.bell;
    using thread = await blocked(second!, 1);
    while (first!.kernels.load32(bell) !== ASLEEP.outside);
    way(first!.lamella(0));
    assert(await thread.woken < LONG_MS / 2);
    assertEquals(first!.kernels.load32(bell), 0);
  }
});

Deno.test("a PE that rests in its event loop has its supervisor called, and nobody else", () => {
  const [first, second] = shareMemory(2, 1);
  const [from, to] = [first!.lamella(0), second!.lamella(1)];
  const supervisor = hostWordOf(first!.layout, 1, HOST.asleep);
  const called = blockOf(first!.layout, 1) + BLOCK.called;
  first!.kernels.store32(supervisor, 1);
  assert(to.waitAsync(to.events()) !== null);
  send(from, 1, 7);
  assertEquals([first!.kernels.load32(called), first!.kernels.load32(supervisor)], [1, 0]);
  assertEquals(received(to), [[0, 7]]);
});

Deno.test("a PE that rests in its event loop is woken by one of its own process", async () => {
  const [first] = shareMemory(1, 2);
  const [from, to] = [first!.lamella(0), first!.lamella(1)];
  const rest = to.waitAsync(to.events())!;
  send(from, 1, 7);
  // What waits for a word of shared memory does not keep a process alive.
  const timer = setTimeout(() => {}, LONG_MS);
  await rest;
  clearTimeout(timer);
  assertEquals(received(to), [[0, 7]]);
});

Deno.test("a producer that found a ring full is woken once there is room", () => {
  const [first, second] = shareMemory(2, 1);
  const [from, to] = [first!.lamella(0), second!.lamella(1)];
  let sent = 0;
  for (; from.reserve(1, 16) >= 0; sent++) send(from, 1, sent);
  from.wantRoom(1);
  const seen = from.events();
  assertEquals(from.wait(seen, 1, 0, 1), WAIT_TIMEOUT);
  assertEquals(received(to).length, sent);
  assertEquals(from.wait(seen, 1, 0, LONG_MS), WAIT_EVENT);
  assert(from.reserve(1, 16) >= 0);
});
