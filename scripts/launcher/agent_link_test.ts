import { assertEquals } from "@std/assert";
import { reasonOf } from "./agent_link.ts";

Deno.test("reasonOf() finds the error of Deno above its stack, without colours", () => {
  const said = "\x1b[0m\x1b[1m\x1b[31merror\x1b[0m: Uncaught (in promise) TypeError: no pipe\n" +
    "    at \x1b[36mfile:///a/agent.ts\x1b[0m:\x1b[33m144\x1b[0m:9\n";
  assertEquals(reasonOf(said), "Uncaught (in promise) TypeError: no pipe");
});

Deno.test("reasonOf() takes the last line of any other command, and nothing from silence", () => {
  assertEquals(
    reasonOf("Warning: added a key\r\nssh: no route to host\r\n"),
    "ssh: no route to host",
  );
  assertEquals(reasonOf(" \n\n"), undefined);
});
