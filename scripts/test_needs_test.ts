import { assertEquals } from "@std/assert";
import { type Need, provide } from "./test_needs.ts";

const COMPILER: Need = { name: "a", probe: ["a"], packages: ["pa", "pb"], without: "floors" };
const RIVAL: Need = { name: "b", probe: ["b"], packages: ["pb"], without: "rivals" };

Deno.test("provide() installs nothing when everything is there", async () => {
  const ran: string[] = [];
  const lines = await provide([COMPILER, RIVAL], true, (command) => {
    ran.push(command.join(" "));
    return Promise.resolve(true);
  });
  assertEquals([lines, ran], [[], ["a", "b"]]);
});

Deno.test("provide() installs each missing package once and looks again", async () => {
  const ran: string[] = [];
  let installed = false;
  const lines = await provide([COMPILER, RIVAL], true, (command) => {
    ran.push(command.join(" "));
    if (command[1] === "install") installed = true;
    return Promise.resolve(installed || command[0] === "apt-get");
  });
  assertEquals(lines, []);
  assertEquals(ran.filter((line) => line.startsWith("apt-get ")), [
    "apt-get --version",
    "apt-get update -q",
    "apt-get install -y -q --no-install-recommends pa pb",
  ]);
});

Deno.test("provide() says what could not be installed, why, and what is left out", async () => {
  const none = await provide([COMPILER], false, () => Promise.resolve(false));
  assertEquals(none, [
    "not installed: a (pa, pb), installing needs root and apt-get; left out: floors",
  ]);
  const ran: string[] = [];
  const failed = await provide([COMPILER, RIVAL], true, (command) => {
    ran.push(command.at(-1)!);
    if (command.at(-1) === "--version") return Promise.resolve(true);
    return Promise.resolve(command[0] === "b" && ran.filter((one) => one === "pb").length > 1);
  });
  assertEquals(failed, [
    "not installed: a (pa, pb), apt-get could not install it; left out: floors",
  ]);
});
