import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { readConfig } from "../../internal/config.ts";
import { HandshakeError } from "../../internal/errors.ts";
import { startAlone } from "../bootstrap/alone.ts";
import { greet, type Greeted } from "./greeting.ts";

type Fields = Record<string, unknown>;

/** Greets another process, whose greeting is this one's with changes. */
function greetOther(changes: Fields): Promise<Greeted> {
  const bootstrap = {
    ...startAlone("other"),
    size: 2,
    exchange: (text: string) => {
      const own: Fields = JSON.parse(text);
      return Promise.resolve([text, JSON.stringify({ ...own, ...changes })]);
    },
  };
  return greet(bootstrap, {
    config: readConfig(() => undefined),
    version: "1.2.3",
    pes: { numPes: 2, firstPe: 0, nearPes: 1 },
    memory: "",
  });
}

Deno.test("processes are together if host and network are, whatever the name", async () => {
  const together = async (changes: Fields): Promise<boolean> =>
    (await greetOther(changes)).together;
  assertEquals(await together({ host: "elsewhere" }), true);
  assertEquals(await together({ place: "5f2c net:[4026531840]" }), false);
  assertEquals(await together({ place: "" }), false);
  assertEquals(await together({ place: undefined }), false);
});

Deno.test("every greeting has a fresh share of the secret", async () => {
  const [first, second] = [await greetOther({}), await greetOther({})];
  assertNotEquals(first.secret, second.secret);
  for (const share of [undefined, "", "0".repeat(31), 5]) {
    await assertRejects(
      () => greetOther({ share }),
      HandshakeError,
      "Rank 1 sent a greeting without its share of the secret",
    );
  }
});
