import { assert, assertEquals } from "@std/assert";
import { AmHandle, control, type HandleHost } from "../handle.ts";
import { Requests } from "./requests.ts";
import { generator } from "../random_test.ts";
import { newSeed } from "../../internal/random_test_numbers.ts";

const host: HandleHost = {
  attend: () => {},
  refuseBlocking: () => {},
  blockFor: () => {},
  keepError: () => {},
  dropError: () => {},
};

function newHandle(): AmHandle<unknown> {
  return new AmHandle<unknown>(host, 1, undefined);
}

/** Requests that are far along in their numbers, as after much traffic. */
function requestsFrom(last: number): Requests {
  const requests = new Requests();
  // One request that jumps to the number, and is settled there.
  requests.last = last;
  requests.takeAll();
  return requests;
}

Deno.test("Requests are numbered without gaps from 1 on", () => {
  const requests = new Requests();
  assertEquals(requests.pending, false);
  assertEquals([1, 2, 3].map(() => requests.add(newHandle())), [1, 2, 3]);
  assertEquals(requests.pending, true);
});

Deno.test("One answer settles all requests up to its number that have none yet", () => {
  const requests = new Requests();
  const handles = Array.from({ length: 5 }, newHandle);
  handles.forEach((handle) => requests.add(handle));
  assertEquals(requests.take(2), handles[1]);
  assert(requests.defer(4));
  assertEquals(requests.settleUpTo(4), 2);
  assertEquals(handles.map((handle) => handle.done), [true, false, true, false, false]);
  assertEquals(requests.settleUpTo(4), 0);
  assertEquals(requests.settleUpTo(5), 1);
  assertEquals(requests.pending, true);
  assertEquals(requests.take(4), handles[3]);
  assertEquals(requests.pending, false);
});

Deno.test("Numbers that were never given, or are answered, settle nothing", () => {
  const requests = new Requests();
  for (let i = 0; i < 3; i++) requests.add(newHandle());
  assertEquals([4, 100, -1, 2 ** 31 - 1, -(2 ** 31)].map((n) => requests.settleUpTo(n)), [
    ...[-1, -1, -1, -1, -1],
  ]);
  assertEquals([0, 4, -1, 260].map((n) => requests.take(n)), Array(4).fill(undefined));
  assertEquals([0, 4, -1].map((n) => requests.defer(n)), [undefined, undefined, undefined]);
  assertEquals(requests.settleUpTo(2), 2);
  assertEquals([requests.take(1), requests.take(2), requests.settleUpTo(1)], [
    ...[undefined, undefined, -1],
  ]);
  assert(requests.take(3));
  assertEquals([requests.take(3), requests.defer(3), requests.settleUpTo(3)], [
    ...[undefined, undefined, 0],
  ]);
});

Deno.test("takeAll() takes what waits and what is deferred, and leaves nothing", () => {
  const requests = new Requests();
  const handles = Array.from({ length: 4 }, newHandle);
  handles.forEach((handle) => requests.add(handle));
  requests.settleUpTo(1);
  requests.defer(3);
  assertEquals(new Set(requests.takeAll()), new Set(handles.slice(1)));
  assertEquals([requests.takeAll(), requests.pending], [[], false]);
  assertEquals(requests.add(newHandle()), 5);
  assertEquals(requests.settleUpTo(5), 1);
});

Deno.test("The buffer of requests grows while the oldest is not answered", () => {
  const requests = new Requests();
  const handles = Array.from({ length: 5000 }, newHandle);
  handles.forEach((handle) => requests.add(handle));
  for (let n = 5000; n > 1; n--) assertEquals(requests.take(n), handles[n - 1]);
  assertEquals(requests.settleUpTo(5000), 1);
  assert(handles[0]!.done && !requests.pending);
});

/** What `Requests` has to do, in the plainest way. */
class Model {
  waiting = new Map<number, AmHandle<unknown>>();
  deferred = new Map<number, AmHandle<unknown>>();

  settleUpTo(number: number, first: number): AmHandle<unknown>[] {
    const settled = [...this.waiting].filter(([n]) => ((number - n) | 0) >= 0);
    for (const [n] of settled) this.waiting.delete(n);
    assert(((number - first) | 0) >= 0);
    return settled.map(([, handle]) => handle);
  }

  take(number: number): AmHandle<unknown> | undefined {
    const handle = this.deferred.get(number) ?? this.waiting.get(number);
    this.deferred.delete(number);
    this.waiting.delete(number);
    return handle;
  }

  any(random: () => number): number | undefined {
    const numbers = [...this.waiting.keys(), ...this.deferred.keys()];
    return numbers[Math.floor(random() * numbers.length)];
  }
}

for (const start of [0, 0x7fffffff - 1500, -1500]) {
  Deno.test(`Random answers agree with a model, in numbers from ${start} on`, () => {
    const seed = newSeed();
    const random = generator(seed);
    const requests = requestsFrom(start);
    const model = new Model();
    let [last, answered, largest] = [start, start, 0];
    for (let i = 0; i < 30_000; i++) {
      const context = `seed ${seed}, step ${i}`;
      // It fills for a while, then empties.
      const choice = random() * (Math.floor(i / 4000) % 2 === 0 ? 0.7 : 1.6);
      if (choice < 0.6) {
        const handle = newHandle();
        last = (last + 1) | 0;
        assertEquals(requests.add(handle), last, context);
        model.waiting.set(last, handle);
      } else if (choice < 0.603) {
        const far = random() < 0.1 ? last : (answered + Math.floor(random() * 8)) | 0;
        const number = ((last - far) | 0) < 0 ? last : far;
        const count = requests.settleUpTo(number);
        const handles = model.settleUpTo(number, answered);
        assertEquals(count, handles.length, context);
        assert(handles.every((handle) => handle.done), context);
        answered = number;
      } else {
        const number = model.any(random);
        if (number === undefined) continue;
        if (choice < 0.7 && model.waiting.has(number)) {
          assert(requests.defer(number), context);
          model.deferred.set(number, model.waiting.get(number)!);
          model.waiting.delete(number);
        } else {
          const handle = model.take(number)!;
          assertEquals(requests.take(number) === handle, true, context);
          assert(!handle.done, context);
          control.resolve(handle, 1);
          assertEquals(requests.take(number), undefined, context);
        }
      }
      largest = Math.max(largest, model.waiting.size);
      const pending = model.waiting.size + model.deferred.size > 0;
      assertEquals(requests.pending, pending, context);
      // The watermark moves over what is answered at once, one by one or not.
      answered = highest(model, last, answered);
    }
    assert(largest > 256, `seed ${seed}: never more than ${largest} waited`);
    const rest = new Set([...model.waiting.values(), ...model.deferred.values()]);
    assertEquals(new Set(requests.takeAll()), rest, `seed ${seed}`);
  });
}

/** The number all requests up to which are answered or deferred. */
function highest(model: Model, last: number, answered: number): number {
  let number = answered;
  while (number !== last && !model.waiting.has((number + 1) | 0)) number = (number + 1) | 0;
  return number;
}
