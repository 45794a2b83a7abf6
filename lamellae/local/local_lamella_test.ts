import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { LamellarError, PeFailedError } from "../../internal/errors.ts";
import { randomizer } from "../../internal/kernels_test_bench.ts";
import { type FrameSink, WAIT_EVENT, WAIT_FAILED, WAIT_TIMEOUT } from "../lamella.ts";
import { instantiateKernels } from "../../internal/kernels.ts";
import { localPes } from "../pes_test.ts";
import { LANES, nextSequence, numberBefore } from "../lanes.ts";
import { createMemory, layoutFor, RING, ringHeaderOf } from "./layout.ts";
import { failureText } from "./failure_record.ts";
import { LocalLamella } from "./local_lamella.ts";
import { newSeed } from "../../internal/random_test_numbers.ts";

/** Writes a frame of a length and a number; returns whether there was room. */
function send(lamella: LocalLamella, pe: number, bytes: number, number = 0): boolean {
  const at = lamella.reserve(pe, bytes);
  if (at < 0) return false;
  const words = lamella.views.i32.subarray(at / 4, (at + bytes) / 4).fill(number);
  words[0] = bytes;
  lamella.commit(pe, bytes);
  return true;
}

/** Takes the frames that are there: their numbers, after a check that they are whole. */
function take(lamella: LocalLamella, framesMax = Infinity): number[] {
  const numbers: number[] = [];
  lamella.poll((_source, views, at, end) => {
    for (; at < end && views.i32[at / 4] !== 0 && numbers.length < framesMax;) {
      const bytes = views.i32[at / 4]!;
      assert(bytes > 0 && bytes % 8 === 0 && at + bytes <= end, `a frame of ${bytes} bytes`);
      const words = views.i32.subarray(at / 4 + 1, (at + bytes) / 4);
      assert(words.every((word) => word === words[0]), "a frame is not whole");
      numbers.push(words[0]!);
      at += bytes;
    }
    return at;
  });
  return numbers;
}

/** Takes frames until the rings are empty; a poll may find nothing but the end of a ring. */
function takeAll(lamella: LocalLamella): number[] {
  const numbers: number[] = [];
  for (let empty = 0; empty < 2;) {
    const more = take(lamella);
    numbers.push(...more);
    if (more.length === 0) empty++;
  }
  return numbers;
}

const skipAll: FrameSink = (_source, _views, _at, end) => end;

Deno.test("Frames are seen once they are published, and not before", () => {
  const [a, b] = localPes(2).pes.map(({ lamella }) => lamella) as [LocalLamella, LocalLamella];
  send(a, 1, 16, 5);
  assertEquals(b.poll(skipAll), 0);
  const seen = b.events();
  a.publish(1);
  assert(b.events() !== seen);
  send(a, 1, 24, 6);
  assertEquals(take(b), [5]);
  a.publish(1);
  assertEquals([take(b), take(b)], [[6], []]);
});

Deno.test("A frame of every length begins at every offset of the ring and arrives whole", () => {
  for (const bytes of [8, 16, 24, 248, 1016, 1024]) {
    const [a, b] = localPes(2).pes.map(({ lamella }) => lamella) as [LocalLamella, LocalLamella];
    assertEquals(a.frameBytesMax, 1024);
    for (let offset = 0; offset < 4096; offset += 8) {
      // An empty ring has room for the longest frame wherever its end is.
      assert(send(a, 1, bytes, offset + 1), `${bytes} bytes, ${offset}`);
      a.publish(1);
      assertEquals(takeAll(b), [offset + 1]);
      // Goes on by what is no multiple of the length, so that each offset has its turn.
      assert(send(a, 1, 8, 3));
      a.publish(1);
      assertEquals(takeAll(b), [3]);
    }
  }
});

Deno.test("Frames of random lengths arrive in order, through full rings and their ends", () => {
  const seed = newSeed();
  const below = randomizer(seed);
  const [a, b] = localPes(2).pes.map(({ lamella }) => lamella) as [LocalLamella, LocalLamella];
  let sent = 0;
  let received = 0;
  let full = 0;
  while (received < 20_000) {
    for (let i = below(40); i > 0; i--) {
      if (send(a, 1, 8 * (2 + below(127)), sent + 1)) sent++;
      else full++;
    }
    if (below(3) > 0) a.publish(1);
    for (const number of take(b, below(30))) {
      assertEquals(number, ++received, `seed ${seed}`);
    }
  }
  assert(full > 100, `seed ${seed}: the ring was full ${full} times`);
});

Deno.test("The byte counters of a ring may pass 2^31 and 2^32", () => {
  const { layout, pes } = localPes(2, 2 ** 18);
  const [a, b] = pes.map(({ lamella }) => lamella) as [LocalLamella, LocalLamella];
  const tailAt = ringHeaderOf(layout, 1, 0) + RING.tail;
  const bytes = a.frameBytesMax;
  let number = 0;
  for (let total = 0; total < 2 ** 32 + 2 ** 20; total += bytes) {
    const near = total % 2 ** 31;
    if (near < 4 * bytes || near > 2 ** 31 - 4 * bytes) {
      assert(send(a, 1, bytes, ++number));
      a.publish(1);
      assertEquals(takeAll(b), [number]);
    } else {
      assert(a.reserve(1, bytes) >= 0);
      a.commit(1, bytes);
      a.publish(1);
      assertEquals(b.poll(skipAll), bytes);
    }
    if (total === 2 ** 31) assert(a.views.i32[tailAt / 4]! < 0);
  }
  assertEquals(a.views.i32[tailAt / 4], 2 ** 20);
});

Deno.test("A full ring refuses, and who wants room is woken when there is some", () => {
  const [a, b] = localPes(2).pes.map(({ lamella }) => lamella) as [LocalLamella, LocalLamella];
  for (let i = 1; i <= 4; i++) assert(send(a, 1, 1024, i));
  assertEquals(a.reserve(1, 8), -1);
  a.publish(1);
  const seen = a.events();
  assertEquals(take(b, 1), [1]);
  assertEquals(a.events(), seen, "nobody asked to be woken");
  assert(send(a, 1, 1024, 5));
  assertEquals(a.reserve(1, 8), -1);
  a.wantRoom(1);
  assertEquals(take(b, 1), [2]);
  assert(a.events() !== seen, "the producer was not woken");
  const again = a.events();
  assertEquals(take(b, 1), [3]);
  assertEquals(a.events(), again, "a wish is good for one wake");
  a.publish(1);
  assertEquals([...take(b), ...take(b)], [4, 5]);
});

Deno.test("A wait for room ends when the consumer makes some", () => {
  const [a, b] = localPes(2).pes.map(({ lamella }) => lamella) as [LocalLamella, LocalLamella];
  while (send(a, 1, 512, 1));
  a.publish(1);
  a.wantRoom(1);
  const seen = a.events();
  assertEquals(a.wait(seen, 10, 0, 1), WAIT_TIMEOUT);
  take(b, 1);
  assertEquals(a.wait(seen, 10, 0, 5000), WAIT_EVENT);
  assert(send(a, 1, 512, 2));
});

Deno.test("Room that is reserved and not committed is given again, at the ring's end too", () => {
  const [a, b] = localPes(2).pes.map(({ lamella }) => lamella) as [LocalLamella, LocalLamella];
  for (let i = 1; i <= 3; i++) send(a, 1, 1024, i);
  send(a, 1, 520, 4);
  a.publish(1);
  assertEquals(take(b), [1, 2, 3, 4]);
  const first = a.reserve(1, 1024);
  assertEquals(a.reserve(1, 1024), first);
  assertEquals(a.reserve(1, 8), first);
  // The padding may become visible before the frame behind it.
  a.publish(1);
  assert(b.poll((_source, _views, at) => at) > 0);
  assertEquals(b.poll(skipAll), 0);
  send(a, 1, 1024, 5);
  a.publish(1);
  assertEquals(take(b), [5]);
});

Deno.test("poll() gives every source its turn", () => {
  const lamellas = localPes(4).pes.map(({ lamella }) => lamella);
  const reader = lamellas[1]!;
  for (let i = 0; i < 3; i++) {
    for (const lamella of lamellas) {
      send(lamella, 1, 16, lamella.pe);
      lamella.publish(1);
    }
  }
  const turns: number[] = [];
  const one: FrameSink = (source, _views, at) => {
    turns.push(source);
    return at + 16;
  };
  while (reader.poll(one) > 0);
  assertEquals(turns, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
});

Deno.test("A sink that takes nothing gets the same frames again", () => {
  const [a, b] = localPes(2).pes.map(({ lamella }) => lamella) as [LocalLamella, LocalLamella];
  send(a, 1, 32, 8);
  a.publish(1);
  assertEquals(b.poll((_source, _views, at) => at), 0);
  assertThrows(() =>
    b.poll(() => {
      throw new Error("the sink failed");
    }), Error);
  assertEquals(take(b), [8]);
});

Deno.test("A counter that claims more than the ring holds is an error, not a hang", () => {
  for (const claimed of [4097, 8192, 2 ** 31 - 1, -(2 ** 31), -8]) {
    const { layout, pes } = localPes(2);
    const { lamella } = pes[1]!;
    lamella.views.i32[(ringHeaderOf(layout, 1, 0) + RING.tail) / 4] = claimed;
    const error = assertThrows(() => lamella.poll(skipAll), LamellarError);
    assertEquals(error.code, "ERR_PROTOCOL");
    assertEquals(
      error.message,
      `Cannot read the ring from PE 0: it claims ${claimed} bytes of 4096`,
    );
    assertEquals(error.pe, 0);
  }
});

Deno.test("put() and get() copy between any two PEs, and count what was put", () => {
  const { pes } = localPes(3);
  const [a, b, c] = pes.map(({ lamella }) => lamella) as LocalLamella[];
  const own = a!.address(0, 128);
  a!.views.u8.set([1, 2, 3, 4, 5], own);
  a!.put(1, 77, own, 5);
  assertEquals([...b!.views.u8.subarray(b!.address(1, 77), b!.address(1, 82))], [1, 2, 3, 4, 5]);
  c!.get(1, 78, c!.address(2, 3), 3);
  assertEquals([...c!.views.u8.subarray(c!.address(2, 3), c!.address(2, 7))], [2, 3, 4, 0]);
  assertEquals([a!.bytesPut, b!.bytesPut, c!.bytesPut], [5, 0, 0]);
});

Deno.test("A heap beyond 4 GiB is reached by put, get, frames and signals", () => {
  const { layout, pes } = localPes(2, 0, 3 * 2 ** 30);
  assert(layout.memory64);
  const [a, b] = pes.map(({ lamella }) => lamella) as [LocalLamella, LocalLamella];
  const last = layout.heapBytes - 8;
  assert(b.address(1, last) > 2 ** 32);
  a.views.f64[a.address(0, 0) / 8] = 0.5;
  a.put(1, last, a.address(0, 0), 8);
  assertEquals(b.views.f64[b.address(1, last) / 8], 0.5);
  b.get(0, 0, b.address(1, 64), 8);
  assertEquals(b.views.f64[b.address(1, 64) / 8], 0.5);
  send(a, 1, 64, 9);
  a.publish(1);
  assertEquals(take(b), [9]);
  a.signal(1, 3, 1, 5);
  assertEquals([b.signalled(3, 1), b.tagOf(3, 1)], [true, 5]);
});

/** The numbers of three turns of a lane. */
function turnsOf(lane: number): [number, number, number] {
  const first = nextSequence(numberBefore(lane, 0));
  const second = nextSequence(first);
  return [first, second, nextSequence(second)];
}

Deno.test("What PEs exchange is kept apart by lane, and for even and odd turns", () => {
  const [a, b] = localPes(2).pes.map(({ lamella }) => lamella) as [LocalLamella, LocalLamella];
  const [first, second, third] = turnsOf(0);
  const [other] = turnsOf(LANES - 1);
  a.exchange(0, first).fill(1);
  a.exchange(0, second).fill(2);
  a.exchange(0, other).fill(5);
  b.exchange(1, first).fill(3);
  assertEquals([b.exchange(0, first)[511], b.exchange(0, second)[0]], [1, 2]);
  assertEquals([a.exchange(1, first)[0], a.exchange(1, second)[0]], [3, 0]);
  a.exchange(0, third).fill(4);
  assertEquals([b.exchange(0, first)[0], b.exchange(0, second)[511]], [4, 2]);
  assertEquals([b.exchange(0, other)[0], b.exchange(0, other)[511]], [5, 5]);
});

Deno.test("Signals are told apart by slot, lane and turn, and end a wait", () => {
  const [a, b] = localPes(2).pes.map(({ lamella }) => lamella) as [LocalLamella, LocalLamella];
  const [first, second, third] = turnsOf(3);
  const [other] = turnsOf(4);
  const seen = b.events();
  assertEquals(b.waitSignal(0, first, seen, 5, 0, 1), WAIT_TIMEOUT);
  a.signal(1, 0, first, -7);
  assertEquals(b.waitSignal(0, first, seen, 5, 0, 5000), WAIT_EVENT);
  assertEquals(
    [b.signalled(0, first), b.signalled(0, second), b.signalled(1, first), b.signalled(0, other)],
    [true, false, false, false],
  );
  a.signal(1, 0, second, 8);
  a.signal(1, 0, other, 6);
  assertEquals([b.tagOf(0, first), b.tagOf(0, second), b.tagOf(0, other)], [-7, 8, 6]);
  a.signal(1, 0, third, 9);
  assertEquals([b.signalled(0, first), b.signalled(0, third)], [false, true]);
});

Deno.test("A failure ends every wait with its text", () => {
  const lamellas = localPes(2).pes.map(({ lamella }) => lamella);
  const [a, b] = lamellas as [LocalLamella, LocalLamella];
  assertEquals(b.failure(), null);
  a.fail(new TypeError("no such thing"));
  for (const lamella of lamellas) {
    assertEquals(lamella.wait(lamella.events(), 5, 0, 5000), WAIT_FAILED);
    assertEquals(lamella.waitSignal(0, 1, lamella.events(), 5, 0, 5000), WAIT_FAILED);
    assertEquals(lamella.waitAsync(lamella.events()), null);
    const failure = lamella.failure();
    assertInstanceOf(failure, PeFailedError);
    assertEquals(failure.pe, 0);
    assert(failure.message.startsWith("PE 0 failed: TypeError: no such thing\n    at "));
  }
});

Deno.test("failureText() tells of what is no error, and repeats what another PE said", () => {
  assertEquals(failureText(3, { a: 1 }), "PE 3 failed: { a: 1 }");
  assertEquals(failureText(3, undefined), "PE 3 failed: undefined");
  assertEquals(failureText(3, new PeFailedError("PE 1 failed: x")), "PE 1 failed: x");
  const no = (): never => {
    throw new Error("no");
  };
  const proxy = new Proxy(new RangeError("behind"), { get: no, getPrototypeOf: no });
  assert(failureText(3, proxy).startsWith("PE 3 failed: "), failureText(3, proxy));
  const mute = { [Symbol.for("Deno.customInspect")]: no };
  assertEquals(failureText(3, mute), "PE 3 failed: it threw a value that cannot be shown");
});

Deno.test("waitAsync() settles when the PE is woken, and one promise serves all", async () => {
  const [a, b] = localPes(2).pes.map(({ lamella }) => lamella) as [LocalLamella, LocalLamella];
  const seen = b.events();
  const first = b.waitAsync(seen);
  assert(first !== null);
  assert(b.waitAsync(seen) === first);
  // What waits asynchronously does not keep the event loop alive.
  const alive = setInterval(() => {}, 1000);
  a.wake(1);
  await first;
  clearInterval(alive);
  assertEquals(b.waitAsync(seen), null);
});

Deno.test("PEs of the process are near, and the memory of no other is reached", () => {
  const share = { numPes: 6, firstPe: 2, nearPes: 2, networkBytes: 0 };
  const layout = layoutFor(share, 4096, 65536);
  const memory = createMemory(layout);
  const kernels = instantiateKernels(memory, { memory64: layout.memory64 });
  const lamella = new LocalLamella(layout, memory, kernels, 2);
  const near = Array.from({ length: 6 }, (_, pe) => lamella.isNear(pe));
  assertEquals(near, [false, false, true, true, false, false]);
  assertEquals([lamella.put(3, 0, lamella.address(2, 0), 8), lamella.get(3, 0, 0, 0)], [0, 0]);
  for (
    const call of [
      () => lamella.putBytes(4, 0, new Uint8Array(8)),
      () => lamella.getBytes(4, 0, new Uint8Array(8)),
      () => lamella.operate(4, new Uint8Array(8), new Uint8Array(8)),
    ]
  ) {
    assertThrows(call, LamellarError, "the local lamella reaches the memory of this process only");
  }
});
