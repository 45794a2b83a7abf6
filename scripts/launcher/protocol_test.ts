import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../internal/errors.ts";
import {
  encodeMessage,
  type FromAgent,
  parseFromAgent,
  parseToAgent,
  type ToAgent,
} from "./protocol.ts";

const TO: readonly ToAgent[] = [
  {
    type: "start",
    cwd: "/",
    deno: true,
    command: ["run", "a b\n"],
    env: { A: "é\n" },
    processes: [{ rank: 3, env: {} }],
  },
  { type: "pmi", ranks: [0, 2], line: "cmd=x" },
  { type: "entries", entries: { key: "value" } },
  { type: "signal", signal: "SIGTERM" },
  { type: "input", base64: "AA==" },
  { type: "beat" },
];

const FROM: readonly FromAgent[] = [
  { type: "hello", protocol: 1, version: "1", host: "h" },
  { type: "refused", rank: 0, why: "no" },
  { type: "output", rank: 1, isError: true, more: false, text: "a\n" },
  { type: "bytes", rank: 1, isError: false, more: true, base64: "/+A=" },
  { type: "pmi", rank: 0, line: "cmd=init" },
  { type: "exit", rank: 0, code: 1, signal: "" },
  { type: "more" },
  { type: "beat" },
];

Deno.test("every message comes out of its one line as it went in", () => {
  for (const message of TO) {
    assertEquals(parseToAgent(encodeMessage(message).trimEnd()), message);
  }
  for (const message of FROM) {
    const line = encodeMessage(message);
    assertEquals(line.indexOf("\n"), line.length - 1);
    assertEquals(parseFromAgent(line.trimEnd()), message);
  }
});

Deno.test("a message without a field, or with another kind of value, is refused", () => {
  const parsers = [[TO, parseToAgent], [FROM, parseFromAgent]] as const;
  for (const [messages, parse] of parsers) {
    for (const message of messages) {
      for (const name of Object.keys(message)) {
        for (const value of [undefined, null, -1, 1.5, {}, "ü", [null], "SIGUSR1"]) {
          const field = message[name as keyof typeof message];
          // A text stays a text, whatever it says.
          if (typeof field === "string" && typeof value === "string" && name !== "type") continue;
          if (Object.keys(value ?? [0]).length === 0 && /^e/.test(name)) continue;
          const line = JSON.stringify({ ...message, [name]: value });
          assertThrows(() => parse(line), ProtocolError, "Cannot read ");
        }
      }
    }
  }
});

Deno.test("lines that are no message of the side are refused with what they were", () => {
  for (const line of ["", "{", "null", "[]", "3", '{"type":3}', '{"type":"constructor"}']) {
    assertThrows(() => parseToAgent(line), ProtocolError, "Cannot read ");
    assertThrows(() => parseFromAgent(line), ProtocolError, "Cannot read ");
  }
  assertThrows(
    () => parseToAgent('{"type":"more"}'),
    ProtocolError,
    String.raw`Cannot read "{\"type\":\"more\"}": it is not a message of this side`,
  );
  assertThrows(
    () => parseToAgent('{"type":"signal","signal":"SIGUSR1"}'),
    ProtocolError,
    '"signal" has a wrong value',
  );
});
