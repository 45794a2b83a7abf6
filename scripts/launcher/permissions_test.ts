import { assertEquals } from "@std/assert";
import { type PermissionQuery, processFlags } from "./permissions.ts";

const ALWAYS = ["--quiet", "--no-prompt"];
const ENV = "--allow-env=PMI_*,LAMELLAR_*";
const FILES = [new URL("file:///app/a%20b.ts"), new URL("file:///library/")];
const URLS = [new URL("https://a.b/c.ts"), new URL("https://a.b/"), new URL("http://c:8/")];

/** All of some kinds, and the paths and hosts whose names have an `a` in them. */
function allows(...kinds: readonly string[]): PermissionQuery {
  return (descriptor) => {
    const { name } = descriptor;
    const part = (descriptor as { path?: string }).path ?? (descriptor as { host?: string }).host;
    return kinds.includes(name) || part?.includes("a") ? "granted" : "prompt";
  };
}

Deno.test("processFlags() gives all permissions only to a launcher that has them all", () => {
  const all = ["read", "write", "net", "env", "run", "sys", "ffi", "import"];
  assertEquals(processFlags([], FILES, allows(...all)), [...ALWAYS, "-A"]);
  assertEquals(processFlags([], FILES, allows("ffi", "read")), [
    ...[...ALWAYS, "--allow-read", "--allow-ffi", ENV],
  ]);
  assertEquals(processFlags([], [], allows("env")), [...ALWAYS, "--allow-env"]);
});

Deno.test("processFlags() lets processes load what the launcher may load", () => {
  assertEquals(processFlags([], FILES, allows()), [
    ...ALWAYS,
    ENV,
    "--allow-read=/app/a b.ts,/library/",
  ]);
  assertEquals(processFlags([], URLS, allows()), [...ALWAYS, ENV, "--allow-import=a.b"]);
});

Deno.test("processFlags() gives what is asked for, and the environment in any case", () => {
  const flags = (asked: string[]) => processFlags(asked, FILES, () => "granted");
  assertEquals(flags(["--allow-ffi"]), [...ALWAYS, "--allow-ffi", ENV]);
  for (const own of ["-A", "--allow-all", "-E", "--allow-env", "--allow-env=HOME"]) {
    assertEquals(flags([own]), [...ALWAYS, own]);
  }
});
