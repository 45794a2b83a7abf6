/** Processes on the network of `fake_network_test.ts`, for the tests of this folder. */

import { assertEquals } from "@std/assert";
import { compileKernels, instantiateKernels, type Kernels } from "../../internal/kernels.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import { isFailing, readFailure } from "../local/failure_record.ts";
import { createMemory, type Layout, layoutFor, OPEN } from "../local/layout.ts";
import { makeShare, messageTokens, secretOf } from "../process/secret.ts";
import { Arrivals } from "./arrivals.ts";
import { CoalescedCall } from "./coalesced_call.ts";
import { ADDRESSES, Chance, FakeNetwork, KEYS, type NetworkHabits } from "./fake_network_test.ts";
import { endsOf, MAGIC, MESSAGE, WORD } from "./message.ts";
import {
  MESSAGE_HEADER_BYTES,
  type NetworkLayout,
  networkLayout,
  type NetworkShape,
  RECORD,
  THREAD,
  threadOf,
} from "./network_layout.ts";
import type { NetworkStart } from "./network_start.ts";
import { Port } from "./port.ts";

/** How many processes there are, and what they are like. */
export interface Shape {
  readonly processes: number;
  readonly nearPes: number;
  readonly ringBytes: number;
  readonly heapBytes: number;
  readonly injectBytes: number;
  readonly transferBytesMax: number;
  readonly transferPiecesMax: number;
  readonly orderedPutBytesMax: number;
  readonly anyBuffer: boolean;
  readonly oneHost: boolean;
  readonly habits: Partial<NetworkHabits>;
}

const SHAPE: Shape = {
  processes: 2,
  nearPes: 1,
  ringBytes: 4096,
  heapBytes: 65536,
  injectBytes: 0,
  transferBytesMax: 2 ** 30,
  transferPiecesMax: 4,
  orderedPutBytesMax: 0,
  anyBuffer: false,
  oneHost: false,
  habits: {},
};

const HABITS: NetworkHabits = {
  againOneOf: 0,
  buffers: true,
  reportsInjected: false,
  othersOneOf: 2,
  copiesInPlace: false,
  ordersPuts: false,
};

/** What messages to the processes of these tests begin with. */
const TOKENS = messageTokens(secretOf([makeShare()]), 64);

/** A process: its memory, and the port of its progress thread, which handles what comes. */
export interface Process {
  readonly rank: number;
  readonly layout: Layout;
  readonly net: NetworkLayout;
  readonly start: NetworkStart;
  readonly memory: WebAssembly.Memory;
  readonly views: MemoryViews;
  readonly progress: Port;
}

/** Processes and what is between them. */
export interface Processes {
  readonly network: FakeNetwork;
  readonly all: readonly Process[];
}

const module = compileKernels(false);

/**
 * Starts processes.
 *
 * @param changes What is not as usual.
 * @param chance Decides what the network does.
 * @returns The processes.
 */
export function startProcesses(
  changes: Partial<Shape> = {},
  chance: Chance = new Chance(),
): Processes {
  const shape = { ...SHAPE, ...changes };
  const network = new FakeNetwork(chance, { ...HABITS, ...shape.habits });
  const ranks = Array.from({ length: shape.processes }, (_, rank) => rank);
  const all = ranks.map((rank) => startProcess(rank, shape, network));
  return { network, all };
}

/** The address of a memory: its low half runs over inside of it. */
function addressOf(rank: number): number {
  return (rank + 1) * 2 ** 40 + 2 ** 32 - 0x60000;
}

function startProcess(rank: number, shape: Shape, network: FakeNetwork): Process {
  const { processes, nearPes, ringBytes, heapBytes } = shape;
  const numPes = processes * nearPes;
  const needs: NetworkShape = { nearPes, numPes, processes, batchBytes: ringBytes / 4 };
  const networkBytes = networkLayout(0, needs).bytes;
  const share = { numPes, firstPe: rank * nearPes, nearPes, networkBytes };
  const layout = layoutFor(share, ringBytes, heapBytes);
  const memory = createMemory(layout);
  const views = memoryViews(memory.buffer);
  const net = networkLayout(layout.network, needs);
  const start: NetworkStart = {
    layout,
    net,
    memoryAddress: addressOf(rank),
    rank,
    pesPerProcess: nearPes,
    pesOnHost: numPes,
    peers: Array.from({ length: processes }, (_, other) => ({
      address: ADDRESSES + BigInt(other),
      key: KEYS + BigInt(other),
      base: BigInt(addressOf(other) + layout.open),
      bell: 0n,
      host: `host${other}`,
    })),
    tokens: TOKENS.slice(0, 2 * processes),
    fabric: {
      provider: "fake",
      ep: 0n,
      cq: 0n,
      desc: 77n,
      anyBuffer: shape.anyBuffer,
      waits: true,
      waitObject: undefined,
      oneHost: shape.oneHost,
      injectBytes: shape.injectBytes,
      transferBytesMax: shape.transferBytesMax,
      transferPiecesMax: shape.transferPiecesMax,
      orderedPutBytesMax: shape.orderedPutBytesMax,
    },
  };
  network.join({ address: addressOf(rank), views, open: layout.open, work: () => {} });
  const progress = portOf({ start, memory, views }, net.nearPes, network);
  views.i32[(layout.open + OPEN.probe) >>> 2] = 1;
  progress.postReceives();
  const coalesced = Array.from({ length: nearPes }, (_, pe) => new CoalescedCall(progress, pe));
  network.setWork(rank, () => {
    progress.poll();
    for (const call of coalesced) call.flush(false);
  });
  return { rank, layout, net, start, memory, views, progress };
}

/**
 * Opens the port of a thread, and handles what comes there.
 *
 * @param process The process.
 * @param thread The thread.
 * @param network The network.
 * @returns The port.
 */
export function portOf(
  { start, memory, views }: Pick<Process, "start" | "memory" | "views">,
  thread: number,
  network: FakeNetwork,
): Port {
  const kernels = kernelsOf(start, memory, thread);
  const port = new Port(start, thread, kernels, views, network.calls(start.rank));
  new Arrivals(port);
  return port;
}

/** The kernels of a thread. */
export function kernelsOf(
  start: NetworkStart,
  memory: WebAssembly.Memory,
  thread: number,
): Kernels {
  const scratch = threadOf(start.net, thread) + THREAD.scratch;
  return instantiateKernels(memory, { memory64: false, module, scratch });
}

/** Looks at the network until nothing is under way. */
export function settleNetwork({ network, all }: Processes): void {
  for (let quiet = 0; quiet < 2;) {
    for (const { progress } of all) progress.poll();
    quiet = network.quiet ? quiet + 1 : 0;
  }
}

/** What a message has in its header. */
interface Header extends Partial<Record<"kind" | "a" | "b" | "c" | "bytes", number>> {
  readonly source?: number;
  readonly target?: number;
  /** Both words of the token. */
  readonly token?: readonly number[];
}

/** A message to the first process as it travels. */
export function messageOf(
  kind: number,
  words: Header = {},
  payload: Uint8Array = new Uint8Array(),
): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_HEADER_BYTES + payload.length);
  const header = new Int32Array(bytes.buffer, 0, MESSAGE_HEADER_BYTES / 4);
  const { source = 0, target = 0, token = TOKENS.subarray(0, 2), ...rest } = words;
  const ends = endsOf(source, target);
  const all = { bytes: payload.length, ends, ...rest, kind: words.kind ?? MAGIC | kind };
  for (const [name, value] of Object.entries(all)) header[WORD[name as keyof typeof WORD]] = value;
  header.set(token, WORD.token);
  bytes.set(payload, MESSAGE_HEADER_BYTES);
  return bytes;
}

/** Why the job of a process fails, or undefined. */
export function failureOf({ views }: Process): string | undefined {
  return isFailing(views) ? readFailure(views).text : undefined;
}

/** For how long nothing moved, as a process has heard of another. */
export function stalledMs({ net, views }: Process, rank: number): number {
  const now = Math.round(performance.timeOrigin + performance.now()) | 0;
  return (now - views.i32[net.stalled / 4 + rank]!) | 0;
}

/** The records of a process that are in use, but for those of receives. */
export function recordsInUse({ net, views }: Process): number[] {
  const numbers: number[] = [];
  const end = net.receives + (net.nearPes + 1) * (net.slots + net.transfers);
  for (let number = net.receives; number < end; number++) {
    const at = net.records + number * 128 + RECORD.pending;
    if (views.i32[at / 4] !== 0) numbers.push(number);
  }
  return numbers;
}

Deno.test("processes on the fake network send each other messages", () => {
  const processes = startProcesses();
  const [a, b] = processes.all as [Process, Process];
  const slot = a.progress.acquire();
  a.progress.head(slot, MESSAGE.beat, 0, 0, 4321);
  a.progress.send(slot, 1, 0);
  settleNetwork(processes);
  assertEquals(stalledMs(b, 0) >= 4321, true);
  assertEquals(b.views.i32[b.net.beats / 4], 1);
  assertEquals(recordsInUse(a), []);
  assertEquals(failureOf(b), undefined);
});
