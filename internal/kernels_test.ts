import { assert, assertEquals, assertThrows } from "@std/assert";
import { compileKernels, instantiateKernels, WaitCode } from "./kernels.ts";
import { writeAddress } from "./kernels_spread.ts";
import { bench, DATA, randomizer } from "./kernels_test_bench.ts";

for (const memory64 of [false, true]) {
  const on = `over a ${memory64 ? 64 : 32}-bit memory`;

  Deno.test(`the word kernels act like Atomics ${on}`, () => {
    const { kernels: k, views } = bench(memory64);
    k.store32(DATA, -5);
    assertEquals(k.load32(DATA), -5);
    assertEquals(k.add32(DATA, 7), -5);
    assertEquals(k.xchg32(DATA, 0b1100), 2);
    assertEquals(k.or32(DATA, 0b0011), 0b1100);
    assertEquals(k.and32(DATA, 0b1010), 0b1111);
    assertEquals(k.cas32(DATA, 1, 9), 0b1010);
    assertEquals(k.cas32(DATA, 0b1010, 9), 0b1010);
    assertEquals(views.i32[DATA / 4], 9);
  });

  Deno.test(`wake(), publish() and release() count events and clear what they answer ${on}`, () => {
    const { kernels: k, views } = bench(memory64);
    const [bell, tail, want] = [DATA, DATA + 64, DATA + 128];
    views.i32[bell / 4] = 1;
    k.wake(bell);
    assertEquals([...views.i32.subarray(bell / 4, bell / 4 + 2)], [0, 1]);
    k.publish(tail, 77, bell);
    assertEquals([views.i32[tail / 4], views.i32[bell / 4 + 1]], [77, 2]);
    k.release(tail, 78, want, bell);
    assertEquals([views.i32[tail / 4], views.i32[bell / 4 + 1]], [78, 2]);
    views.i32[want / 4] = 1;
    k.release(tail, 79, want, bell);
    assertEquals([views.i32[want / 4], views.i32[bell / 4 + 1]], [0, 3]);
  });

  Deno.test(`poll() finds the first ring with data from the start on, round the end ${on}`, () => {
    const { kernels: k, views } = bench(memory64);
    const [tails, heads] = [DATA, DATA + 1024];
    assertEquals(k.poll(tails, heads, 64, 5, 2), -1);
    assertEquals(k.poll(tails, heads, 64, 0, 0), -1);
    views.i32[(tails + 64) / 4] = 3;
    views.i32[(tails + 4 * 64) / 4] = 8;
    assertEquals([0, 1, 2, 3, 4].map((start) => k.poll(tails, heads, 64, 5, start)), [
      1,
      1,
      4,
      4,
      4,
    ]);
    views.i32[(heads + 4 * 64) / 4] = 8;
    assertEquals(k.poll(tails, heads, 64, 5, 2), 1);
  });

  Deno.test(`the waits return why they ended, and leave the bell awake ${on}`, () => {
    const { kernels: k, views } = bench(memory64);
    const [bell, abort, flag] = [DATA, DATA + 64, DATA + 128];
    for (const timeout of [0, 1000]) {
      assertEquals(k.wait(bell, abort, 0, 10, timeout), WaitCode.timeout);
      assertEquals(k.waitFlag(flag, 5, bell, abort, 0, 10, timeout), WaitCode.timeout);
    }
    assertEquals(k.wait(bell, abort, 1, 10, 1e9), WaitCode.event);
    assertEquals(k.waitFlag(flag, 5, bell, abort, 1, 10, 1e9), WaitCode.event);
    assertEquals(k.waitFlag(flag, 5, bell, abort, 1 << 24, 10, 0), WaitCode.timeout);
    assertEquals(k.waitFlag(flag, 0, bell, abort, 0, 10, 1e9), WaitCode.reached);
    k.barrierSignal(flag, 9, 5, bell);
    assertEquals(views.u64[flag / 8], 9n << 32n | 5n);
    assertEquals(views.i32[bell / 4 + 1], 1 << 24);
    assertEquals(k.waitFlag(flag, 5, bell, abort, 0, 10, 1e9), WaitCode.reached);
    assertEquals(k.waitFlag(flag, 6, bell, abort, 0, 10, 0), WaitCode.timeout);
    views.i32[abort / 4] = 1;
    assertEquals(k.wait(bell, abort, 1 << 24, 0, 1e9), WaitCode.abort);
    assertEquals(k.waitFlag(flag, 6, bell, abort, 0, 0, 1e9), WaitCode.abort);
    assertEquals(views.i32[bell / 4], 0);
  });

  Deno.test(`barrier() signals each round once, resumes, and notices a mismatch ${on}`, () => {
    const { kernels: k, views } = bench(memory64);
    const [bell, abort, mine, theirs, table] = [
      DATA,
      DATA + 64,
      DATA + 128,
      DATA + 256,
      DATA + 512,
    ];
    const partnerBell = DATA + 1024;
    for (const round of [0, 1]) {
      writeAddress(views.u32, table + round * 16, theirs + round * 8);
      writeAddress(views.u32, table + round * 16 + 8, partnerBell);
    }
    const run = (round: number, signalled: number, seen = 0): number =>
      k.barrier(mine, table, 2, round, signalled, 4, 7, bell, abort, seen, 10, 0);
    // An odd sequence number uses the second set of flags.
    const value = 4n << 32n | 7n;
    assertEquals(run(0, 0), 0 << 3 | WaitCode.timeout);
    assertEquals([...views.u64.subarray(theirs / 8, theirs / 8 + 4)], [0n, 0n, value, 0n]);
    assertEquals(views.i32[partnerBell / 4 + 1], 1 << 24);
    views.u64[mine / 8 + 2] = value;
    assertEquals(run(0, 1, 1), 1 << 3 | WaitCode.event);
    assertEquals(views.i32[partnerBell / 4 + 1], 2 << 24);
    views.u64[mine / 8 + 3] = 5n << 32n | 7n;
    assertEquals(run(1, 1), 1 << 3 | WaitCode.mismatch);
    views.u64[mine / 8 + 3] = value;
    assertEquals(run(1, 1), 2 << 3 | WaitCode.done);
    assertEquals(views.i32[partnerBell / 4 + 1], 2 << 24);
    assertEquals([...views.u64.subarray(theirs / 8, theirs / 8 + 4)], [0n, 0n, value, value]);
  });

  Deno.test(`copy() moves every length, overlapping or not ${on}`, () => {
    const { kernels: k, views } = bench(memory64);
    const random = randomizer(1);
    for (let bytes = 0; bytes < 200; bytes++) {
      for (const [dst, src] of [[0, 1000], [0, 3], [3, 0], [0, bytes], [50, 0]] as const) {
        for (let i = 0; i < 1300; i++) views.u8[DATA + i] = random(256);
        const expected = views.u8.slice(DATA, DATA + 1300).copyWithin(dst, src, src + bytes);
        k.copy(DATA + dst, DATA + src, bytes);
        assertEquals(views.u8.slice(DATA, DATA + 1300), expected);
      }
    }
    k.fill(DATA, 0x1ff, 1000);
    assert(views.u8.subarray(DATA, DATA + 1000).every((byte) => byte === 255));
    assertThrows(() => k.copy(DATA, 0, 2 ** 31), WebAssembly.RuntimeError);
  });

  Deno.test(`stridedCopy() moves elements of any size between any strides ${on}`, () => {
    const { kernels: k, views } = bench(memory64);
    const random = randomizer(2);
    for (const bytes of [1, 2, 4, 8, 3, 16, 40]) {
      for (const n of [0, 1, 7]) {
        for (let i = 0; i < 4000; i++) views.u8[DATA + i] = random(256);
        const expected = views.u8.slice(DATA, DATA + 4000);
        for (let i = 0; i < n; i++) {
          expected.copyWithin(i * (bytes + 5), 3900 - i * 50, 3900 - i * 50 + bytes);
        }
        k.stridedCopy(DATA, bytes + 5, DATA + 3900, -50, bytes, n);
        assertEquals(views.u8.slice(DATA, DATA + 4000), expected);
      }
    }
  });
}

/** Runs the race Worker twice over one memory and returns what both ends report. */
async function race(memory64: boolean): Promise<number[]> {
  const { memory } = bench(memory64);
  const module = compileKernels(memory64);
  const workers = [0, 1].map(() =>
    new Worker(new URL("./kernels_race_worker.ts", import.meta.url), { type: "module" })
  );
  try {
    return await Promise.all(workers.map((worker, pe) =>
      new Promise<number>((resolve, reject) => {
        worker.onerror = (event) => reject(new Error(event.message));
        worker.onmessage = ({ data }) => {
          if (typeof data === "number") resolve(data);
          else worker.postMessage({ memory, module, memory64, pe });
        };
      })
    ));
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

for (const memory64 of [false, true]) {
  const on = `over a ${memory64 ? 64 : 32}-bit memory`;
  Deno.test(`two Workers that share a module lose no update and no wake-up ${on}`, async () => {
    // Each reports the number of totals that were not what they had to be.
    assertEquals(await race(memory64), [0, 0]);
  });
}

Deno.test("instantiateKernels() takes a module compiled before", () => {
  const { memory } = bench(false);
  const module = compileKernels(false);
  const kernels = instantiateKernels(memory, { memory64: false, module });
  assert(kernels.module === module);
  assertThrows(() => kernels.of("u8"), TypeError, "Cannot load the u8 kernels");
});
