import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../internal/errors.ts";
import { memoryViews } from "../internal/memory_views.ts";
import {
  type DarcId,
  type DarcMessage,
  HEAD_BYTES,
  readMessage,
  textOf,
  writeMessage,
} from "./messages.ts";
import { newSeed, randomNumbers } from "../internal/random_test_numbers.ts";

const ID = { teamId: 2 ** 52 + 1, number: 70_000 };

const MESSAGES: readonly DarcMessage[] = [
  { kind: "acknowledge", count: 3 },
  { kind: "freed" },
  { kind: "askHeld" },
  { kind: "held", count: 2, origins: "1 clone of a Darc made at é.ts:1:2" },
  { kind: "held", count: 0, origins: "" },
  { kind: "ask", ticket: 5, mode: "read" },
  { kind: "try", ticket: 6, mode: "write" },
  { kind: "leave", ticket: -7 },
  { kind: "watch", ticket: 8 },
  { kind: "grant", ticket: -9 },
  { kind: "deny", ticket: 10 },
  { kind: "tell", ticket: 11, mode: "write", pe: -1, count: 4, heldMs: 123 },
];

function encodeMessage(id: DarcId, message: DarcMessage): Uint8Array {
  const text = textOf(message);
  const bytes = HEAD_BYTES + text.length;
  const views = memoryViews(new ArrayBuffer((bytes + 7) & ~7));
  views.u8.fill(0xff);
  writeMessage(views, 0, id, message, text);
  return views.u8.slice(0, bytes);
}

/** Reads bytes behind others, as they are in a ring. */
function read(bytes: Uint8Array): ReturnType<typeof readMessage> {
  const views = memoryViews(new ArrayBuffer(4096));
  views.u8.fill(0xff);
  views.u8.set(bytes, 16);
  return readMessage(views, 16, bytes.length);
}

Deno.test("Messages about Darcs arrive as they were sent", () => {
  for (const message of MESSAGES) {
    assertEquals(read(encodeMessage(ID, message)), { id: ID, message });
  }
  const long = encodeMessage(ID, { kind: "held", count: 1, origins: "x".repeat(9000) });
  const { message } = read(long);
  assertEquals(message.kind === "held" && message.origins, "x".repeat(2000));
});

Deno.test("Bytes that are no message about a Darc are refused, whatever they are", () => {
  const seed = newSeed();
  const random = randomNumbers(seed);
  assertThrows(() => read(new Uint8Array(39)), ProtocolError, "of 39 bytes");
  assertThrows(() => read(new Uint8Array(40).fill(255)), ProtocolError, "of kind -1");
  const badMode = encodeMessage(ID, MESSAGES[5]!);
  new Int32Array(badMode.buffer, 16)[2] = 2;
  assertThrows(() => read(badMode), ProtocolError);
  for (let i = 0; i < 5000; i++) {
    const bytes = encodeMessage(ID, MESSAGES[i % MESSAGES.length]!);
    for (let k = 0; k < 3; k++) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(256 * random());
    }
    try {
      read(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw new Error(`TEST_SEED=${seed}`, { cause: error });
    }
  }
});
