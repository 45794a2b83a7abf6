import { assert, assertEquals, assertThrows } from "@std/assert";
import { HandshakeError } from "../../internal/errors.ts";
import { fromValues, parsePmi, pmiNumber, toValues, valueCount } from "./pmi_wire.ts";
import { Nonsense } from "./random_test.ts";

Deno.test("Texts survive being cut into values, whatever their length", () => {
  for (const length of [0, 1, 251, 252, 253, 508, 509, 3000]) {
    const text = "ü".padEnd(length, "x").slice(0, length);
    const values = toValues(new TextEncoder().encode(text), 512);
    assert(values.every((value) => /^[0-9a-f]{1,512}$/.test(value)));
    assertEquals(valueCount(values[0]!, 512), values.length, `${length} bytes`);
    assertEquals(fromValues(values), text);
  }
});

Deno.test("A text of which a value is missing, cut or spoilt is refused", () => {
  const values = toValues(new TextEncoder().encode("x".repeat(600)), 512);
  assertEquals(values.length, 3);
  for (const wrong of [[], values.slice(0, 2), [...values, "00"], [values[0]!.slice(0, 4)]]) {
    assertThrows(() => fromValues(wrong), HandshakeError);
  }
});

Deno.test("parsePmi() takes what hydra and Slurm send", () => {
  const hydra = parsePmi("cmd=get_result rc=0 msg=success value=ab", "get_result");
  assertEquals(hydra.get("value"), "ab");
  const slurm = parsePmi("cmd=maxes rc=0 kvsname_max=256 keylen_max=64 vallen_max=1024", "maxes");
  assertEquals(pmiNumber(slurm, "vallen_max", 16), 1024);
});

Deno.test("100,000 spoilt lines are either read or refused with a HandshakeError", () => {
  const nonsense = new Nonsense();
  const lines = [
    "cmd=get_result rc=0 msg=success value=0000000161",
    "cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=1024",
    "cmd=set size=3",
  ];
  let refused = 0;
  for (let round = 0; round < 100_000; round++) {
    const line = nonsense.spoil(lines[round % lines.length]!);
    try {
      const fields = parsePmi(line, lines[round % lines.length]!.slice(4).split(" ")[0]!);
      if (fields.has("value")) fromValues([fields.get("value")!]);
      if (fields.has("size")) assert(pmiNumber(fields, "size", 1) >= 1);
    } catch (error) {
      assert(error instanceof HandshakeError, `seed ${nonsense.seed}, ${line}: ${error}`);
      refused++;
    }
  }
  assert(refused > 10_000, `only ${refused} refused`);
});
