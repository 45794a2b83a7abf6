/**
 * Errors in handlers reach whoever launched the AM.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { am, RemoteError, u32 } from "../../../mod.ts";
import { type Case, errorOf, rightOf, several } from "../case.ts";

function innermost(text: string): never {
  throw new RangeError(text);
}
const Throw = am("errors.Throw", (self: { text: string }) => innermost(self.text));
const ThrowLater = am("errors.ThrowLater", async (self: { text: string }) => {
  await undefined;
  innermost(self.text);
});
const THROWN: readonly unknown[] = ["text", 5, null, undefined, { code: 7 }, [1]];
const ThrowValue = am("errors.ThrowValue", { index: u32 }, (self) => {
  throw THROWN[self.index];
});
const ThrowAt = am("errors.ThrowAt", { pe: u32 }, (self, lamellar) => {
  if (lamellar.currentPe === self.pe) innermost(`on PE ${self.pe}`);
  return lamellar.currentPe;
});
const Relay = am("errors.Relay", { pe: u32 }, async (self, lamellar) => {
  await lamellar.world.execAmPe(self.pe, Throw({ text: "relayed" }));
});
const Catch = am("errors.Catch", { pe: u32 }, async (self, lamellar) => {
  try {
    await lamellar.world.execAmPe(self.pe, Throw({ text: "caught" }));
    return "nothing was thrown";
  } catch (error) {
    return (error as Error).message;
  }
});
const ReturnThrow = am("errors.ReturnThrow", {}, () => Throw({ text: "at the origin" }));
const BadResult = am("errors.BadResult", {}, () => ({ f: () => 1 }) as unknown);
const Fine = am("errors.Fine", {}, () => "fine");

/** The cases of rows AM-16, W-20 and P-24. */
export const AM_ERROR_CASES: readonly Case[] = [
  {
    name: "An error in a handler reaches the caller with the PE, the message and the remote stack",
    async run(world) {
      const calls = [Throw({ text: "too far" }), ThrowLater({ text: "too far" })];
      for (const [i, call] of calls.entries()) {
        const right = rightOf(world);
        const error = await errorOf(() => world.execAmPe<unknown>(right, call));
        assertInstanceOf(error, RemoteError);
        assertEquals(error.code, "ERR_REMOTE");
        assertEquals(error.pe, right);
        assertEquals(error.op, `AM "${[Throw, ThrowLater][i]!.amName}"`);
        assertStringIncludes(error.message, `failed on PE ${right}: RangeError: too far`);
        const cause = error.cause as Error;
        assertEquals([cause.name, cause.message], ["RangeError", "too far"]);
        assertMatch(cause.stack!, /innermost/);
        assertMatch(cause.stack!, /am_errors\.ts/);
      }
    },
  },
  {
    name: "block() throws the error of a handler",
    run(world) {
      const handle = world.execAmPe(rightOf(world), Throw({ text: "blocked" }));
      const error = assertThrows(() => handle.block(), RemoteError, "RangeError: blocked");
      assertEquals(error.pe, rightOf(world));
    },
  },
  {
    name: "A handler may throw what is no Error",
    async run(world) {
      for (let index = 0; index < THROWN.length; index++) {
        const error = await errorOf(() => world.execAmPe(rightOf(world), ThrowValue({ index })));
        assertInstanceOf(error, RemoteError);
        assertStringIncludes(error.message, Deno.inspect(THROWN[index]));
      }
    },
  },
  {
    name: "execAmAll() rejects if one PE fails, and names it",
    async run(world) {
      const bad = world.numPes - 1;
      const error = await errorOf(() => world.execAmAll(ThrowAt({ pe: bad })));
      assertInstanceOf(error, RemoteError);
      assertEquals(error.pe, bad);
      await world.awaitAll();
    },
  },
  {
    name: "An error passes through a handler that awaits, with both PEs in the chain of causes",
    async run(world) {
      const [first, second] = [rightOf(world), (world.myPe + 2) % world.numPes];
      const error = await errorOf(() => world.execAmPe(first, Relay({ pe: second })));
      assertInstanceOf(error, RemoteError);
      assertEquals(error.pe, first);
      assertStringIncludes(error.message, `AM "errors.Throw" failed on PE ${second}`);
    },
  },
  {
    name: "A handler can catch the error of an AM it launched",
    async run(world) {
      const message = await world.execAmPe(rightOf(world), Catch({ pe: world.myPe }));
      assertStringIncludes(message, "RangeError: caught");
    },
  },
  {
    name: "The error of a returned AM reaches the caller from its own PE",
    async run(world) {
      const error = await errorOf(() => world.execAmPe(rightOf(world), ReturnThrow({})));
      assertInstanceOf(error, RemoteError);
      assertEquals(error.pe, world.myPe);
      assertStringIncludes(error.message, "at the origin");
    },
  },
  {
    name: "A result that cannot be sent is the handler's error, with its path",
    pes: several,
    async run(world) {
      const error = await errorOf(() => world.execAmPe(rightOf(world), BadResult({})));
      assertInstanceOf(error, RemoteError);
      assertStringIncludes(error.message, "result.f");
    },
  },
  {
    name: "Errors in the midst of others harm nothing",
    async run(world) {
      const handles = Array.from({ length: 300 }, (_, i) => {
        const pe = (world.myPe + i) % world.numPes;
        if (i % 3 === 0) return world.execAmPe<string>(pe, Throw({ text: `${i}` }));
        return world.execAmPe(pe, Fine({}));
      });
      const results = await Promise.allSettled(handles);
      results.forEach((result, i) => {
        if (i % 3 !== 0) assertEquals(result.status === "fulfilled" && result.value, "fine");
        else assert(result.status === "rejected" && result.reason.message.endsWith(`: ${i}`));
      });
      await assertRejects(
        () => world.execAmPe(rightOf(world), Throw({ text: "" })).then(),
        RemoteError,
      );
    },
  },
];
