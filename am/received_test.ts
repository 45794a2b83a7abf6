import { assertEquals, assertRejects } from "@std/assert";
import { RemoteError } from "../internal/errors.ts";
import { registerExtension } from "./msgpack/msgpack_codec.ts";
import { type EnginePes, enginePes, microtasks, type TestAm } from "./pes_test.ts";

/** What the handles that arrived have done, by the PE to which they came. */
const done: string[] = [];
let pes: EnginePes;
let arrivesAt = 1;
let refuses = false;

/** A handle that lasts as long as its handler. */
class Brief {
  isOpen = true;
}

registerExtension({
  type: 112,
  match: (value) => value instanceof Brief,
  encode: (value) => Uint8Array.of((value as Brief).isOpen ? 1 : 0),
  decode: (bytes) => {
    const brief = new Brief();
    if (bytes[0] === 0) done.push("closed when it was sent");
    const { received } = pes.engines[arrivesAt]!;
    received.add({
      [Symbol.dispose]() {
        brief.isOpen = false;
        done.push(`disposed at ${arrivesAt}`);
      },
    });
    if (refuses) received.refuse(new RangeError("not here"));
    return brief;
  },
});

let gate = Promise.withResolvers<void>();
let kept: Brief | undefined;
const AMS: Record<string, TestAm> = {
  Nothing: { handler: (self) => void (kept = self.one) },
  Throws: {
    handler: () => {
      throw new Error("thrown");
    },
  },
  Returns: {
    handler: (self) => {
      arrivesAt = 0;
      return self.one;
    },
  },
  Waits: {
    handler: async (self) => {
      await gate.promise;
      done.push(`open ${self.one.isOpen}`);
    },
  },
  AtOrigin: {
    handler: (self) => {
      arrivesAt = 0;
      return pes.call("Waits", self);
    },
  },
};

function start(): EnginePes {
  pes = enginePes(AMS, { numPes: 2 });
  arrivesAt = 1;
  done.length = 0;
  return pes;
}

Deno.test("What a payload brings is given back when its handler is over", async () => {
  const { engines: [a], network, call } = start();
  const one = new Brief();
  a!.launch(1, call("Nothing", { one, again: one })).block();
  assertEquals([done.splice(0), kept!.isOpen], [["disposed at 1", "disposed at 1"], false]);
  a!.launchClosure(1, (brief: Brief) => brief.isOpen, [one]).block();
  assertEquals(done.splice(0), ["disposed at 1"]);
  await assertRejects(async () => await a!.launch(1, call("Throws", { one })), RemoteError);
  assertEquals(done.splice(0), ["disposed at 1"]);
  network.close();
});

Deno.test("What a payload brings lasts until the async part of its handler is over", async () => {
  for (const name of ["Waits", "AtOrigin"]) {
    const { engines: [a], network, call } = start();
    gate = Promise.withResolvers();
    const handle = a!.launch(1, call(name, { one: new Brief() }));
    await microtasks();
    network.settle();
    assertEquals(done.splice(0), name === "Waits" ? [] : ["disposed at 0"]);
    gate.resolve();
    await handle;
    await microtasks();
    const at = name === "Waits" ? 1 : 0;
    assertEquals(done.splice(0), ["open true", `disposed at ${at}`]);
    network.close();
  }
});

Deno.test("What a result brings belongs to whoever gets it, or is given back", async () => {
  const { engines: [a], network, call } = start();
  const got = await a!.launch(1, call("Returns", { one: new Brief() })) as Brief;
  assertEquals([got.isOpen, done.splice(0)], [true, ["disposed at 0"]]);
  arrivesAt = 1;
  const signal = AbortSignal.abort(new Error("not wanted"));
  const given = a!.launch(1, call("Returns", { one: new Brief() }), { signal });
  await assertRejects(async () => await given, Error, "not wanted");
  network.settle();
  assertEquals(done.splice(0), ["disposed at 0", "disposed at 0"]);
  network.close();
});

Deno.test("A payload that brings what its PE refuses runs nothing, and its sender is told", () => {
  const { engines: [a], network, call } = start();
  refuses = true;
  kept = undefined;
  let error: unknown;
  try {
    a!.launch(1, call("Nothing", { one: new Brief() })).block();
  } catch (thrown) {
    error = thrown;
  }
  refuses = false;
  assertEquals([(error as Error).message.includes("RangeError: not here"), kept], [
    true,
    undefined,
  ]);
  assertEquals(done.splice(0), ["disposed at 1"]);
  network.close();
});
