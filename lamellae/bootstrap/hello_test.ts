import { assert, assertEquals, assertThrows } from "@std/assert";
import { HandshakeError } from "../../internal/errors.ts";
import { compareHello, type Hello, parseHello, platformHello } from "./hello.ts";
import { Nonsense } from "./random_test.ts";

const HELLO: Hello = {
  ...platformHello(),
  host: "n1",
  protocol: 1,
  version: "0.1.0",
  pesPerProcess: 2,
  heapBytes: 8388608,
  ringBytes: 65536,
  closures: false,
  barrierFactor: 3,
  sharing: "by default",
  provider: "tcp;ofi_rxm",
};

Deno.test("parseHello() reads a greeting, and passes over what is new", () => {
  assertEquals(parseHello(JSON.stringify(HELLO), 0), HELLO);
  assertEquals(parseHello(JSON.stringify({ ...HELLO, later: 1 }), 0), HELLO);
});

Deno.test("parseHello() refuses a field that is missing, of another type, or too long", () => {
  const wrong: [Record<string, unknown>, string][] = [
    [{ heapBytes: undefined }, "heapBytes is undefined"],
    [{ heapBytes: 1.5 }, "heapBytes is 1.5"],
    [{ host: 7 }, "host is 7"],
    [{ closures: "no" }, 'closures is "no"'],
    [{ provider: "x".repeat(300) }, `provider is "${"x".repeat(59)}`],
  ];
  for (const [field, why] of wrong) {
    const text = JSON.stringify({ ...HELLO, ...field });
    const { message } = assertThrows(() => parseHello(text, 3), HandshakeError);
    assert(message.startsWith('Rank 3 sent the greeting "{'), message);
    assert(message.endsWith(`, and ${why}`), message);
  }
  assertThrows(
    () => parseHello("", 3),
    HandshakeError,
    'Rank 3 sent the greeting "", and it is no',
  );
  assertThrows(() => parseHello("null", 3), HandshakeError, "and it is not an object");
});

Deno.test("100,000 spoilt greetings are either read or refused with a HandshakeError", () => {
  const nonsense = new Nonsense();
  const text = JSON.stringify(HELLO);
  let refused = 0;
  for (let round = 0; round < 100_000; round++) {
    const spoilt = nonsense.spoil(text);
    try {
      const hello = parseHello(spoilt, 1);
      compareHello([HELLO, hello]);
      assert(Number.isSafeInteger(hello.heapBytes));
    } catch (error) {
      assert(error instanceof HandshakeError, `seed ${nonsense.seed}, ${spoilt}: ${error}`);
      refused++;
    }
  }
  assert(refused > 10_000, `only ${refused} refused`);
});

Deno.test("compareHello() finds nothing where all are the same, whatever their hosts", () => {
  assertEquals(compareHello([HELLO]), []);
  assertEquals(compareHello([HELLO, { ...HELLO, host: "n2" }]), []);
});

Deno.test("compareHello() names ranks, hosts and values of a difference", () => {
  const all = Array.from({ length: 4 }, () => HELLO);
  all[3] = { ...HELLO, host: "n2", heapBytes: 4194304 };
  assertEquals(compareHello(all), [
    "rank 3 on host n2 has heap size 4194304, ranks 0-2 on host n1 have 8388608",
  ]);
});

Deno.test("compareHello() lists every difference in every field at once", () => {
  const fields: Omit<Hello, "host"> = {
    protocol: 2,
    version: "0.2.0",
    deno: "3.0.0",
    arch: "riscv",
    endian: HELLO.endian === "little" ? "big" : "little",
    pesPerProcess: 1,
    heapBytes: 1,
    ringBytes: 2,
    closures: true,
    barrierFactor: 4,
    sharing: "refused",
    provider: "",
  };
  const found = compareHello([HELLO, { ...HELLO, ...fields, host: "n2" }]);
  assertEquals(found.length, Object.keys(fields).length);
  const start = "rank 1 on host n2 has ";
  assert(found.every((line) => line.startsWith(start)));
  assertEquals(found.slice(-4).map((line) => line.slice(start.length)), [
    "closures allowed, rank 0 on host n1 has not allowed",
    "barrier factor 4, rank 0 on host n1 has 3",
    "shared memory refused, rank 0 on host n1 has by default",
    'provider "", rank 0 on host n1 has tcp;ofi_rxm',
  ]);
});

Deno.test("compareHello() groups ranks and hosts, and does not name hundreds of them", () => {
  const all = Array.from({ length: 100 }, (_, rank) => ({
    ...HELLO,
    host: `n${rank}`,
    barrierFactor: rank % 2 === 0 ? 3 : 4,
  }));
  const [line] = compareHello(all);
  assertEquals(
    line,
    "ranks 1, 3, 5, 7, 9, 11 and 44 more on hosts n1, n3, n5, n7, n9, n11 and 44 more have " +
      "barrier factor 4, ranks 0, 2, 4, 6, 8, 10 and 44 more on hosts n0, n2, n4, n6, n8, n10 " +
      "and 44 more have 3",
  );
  const three = [HELLO, { ...HELLO, ringBytes: 1 }, { ...HELLO, host: "n3", ringBytes: 2 }];
  assertEquals(compareHello(three), [
    "rank 1 on host n1 has ring size 1, rank 2 on host n3 has 2, rank 0 on host n1 has 65536",
  ]);
});
