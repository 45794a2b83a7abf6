import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../internal/errors.ts";
import { instantiateKernels, type Kernels } from "../internal/kernels.ts";
import { memoryViews } from "../internal/memory_views.ts";
import { ELEMENT_OPS, type ElementOp } from "../internal/element_ops.ts";
import { MEMORY_TYPES } from "../internal/elements.ts";
import {
  beginRequest,
  itemsPerRequest,
  OPERATION,
  OPERATION_STATUS,
  type OperationHead,
  PART_HEADER,
  PART_HEADER_BYTES,
  REPLY_HEAD_BYTES,
  replyDone,
  replyWakes,
  REQUEST,
} from "./memory_operations.ts";
import { serveOperation } from "./memory_server.ts";
import { newSeed } from "../internal/random_test_numbers.ts";

const BASE = 65536;
const LIMIT = 65536;
/** Where the elements of the part of these tests begin, and how many bytes they are. */
const PART = 512;
const EXTENT = 1024;
/** Where requests and replies lie. */
const REQUEST_AT = 8192;
const REPLY_AT = 32768;
const GENERATION = { low: 77, high: -5 };

/** A segment in the middle of a memory, with one part. */
function segment(): { kernels: Kernels; views: ReturnType<typeof memoryViews> } {
  const memory = new WebAssembly.Memory({ initial: 3, maximum: 3, shared: true });
  const kernels = instantiateKernels(memory, { memory64: false, scratch: 1024 });
  const views = memoryViews(memory.buffer);
  const header = BASE + PART - PART_HEADER_BYTES;
  views.f64[(header + PART_HEADER.bytes) / 8] = EXTENT;
  views.i32.set([GENERATION.low, GENERATION.high], (header + PART_HEADER.generation) / 4);
  return { kernels, views };
}

function serve(
  { kernels, views }: ReturnType<typeof segment>,
  request: Uint8Array,
  replyBytes = 256,
): Uint8Array {
  views.u8.set(request, REQUEST_AT);
  const asked = { at: REQUEST_AT, bytes: request.length };
  const given = { at: REPLY_AT, bytes: replyBytes };
  const bytes = serveOperation(kernels, views, BASE, LIMIT, asked, given);
  return views.u8.slice(REPLY_AT, REPLY_AT + bytes);
}

function request(
  head: Partial<OperationHead> & { operation: number },
  indices: number[] = [],
  values: number[] = [],
): Uint8Array {
  const whole = { type: "i32", count: 1, part: PART, position: 0, ...head } as const;
  const { bytes, indicesAt, valuesAt } = beginRequest(whole, indices.length, 4 * values.length);
  new Uint32Array(bytes.buffer, indicesAt, indices.length).set(indices);
  new Int32Array(bytes.buffer, valuesAt, values.length).set(values);
  return bytes;
}

function results(reply: Uint8Array): number[] {
  assertEquals(reply[0], OPERATION_STATUS.ok);
  return [...new Int32Array(reply.slice(REPLY_HEAD_BYTES).buffer)];
}

Deno.test("Elements are put and got in a row, in steps and by indices", () => {
  const memory = segment();
  const run = (...args: Parameters<typeof request>): number[] =>
    results(serve(memory, request(...args)));
  assertEquals(run({ operation: OPERATION.put, count: 4 }, [], [1, 2, 3, 4]), []);
  assertEquals(run({ operation: OPERATION.get, count: 3, position: 4 }), [2, 3, 4]);
  run({ operation: OPERATION.putStrided, count: 2, position: 8, span: 12 }, [1], [5, 6]);
  assertEquals(run({ operation: OPERATION.getStrided, count: 3, span: 8 }, [1]), [1, 5, 0]);
  assertEquals(run({ operation: OPERATION.getStrided, count: 2, span: 12 }, [2]), [1, 2, 4, 0]);
  run({ operation: OPERATION.putIndexed, count: 3, span: 9 }, [8, 0, 8], [7, 8, 9]);
  run({ operation: OPERATION.putIndexed, count: 2, span: 9, single: true }, [6, 7], [-1]);
  const all = { operation: OPERATION.getIndexed, count: 9, span: 9 };
  assertEquals(run(all, [0, 1, 2, 3, 4, 5, 6, 7, 8]), [8, 2, 5, 4, 0, 6, -1, -1, 9]);
});

Deno.test("Indices may have 64 bits, of which all count", () => {
  const memory = segment();
  const run = (indices: bigint[]): Uint8Array => {
    const head = { operation: OPERATION.putIndexed, type: "i32", part: PART, position: 0 } as const;
    const all = { ...head, count: indices.length, single: true, span: 2 ** 33 };
    const { bytes, indicesAt, valuesAt } = beginRequest(all, indices.length, 4);
    new DataView(bytes.buffer).setFloat64(REQUEST.span, 9, true);
    new BigUint64Array(bytes.buffer, indicesAt, indices.length).set(indices);
    new Int32Array(bytes.buffer, valuesAt, 1)[0] = 5;
    return serve(memory, bytes);
  };
  assertEquals(run([8n, 2n])[0], OPERATION_STATUS.ok);
  const all = request({ operation: OPERATION.get, count: 9 });
  assertEquals(results(serve(memory, all)), [0, 0, 5, 0, 0, 0, 0, 0, 5]);
  for (const bad of [9n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n]) {
    assertEquals(run([bad])[0], OPERATION_STATUS.malformed, `${bad}`);
  }
});

Deno.test("Elements are changed atomically, one by one and by indices", () => {
  const memory = segment();
  const run = (...args: Parameters<typeof request>): number[] =>
    results(serve(memory, request(...args)));
  const expected: Readonly<Record<ElementOp, number>> = {
    store: 6,
    swap: 6,
    add: 16,
    sub: 4,
    mul: 60,
    div: 1,
    rem: 4,
    and: 2,
    or: 14,
    xor: 12,
    shl: 640,
    shr: 0,
    min: 6,
    max: 10,
  };
  for (const { name: atomic } of ELEMENT_OPS) {
    run({ operation: OPERATION.update, atomic: "store" }, [], [10]);
    run({ operation: OPERATION.update, atomic }, [], [6]);
    assertEquals(run({ operation: OPERATION.load }), [expected[atomic]], atomic);
    run({ operation: OPERATION.update, atomic: "store" }, [], [10]);
    run({ operation: OPERATION.updateIndexed, atomic, count: 2, span: 2 }, [0, 1], [6, 1]);
    assertEquals(run({ operation: OPERATION.load }), [expected[atomic]], atomic);
    const fetch = request({ operation: OPERATION.fetch, atomic }, [], [1]);
    if (atomic === "store") {
      assertEquals(serve(memory, fetch)[0], OPERATION_STATUS.malformed);
    } else assertEquals(results(serve(memory, fetch)), [expected[atomic]]);
  }
  run({ operation: OPERATION.update, atomic: "store" }, [], [10]);
  assertEquals(
    run({ operation: OPERATION.fetchIndexed, atomic: "add", count: 2, span: 1 }, [0, 0], [1, 2]),
    [10, 11],
  );
  const exchange = { operation: OPERATION.compareExchange };
  assertEquals([run(exchange, [], [12, 1]), run(exchange, [], [13, 2])], [[13], [13]]);
  assertEquals(run({ operation: OPERATION.load }), [2]);
});

Deno.test("What writes tells to wake the PE if it waits for a value there", () => {
  const memory = segment();
  const write = request({ operation: OPERATION.update, atomic: "add" }, [], [1]);
  assert(!replyWakes(serve(memory, write), 0));
  memory.views.i32[(BASE + PART - PART_HEADER_BYTES + PART_HEADER.waits) / 4] = 1;
  assert(replyWakes(serve(memory, write), 0));
  assert(!replyWakes(serve(memory, request({ operation: OPERATION.load })), 0));
});

Deno.test("A guarded request is done only while the part is what it was", () => {
  const memory = segment();
  const put = (guard: { low: number; high: number }): Uint8Array =>
    serve(memory, request({ operation: OPERATION.put, guard }, [], [1]));
  assert(replyDone(put(GENERATION), "put", 1));
  assert(!replyDone(put({ low: 77, high: 5 }), "put", 1));
  assert(!replyDone(put({ low: 78, high: -5 }), "put", 1));
  memory.views.u8.fill(0, BASE + PART - PART_HEADER_BYTES, BASE + PART);
  for (const guard of [GENERATION, { low: 0, high: 0 }]) {
    assertEquals(put(guard)[0], OPERATION_STATUS.stale);
  }
});

Deno.test("Leaving counts in the header of the part", () => {
  const memory = segment();
  const leave = request({ operation: OPERATION.leave });
  serve(memory, leave);
  assertEquals(serve(memory, leave).length, REPLY_HEAD_BYTES);
  const at = (BASE + PART - PART_HEADER_BYTES + PART_HEADER.disposals) / 4;
  assertEquals(memory.views.i32[at], 2);
});

function withByte(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  bytes[at] = byte;
  return bytes;
}

Deno.test("Requests that reach beyond the part, or say nothing that exists, are refused", () => {
  const memory = segment();
  const before = memory.views.u8.slice(BASE);
  const { put, get, putStrided, getStrided, getIndexed, putIndexed, update, load, check } =
    OPERATION;
  const bad = [
    request({ operation: 15 }),
    withByte(request({ operation: put }, [], [1]), REQUEST.type, 200),
    request({ operation: put, position: EXTENT }, [], [1]),
    request({ operation: put, position: -4 }, [], [1]),
    request({ operation: put, position: 2 }, [], [1]),
    request({ operation: put, position: NaN }, [], [1]),
    request({ operation: put, count: 2 }, [], [1]),
    request({ operation: put, part: PART + 8 }, [], [1]),
    request({ operation: put, part: 0 }, [], [1]),
    request({ operation: put, part: LIMIT + 64 }, [], [1]),
    request({ operation: put, part: 2 ** 60 }, [], [1]),
    request({ operation: get, count: EXTENT / 4 + 1 }),
    request({ operation: get, count: 63 }),
    request({ operation: get }).subarray(0, 39),
    request({ operation: check, count: 0, span: EXTENT + 1 }),
    request({ operation: putStrided, count: 2, span: 2 }, [1], [1, 2]),
    request({ operation: putStrided, count: 2, span: EXTENT }, [1], [1, 2]),
    request({ operation: putStrided, count: 2, span: 0 }, [1], [1, 2]),
    request({ operation: putStrided, count: 2, span: 8 }, [], [1, 2]),
    request({ operation: putStrided, count: 2, span: 8 }, [0], [1, 2]),
    request({ operation: putStrided, count: 2, span: 4 }, [2], [1, 2, 3, 4]),
    request({ operation: putStrided, count: 1, span: EXTENT + 4 }, [EXTENT / 4 + 1], [1]),
    request({ operation: getStrided, count: 1, span: 2 ** 40 }, [2 ** 32 - 1]),
    request({ operation: getIndexed, span: 3 }, [3]),
    request({ operation: getIndexed, span: EXTENT }, [3]),
    request({ operation: putIndexed, span: 3 }, [1], [1, 2]),
    request({ operation: update, atomic: "add", count: 2 }, [], [1, 2]),
    withByte(request({ operation: update, atomic: "add" }, [], [1]), REQUEST.atomic, 200),
    request({ operation: update, atomic: "xor", type: "f32" }, [], [1]),
    request({ operation: load, position: EXTENT }),
    new Uint8Array(0),
  ];
  bad.forEach((bytes, i) => {
    const reply = serve(memory, bytes);
    assertEquals([reply[0], reply.length], [OPERATION_STATUS.malformed, 8], `request ${i}`);
    assertThrows(() => replyDone(reply, "put", 3), ProtocolError, "Cannot put: PE 3 finds no such");
  });
  assertEquals(memory.views.u8.slice(BASE), before);
});

Deno.test("Whatever bytes arrive, only the segment changes, and the reply says how it went", () => {
  const seed = newSeed();
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.floor((state >>> 0) / 2 ** 32 * below);
  };
  const memory = segment();
  const { views } = memory;
  const outside = (): Uint8Array =>
    new Uint8Array([...views.u8.slice(REPLY_AT + 256, BASE), ...views.u8.slice(BASE + LIMIT)]);
  const before = outside();
  const counts = [0, 0, 0];
  for (let i = 0; i < 20_000; i++) {
    const bytes = randomRequest(random);
    const replyBytes = REPLY_HEAD_BYTES + random(200);
    const reply = serve(memory, bytes, replyBytes);
    assert(reply.length >= REPLY_HEAD_BYTES && reply.length <= replyBytes, `seed ${seed}`);
    assert(reply[0]! <= 2 && reply[1]! <= 1, `seed ${seed}`);
    counts[reply[0]!]!++;
    // Lets the next ones find a part again.
    views.f64[(BASE + PART - PART_HEADER_BYTES + PART_HEADER.bytes) / 8] = EXTENT;
  }
  assertEquals(outside(), before, `seed ${seed}`);
  assert(counts.every((count) => count > 300), `seed ${seed} gives ${counts}`);
});

/** Anything from noise to a request with one byte wrong, or none. */
function randomRequest(random: (below: number) => number): Uint8Array {
  if (random(8) === 0) return Uint8Array.from({ length: random(120) }, () => random(256));
  const type = MEMORY_TYPES[random(MEMORY_TYPES.length)]!;
  const operation = random(15);
  const indexed = operation === OPERATION.putIndexed || operation === OPERATION.getIndexed ||
    operation === OPERATION.updateIndexed || operation === OPERATION.fetchIndexed;
  const count = random(8);
  const width = type.bytes;
  const head = {
    operation,
    type: type.memory,
    atomic: ELEMENT_OPS[random(ELEMENT_OPS.length)]!.name,
    guard: random(3) === 0 ? { low: 77, high: -5 - random(2) } : undefined,
    single: random(3) === 0,
    count: random(8) === 0 ? 1 : count,
    part: PART,
    position: width * random(140),
    span: random(4) === 0 ? 2 ** 33 : width * random(40),
  };
  const { bytes, indicesAt, valuesAt } = beginRequest(head, indexed ? count : 0, random(8) * width);
  for (let i = indicesAt; i < bytes.length; i += i < valuesAt ? 4 : 1) bytes[i] = random(40);
  for (let i = random(4); i > 2; i--) bytes[random(bytes.length)] = random(256);
  if (random(10) === 0) {
    new DataView(bytes.buffer).setFloat64(REQUEST.part + 8 * random(3), random(2 ** 31) * 64, true);
  }
  return bytes;
}

Deno.test("Items of a request fit it and its reply", () => {
  for (const [index, value, result] of [[4, 8, 0], [8, 1, 1], [4, 0, 8], [0, 4, 0], [4, 8, 8]]) {
    const items = itemsPerRequest(1000, index!, value!, result!);
    const indices = index ? items : 0;
    const head = { operation: 0, type: "u8", count: items, part: 64, position: 0 } as const;
    const span = index === 8 ? 2 ** 33 : 5;
    const { bytes } = beginRequest({ ...head, span }, indices, items * value!);
    assert(bytes.length <= 1000 && REPLY_HEAD_BYTES + items * result! <= 1000);
    assert(items > 50);
  }
});
