import { assert, assertEquals } from "@std/assert";
import { FABRIC } from "../../ffi/mod.ts";
import { SCRATCH_BYTES } from "../../internal/kernels_spread.ts";
import { PES_MAX } from "../../internal/limits.ts";
import {
  COALESCED,
  COALESCED_MAX,
  COMPLETION_BYTES,
  COMPLETIONS_MAX,
  CONTROL,
  firstRecordOf,
  MESSAGE_HEADER_BYTES,
  type NetworkLayout,
  networkLayout,
  RECEIVE_CALL_BYTES,
  RECORD,
  RECORD_BYTES,
  recordCount,
  slotOf,
  THREAD,
  threadOf,
} from "./network_layout.ts";

const BASE = 3 * 65536;

function shapes(): NetworkLayout[] {
  const all: NetworkLayout[] = [];
  for (const nearPes of [1, 2, 3, 4, 64]) {
    for (const processes of [1, 2, 3, 4, 64, 256]) {
      if (nearPes * processes > PES_MAX) continue;
      for (const batchBytes of [1024, 8192, 65536]) {
        const numPes = nearPes * processes;
        all.push(networkLayout(BASE, { nearPes, numPes, processes, batchBytes }));
      }
    }
  }
  return all;
}

/** Every range of the area: where it begins, and its bytes. */
function ranges(net: NetworkLayout): [number, number][] {
  const found: [number, number][] = [];
  for (const word of Object.values(CONTROL)) found.push([net.control + word, 8]);
  found.push([net.beats, 4 * net.processes], [net.stalled, 4 * net.processes]);
  found.push([net.heads, 4 * net.nearPes * net.numPes]);
  for (let record = 0; record < recordCount(net); record++) {
    found.push([net.records + record * RECORD_BYTES, RECORD_BYTES]);
  }
  for (let receive = 0; receive < net.receives; receive++) {
    found.push([net.receiveCalls + receive * RECEIVE_CALL_BYTES, RECEIVE_CALL_BYTES]);
    found.push([net.receiveBuffers + receive * net.bufferBytes, net.bufferBytes]);
  }
  for (let thread = 0; thread <= net.nearPes; thread++) {
    found.push([threadOf(net, thread), THREAD.scratch + SCRATCH_BYTES]);
    for (let slot = 0; slot < net.slots; slot++) {
      found.push([slotOf(net, thread, slot), net.bufferBytes]);
    }
  }
  return found;
}

Deno.test("networkLayout() gives everything a place of its own inside the area", () => {
  for (const net of shapes()) {
    let end = BASE;
    for (const [at, bytes] of ranges(net).sort(([a], [b]) => a - b)) {
      assert(at >= end, `${at} is used twice in ${JSON.stringify(net)}`);
      end = at + bytes;
    }
    assert(end <= BASE + net.bytes, `the area is too short: ${JSON.stringify(net)}`);
  }
});

Deno.test("networkLayout() aligns records, buffers and payloads to what reads them", () => {
  for (const net of shapes()) {
    for (const at of [net.records, net.receiveBuffers, net.slotBuffers, net.threads]) {
      assertEquals(at % 64, 0);
    }
    assertEquals(net.bufferBytes % 64, 0);
    assertEquals(threadOf(net, 1) % 16, 0);
    assert(net.bufferBytes - MESSAGE_HEADER_BYTES >= net.batchBytes);
  }
});

Deno.test("networkLayout() is as long wherever the area begins", () => {
  const shape = { nearPes: 3, numPes: 9, processes: 3, batchBytes: 4096 };
  assertEquals(networkLayout(0, shape).bytes, networkLayout(BASE, shape).bytes);
});

Deno.test("the records of threads follow each other, the spare one is the last", () => {
  const net = networkLayout(BASE, { nearPes: 2, numPes: 4, processes: 2, batchBytes: 1024 });
  const perThread = net.slots + net.transfers;
  assertEquals(firstRecordOf(net, 0), net.receives);
  assertEquals(firstRecordOf(net, 2), net.receives + 2 * perThread);
  assertEquals(recordCount(net), net.receives + 3 * perThread);
});

Deno.test("the structures of libfabric fit where the layout has room for them", () => {
  const { fi_msg, fi_msg_rma, iovec, fi_rma_iov, fi_cq_msg_entry, fi_cq_err_entry } = FABRIC;
  assertEquals(fi_cq_msg_entry.bytes, COMPLETION_BYTES);
  assert(COMPLETIONS_MAX * COMPLETION_BYTES <= THREAD.failed - THREAD.completions);
  assert(fi_cq_err_entry.bytes <= THREAD.message - THREAD.failed);
  const descriptor = 8;
  const message = fi_msg.bytes + iovec.bytes + descriptor;
  assert(message <= THREAD.transfer - THREAD.message);
  assert(message <= RECEIVE_CALL_BYTES);
  const piece = iovec.bytes + fi_rma_iov.bytes + descriptor;
  const transfer = fi_msg_rma.bytes + piece;
  assert(transfer <= THREAD.ask - THREAD.transfer);
  assert(transfer <= THREAD.coalesced - THREAD.ask);
  const coalesced = COALESCED.call + fi_msg_rma.bytes + COALESCED_MAX * piece;
  assert(coalesced <= THREAD.scratch - THREAD.coalesced);
  assert(FABRIC.fi_context2.bytes <= RECORD.kind);
  assert(Math.max(...Object.values(RECORD)) + 4 <= RECORD_BYTES);
});

Deno.test("each word that all threads share has a line of its own", () => {
  const offsets = Object.values(CONTROL);
  assertEquals(new Set(offsets).size, offsets.length);
  assert(offsets.every((offset) => offset % 64 === 0));
  const net = networkLayout(BASE, { nearPes: 1, numPes: 2, processes: 2, batchBytes: 4096 });
  assertEquals(net.beats - net.control, 64 * offsets.length);
});
