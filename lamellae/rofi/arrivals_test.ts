import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { EXCHANGE_AREA_BYTES } from "../../internal/limits.ts";
import { readFailure, STUCK } from "../local/failure_record.ts";
import {
  BLOCK,
  blockOf,
  exchangeOf,
  HEADER,
  heapOf,
  RING,
  ringHeaderOf,
  ringOf,
} from "../local/layout.ts";
import { flagOffset } from "../local/local_lamella.ts";
import {
  beginRequest,
  OPERATION,
  OPERATION_STATUS,
  PART_HEADER,
  PART_HEADER_BYTES,
  REPLY_HEAD_BYTES,
} from "../memory_operations.ts";
import { CONTRIBUTION_BYTES_MAX, writeContribution } from "./arrivals.ts";
import { Chance } from "./fake_network_test.ts";
import {
  failureOf,
  messageOf,
  portOf,
  type Process,
  type Processes,
  recordsInUse,
  settleNetwork,
  stalledMs,
  startProcesses,
} from "./fake_processes_test.ts";
import { MAGIC, MESSAGE } from "./message.ts";
import { Strangers } from "./strangers.ts";
import { RECORD } from "./network_layout.ts";
import { Transfers } from "./transfers.ts";

/** Two processes of two PEs each; messages come to PE 0 and 1 as if from PE 2 and 3. */
function target(): { processes: Processes; here: Process } {
  const processes = startProcesses({ nearPes: 2 });
  return { processes, here: processes.all[0]! };
}

function deliver(processes: Processes, bytes: Uint8Array): void {
  assert(processes.network.deliver(0, bytes), "no buffer waits for the message");
  do processes.all[0]!.progress.poll(); while (processes.network.completionsAt(0) > 0);
}

/** How often a near PE was woken. */
function wakes({ layout, views }: Process, pe: number): number {
  return views.i32[(blockOf(layout, pe) + BLOCK.bell) / 4 + 1]!;
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

/** Makes a part at offset 64 of the heap of a PE, of 64 bytes. */
function makePart({ layout, views }: Process, pe: number): void {
  const header = heapOf(layout, pe) + 64 - PART_HEADER_BYTES;
  views.f64[(header + PART_HEADER.bytes) / 8] = 64;
}

function addRequest(value: number): Uint8Array {
  const head = { operation: OPERATION.fetch, type: "u32", atomic: "add" } as const;
  const { bytes, valuesAt } = beginRequest({ ...head, count: 1, part: 64, position: 0 }, 0, 4);
  new Uint32Array(bytes.buffer, valuesAt, 1)[0] = value;
  return bytes;
}

Deno.test("a message of frames lands in the ring of its source and wakes its target", () => {
  const { processes, here } = target();
  const header = ringHeaderOf(here.layout, 1, 3);
  deliver(processes, messageOf(MESSAGE.frames, { source: 3, target: 1 }, words(8, 42, 8, 43)));
  deliver(processes, messageOf(MESSAGE.frames, { source: 3, target: 1, a: 16 }, words(8, 44)));
  const ring = ringOf(here.layout, 1, 3) / 4;
  assertEquals([...here.views.i32.slice(ring, ring + 7)], [8, 42, 8, 43, 8, 44, 0]);
  assertEquals(here.views.i32[(header + RING.tail) / 4], 24);
  assertEquals([wakes(here, 0), wakes(here, 1)], [0, 2]);
  assertEquals(failureOf(here), undefined);
});

Deno.test("frames that skip the end of the ring leave a mark there", () => {
  const { processes, here } = target();
  const size = here.layout.ringBytes;
  const header = ringHeaderOf(here.layout, 0, 2);
  here.views.i32[(header + RING.tail) / 4] = size - 16;
  here.views.i32[(header + RING.head) / 4] = size - 16;
  const ring = ringOf(here.layout, 0, 2) / 4;
  here.views.i32[ring + (size - 16) / 4] = 99;
  const place = { source: 2, target: 0, a: size - 16, b: 16 };
  deliver(processes, messageOf(MESSAGE.frames, place, words(24, 1, 2, 3, 4, 5)));
  assertEquals(here.views.i32[ring + (size - 16) / 4], 0);
  assertEquals([...here.views.i32.slice(ring, ring + 6)], [24, 1, 2, 3, 4, 5]);
  assertEquals(here.views.i32[(header + RING.tail) / 4], size + 24);
  assertEquals(failureOf(here), undefined);
});

Deno.test("a head is noted for the PE that sends, and wakes it", () => {
  const { processes, here } = target();
  deliver(processes, messageOf(MESSAGE.head, { source: 3, target: 1, a: 2048 }));
  const { heads, numPes } = here.net;
  assertEquals(here.views.i32[heads / 4 + numPes + 3], 2048);
  assertEquals(wakes(here, 1), 1);
});

Deno.test("contributions of far PEs are noted with zeros behind, those of near ones left", () => {
  const { processes, here } = target();
  const { layout, views } = here;
  const scratch = new Uint8Array(2 * CONTRIBUTION_BYTES_MAX);
  const part = new Uint8Array(EXCHANGE_AREA_BYTES).fill(7, 0, 13);
  const ints = new Int32Array(scratch.buffer);
  const middle = writeContribution(scratch, ints, 0, 3, part);
  const end = writeContribution(scratch, ints, middle, 1, part);
  assertEquals([middle, end], [24, 48]);
  for (const pe of [1, 3]) {
    for (const sequence of [4, 5]) {
      const at = exchangeOf(layout, pe, sequence);
      views.u8.fill(9, at, at + EXCHANGE_AREA_BYTES);
    }
  }
  const payload = scratch.subarray(0, end);
  deliver(processes, messageOf(MESSAGE.exchange, { source: 2, target: 0, b: 5 }, payload));
  const held = (pe: number, sequence: number) => {
    const at = exchangeOf(layout, pe, sequence);
    return views.u8.slice(at, at + EXCHANGE_AREA_BYTES);
  };
  assertEquals(held(3, 5), part);
  assertEquals(held(3, 4), new Uint8Array(EXCHANGE_AREA_BYTES).fill(9));
  assertEquals(held(1, 5), new Uint8Array(EXCHANGE_AREA_BYTES).fill(9));
  assertEquals(failureOf(here), undefined);
});

Deno.test("a contribution travels without the zeros at its end, a full one whole", () => {
  const scratch = new Uint8Array(CONTRIBUTION_BYTES_MAX);
  const ints = new Int32Array(scratch.buffer);
  assertEquals(writeContribution(scratch, ints, 0, 5, new Uint8Array(EXCHANGE_AREA_BYTES)), 8);
  assertEquals([...ints.subarray(0, 2)], [5, 0]);
  const full = new Uint8Array(EXCHANGE_AREA_BYTES).fill(1);
  assertEquals(writeContribution(scratch, ints, 0, 5, full), CONTRIBUTION_BYTES_MAX);
});

Deno.test("a signal sets the flag of its slot and sequence, and wakes", () => {
  const { processes, here } = target();
  const place = { source: 2, target: 1, a: 31, b: 7, c: 0x123401 };
  deliver(processes, messageOf(MESSAGE.signal, place));
  const flag = (blockOf(here.layout, 1) + BLOCK.flags + flagOffset(31, 7)) / 4;
  assertEquals([...here.views.i32.slice(flag, flag + 2)], [7, 0x123401]);
  assert(wakes(here, 1) !== 0);
});

Deno.test("an operation is served and answered, and wakes a PE that waits for a value", () => {
  const { processes, here } = target();
  const there = processes.all[1]!;
  makePart(here, 1);
  const header = heapOf(here.layout, 1) + 64 - PART_HEADER_BYTES;
  here.views.i32[(header + PART_HEADER.waits) / 4] = 1;
  const transfers = new Transfers(portOf(there, 0, processes.network), 2);
  const reply = new Uint8Array(REPLY_HEAD_BYTES + 8);
  const ticket = transfers.operate(1, addRequest(5), reply);
  settleNetwork(processes);
  assert(!transfers.isPending(ticket));
  assertEquals(reply[0], OPERATION_STATUS.ok);
  assertEquals(here.views.i32[(heapOf(here.layout, 1) + 64) / 4], 5);
  assertEquals(wakes(here, 1), 1);
  assertEquals(recordsInUse(here), []);
});

Deno.test("a reply of an operation long over touches nothing", () => {
  const { processes, here } = target();
  const port = portOf(here, 0, processes.network);
  const transfers = new Transfers(port, 0);
  makePart(processes.all[1]!, 2);
  const reply = new Uint8Array(REPLY_HEAD_BYTES + 8);
  const ticket = transfers.operate(2, addRequest(1), reply);
  const record = here.net.receives + here.net.slots;
  settleNetwork(processes);
  assert(!transfers.isPending(ticket));
  // The record is used again, by something that waits for no reply.
  processes.network.habits = { ...processes.network.habits, othersOneOf: 0 };
  const tickets = Array.from(
    { length: here.net.transfers },
    () => transfers.copy(true, 2, 0, 0, 8),
  );
  const before = here.views.u8.slice();
  for (const c of [0, 1]) {
    const late = messageOf(MESSAGE.reply, { source: 2, target: 0, a: record, c }, words(1, 1, 1));
    processes.network.deliver(0, late);
  }
  const pending = (port.recordAt(record) + RECORD.pending) / 4;
  assertEquals(here.views.i32[pending], 1);
  assertEquals(before.length, here.views.u8.length);
  settleNetwork(processes);
  for (const one of tickets) assert(!transfers.isPending(one));
  assertEquals(here.views.i32[pending], 0);
});

Deno.test("a wake reaches its target, and whatever comes counts as a sign of life", () => {
  const { processes, here } = target();
  deliver(processes, messageOf(MESSAGE.wake, { source: 2, target: 0 }));
  assertEquals([wakes(here, 0), wakes(here, 1)], [1, 0]);
  deliver(processes, messageOf(MESSAGE.beat, { source: 1, a: 250 }));
  assertEquals(here.views.i32[here.net.beats / 4 + 1], 2);
  assert(stalledMs(here, 1) >= 250);
});

Deno.test("a far failure is recorded with its PE, exit code and text", () => {
  for (const pe of [3, -1, STUCK]) {
    const { processes, here } = target();
    const bytes = new TextEncoder().encode("why");
    deliver(processes, messageOf(MESSAGE.fail, { source: 1, a: pe, b: 77 }, bytes));
    assertEquals(readFailure(here.views), { pe, exitCode: 77, far: true, text: "why" });
  }
});

/** Messages of this job that are wrong, and what is said of them. */
const MALFORMED: [string, Uint8Array, string][] = [
  ["from a near PE", messageOf(MESSAGE.wake, { source: 1, target: 0 }), "from PE 1 for PE 0"],
  ["for a far PE", messageOf(MESSAGE.wake, { source: 2, target: 3 }), "from PE 2 for PE 3"],
  ["from no PE", messageOf(MESSAGE.wake, { source: 99, target: 0 }), "from PE 99 for PE 0"],
  ["of no kind", messageOf(99, { source: 2, target: 0 }), "its kind is 99"],
  [
    "shorter than it says",
    messageOf(MESSAGE.frames, { source: 2, target: 0, bytes: 800 }, words(8, 0)),
    "it claims 800 bytes and has 8",
  ],
  [
    "of frames at another position",
    messageOf(MESSAGE.frames, { source: 2, target: 0, a: 8 }, words(8, 0)),
    "8 bytes at 8, skipping 0",
  ],
  [
    "of frames that skip too little",
    messageOf(MESSAGE.frames, { source: 2, target: 0, b: 64 }, words(8, 0)),
    "skipping 64",
  ],
  [
    "of frames that skip backwards",
    messageOf(MESSAGE.frames, { source: 2, target: 0, b: -8 }, words(8, 0)),
    "skipping -8",
  ],
  [
    "of frames of an odd length",
    messageOf(MESSAGE.frames, { source: 2, target: 0 }, words(8, 0, 1)),
    "12 bytes at 0",
  ],
  [
    "of more frames than the ring has room for",
    messageOf(MESSAGE.frames, { source: 2, target: 0 }, new Uint8Array(4104)),
    "4104 bytes at 0, skipping 0, where 4096 are free at 0",
  ],
  [
    "of a head that goes back",
    messageOf(MESSAGE.head, { source: 2, target: 0, a: -8 }),
    "it has read -8 bytes more",
  ],
  [
    "of a head that is too far",
    messageOf(MESSAGE.head, { source: 2, target: 0, a: 4104 }),
    "it has read 4104 bytes more",
  ],
  [
    "of a contribution for no PE",
    messageOf(MESSAGE.exchange, { source: 2, target: 0 }, words(4, 0)),
    "contributes 0 bytes for PE 4",
  ],
  [
    "of a contribution that is too long",
    messageOf(MESSAGE.exchange, { source: 2, target: 0 }, words(3, 584, ...Array(146).fill(1))),
    "contributes 584 bytes for PE 3",
  ],
  [
    "of a contribution that is cut off",
    messageOf(MESSAGE.exchange, { source: 2, target: 0 }, words(3, 16, 1, 1)),
    "contributes 16 bytes for PE 3",
  ],
  [
    "of a contribution of less than nothing",
    messageOf(MESSAGE.exchange, { source: 2, target: 0 }, words(3, -8, 1, 1)),
    "contributes -8 bytes for PE 3",
  ],
  ["of a slot too high", messageOf(MESSAGE.signal, { source: 2, target: 0, a: 32 }), "slot 32"],
  ["of a slot too low", messageOf(MESSAGE.signal, { source: 2, target: 0, a: -1 }), "slot -1"],
  [
    "of an operation with too short a reply",
    messageOf(MESSAGE.operate, { source: 2, target: 0, b: 7 }, addRequest(1)),
    "it asks for a reply of 7 bytes",
  ],
  [
    "of an operation with too long a reply",
    messageOf(MESSAGE.operate, { source: 2, target: 0, b: 1 << 20 }, addRequest(1)),
    "it asks for a reply of 1048576 bytes",
  ],
  [
    "of a reply to nothing",
    messageOf(MESSAGE.reply, { source: 2, target: 0, a: 3, c: 1 }, words(0, 0)),
    "it answers operation 3",
  ],
  [
    "of an end that is none",
    messageOf(MESSAGE.fail, { source: 1, a: 3, b: 256 }),
    "it tells of the end of PE 3 with 256",
  ],
  [
    "of the end of no PE",
    messageOf(MESSAGE.fail, { source: 1, a: STUCK - 1, b: 1 }),
    "it tells of the end of PE -3 with 1",
  ],
];

for (const [what, bytes, text] of MALFORMED) {
  Deno.test(`a message ${what} ends the job, and changes nothing`, () => {
    const { processes, here } = target();
    const before = here.views.u8.slice(0, here.layout.open);
    deliver(processes, bytes);
    const said = failureOf(here);
    assert(said !== undefined, "the message is taken for a sound one");
    assertStringIncludes(said, "PE 0 received a malformed message from PE ");
    assertStringIncludes(said, text);
    assertEquals(changed(here, before).filter((at) => !isOwn(here, at)), []);
  });
}

Deno.test("a message of another job, or of none, is dropped, and counted", () => {
  const { processes, here } = target();
  const { tokens } = here.start;
  const strangers = [
    messageOf(MESSAGE.fail, { source: 1, a: 3, b: 7, token: [5, 5] }),
    messageOf(MESSAGE.fail, { source: 1, a: 3, b: 7, token: [tokens[0]!, tokens[1]! ^ 1] }),
    messageOf(MESSAGE.fail, { source: 1, a: 3, b: 7, token: [tokens[0]! ^ 1, tokens[1]!] }),
    // That of another process of the job.
    messageOf(MESSAGE.fail, { source: 1, a: 3, b: 7, token: [...tokens.subarray(2, 4)] }),
    messageOf(0, { kind: MESSAGE.fail, source: 1, a: 3, b: 7 }),
    messageOf(0, { kind: (MAGIC + 0x100) | MESSAGE.fail, source: 1, a: 3, b: 7 }),
    messageOf(MESSAGE.fail, { source: 1, a: 3, b: 7 }).subarray(0, 31),
    new Uint8Array(),
    new Uint8Array(2 ** 20),
  ];
  const { network } = processes;
  const buffers = network.postedAt(0);
  const before = here.views.u8.slice(0, here.layout.open);
  for (const bytes of strangers) deliver(processes, bytes);
  network.deliver(0, messageOf(MESSAGE.fail, { source: 1, a: 3, b: 7 }), 104);
  while (network.completionsAt(0) > 0) here.progress.poll();
  assertEquals(failureOf(here), undefined);
  assertEquals(network.postedAt(0), buffers);
  assertEquals(changed(here, before).filter((at) => !isOwn(here, at)), []);
  const seen = new Strangers(here.views, here.net);
  assertEquals(seen.count, strangers.length + 1);
  assertEquals(seen.describeFirst(), "its 32 bytes do not begin with the token of this job");
  // Those of the job are heard as before.
  deliver(processes, messageOf(MESSAGE.fail, { source: 1, a: 3, b: 7 }));
  assertEquals(failureOf(here), "");
});

/** Where the memory of a process has changed below what is open. */
function changed({ views, layout }: Process, before: Uint8Array): number[] {
  const found: number[] = [];
  const now = views.i32;
  const then = new Int32Array(before.buffer);
  for (let word = 0; word < layout.open / 4; word++) {
    if (now[word] !== then[word]) found.push(4 * word);
  }
  return found;
}

/** Whether a place may change whatever comes: the failure, bells, the books of the network. */
function isOwn({ layout, net }: Process, at: number): boolean {
  if (at >= layout.network) return at < net.heads || at >= net.records;
  if (at < layout.blocks) return at >= HEADER.abort;
  const block = (at - layout.blocks) % (blockOf(layout, 1) - blockOf(layout, 0));
  return at < layout.exchanges && block < BLOCK.status;
}

Deno.test("100,000 malformed messages change nothing they may not, and end the job by name", () => {
  const chance = new Chance();
  const processes = startProcesses({ nearPes: 2 }, chance);
  const here = processes.all[0]!;
  const { views, layout } = here;
  makePart(here, 0);
  makePart(here, 1);
  processes.network.habits = { ...processes.network.habits, othersOneOf: 0 };
  const before = views.u8.slice(0, layout.open);
  const heaps = views.u8.slice(layout.open);
  const kinds = Object.values(MESSAGE);
  let failures = 0;
  const began = performance.now();
  for (let i = 0; i < 100_000; i++) {
    deliver(processes, nonsense(chance, kinds));
    processes.all[1]!.progress.poll();
    if (views.i32[HEADER.abort / 4] !== 0) {
      failures++;
      const { far, text } = readFailure(views);
      const what = "PE 0 received a malformed message from PE ";
      if (!far) assertStringIncludes(text, what, `seed ${chance.seed}`);
      views.i32.fill(0, HEADER.abort / 4, HEADER.failureText / 4);
    }
    if (i % 5000 > 0) continue;
    const wrong = changed(here, before).filter((at) => !isOwn(here, at) && !mayChange(here, at));
    assertEquals(wrong, [], `seed ${chance.seed}`);
  }
  const part = heapOf(layout, 0) + 64 - layout.open;
  for (let pe = 0; pe < 2; pe++) {
    const at = part + pe * layout.segmentBytes;
    const now = views.u8.slice(layout.open);
    // The elements of the part and the count of those who left it.
    now.fill(0, at - PART_HEADER_BYTES, at - PART_HEADER_BYTES + 4).fill(0, at, at + 64);
    heaps.fill(0, at - PART_HEADER_BYTES, at - PART_HEADER_BYTES + 4).fill(0, at, at + 64);
    views.u8.set(now, layout.open);
  }
  const after = views.u8.subarray(layout.open);
  const place = heaps.findIndex((byte, i) => byte !== after[i]);
  assertEquals(place, -1, `seed ${chance.seed}`);
  assert(failures > 50_000, `${failures} failures`);
  const seconds = (performance.now() - began) / 1000;
  assert(seconds < 30, `${seconds} s`);
});

/** Whether sound messages may change a place: what far PEs contribute and send, flags, heads. */
function mayChange({ layout, net }: Process, at: number): boolean {
  if (at >= layout.network) return at >= net.heads && at < net.records;
  const size = layout.ringBytes;
  if (at >= layout.staging) return false;
  if (at >= layout.rings) return Math.floor((at - layout.rings) / size) % 4 >= 2;
  if (at >= layout.ringHeaders) {
    const index = Math.floor((at - layout.ringHeaders) / 256);
    return index % 4 >= 2 && (at - layout.ringHeaders) % 256 === RING.tail;
  }
  if (at >= layout.exchanges) {
    return Math.floor((at - layout.exchanges) / EXCHANGE_AREA_BYTES / 2) >= 2;
  }
  const block = (at - layout.blocks) % (blockOf(layout, 1) - blockOf(layout, 0));
  return block >= BLOCK.flags;
}

/** A message of random words, or a sound one that was spoilt a little. */
function nonsense(chance: Chance, kinds: readonly number[]): Uint8Array {
  const odd = () =>
    chance.one(2) ? chance.below(5) : [-1, 8, -8, 24, 2 ** 31 - 1][chance.below(5)]!;
  const length = 8 * chance.below(16);
  const payload = chance.one(3) ? addRequest(1) : new Uint8Array(length);
  const places = { source: chance.below(5), target: chance.below(3), a: odd(), b: odd(), c: odd() };
  const bytes = messageOf(kinds[chance.below(kinds.length)]!, places, payload);
  const ints = new Int32Array(bytes.buffer);
  for (let flips = chance.below(4); flips > 0; flips--) {
    const word = 2 + chance.below(ints.length - 2);
    ints[word]! ^= 1 << chance.below(32);
  }
  if (chance.one(4)) return bytes.subarray(0, chance.below(bytes.length));
  if (chance.one(4)) { for (let i = 2; i < ints.length; i++) ints[i] = chance.below(2 ** 32) | 0; }
  return bytes;
}
