import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FeatureLevelError } from "./errors.ts";
import { checkDeno, checkPermissions, DENO_MINIMUM, permissionTable } from "./platform.ts";

Deno.test("checkDeno() accepts the minimum, whatever is newer, and the Deno that runs this", () => {
  for (const version of [DENO_MINIMUM, "2.9.6", "2.10.0", "3.0.0", "2.9.0+abc", "2.10.1-rc.1"]) {
    checkDeno(version);
  }
  checkDeno();
});

Deno.test("checkDeno() names both versions when this one is too old", () => {
  for (const version of ["2.8.9", "1.46.3", "2.8.0-rc.1"]) {
    assertThrows(
      () => checkDeno(version),
      FeatureLevelError,
      `Cannot run on Deno ${version}: Lamellar needs Deno 2.9.0 or newer`,
    );
  }
});

Deno.test("checkPermissions() names the flag that is missing", () => {
  for (const state of ["denied", "prompt"] as const) {
    assertThrows(
      () => checkPermissions("file:///app.ts", () => state),
      FeatureLevelError,
      "Cannot start PEs from file:///app.ts: permission to read it is missing; " +
        "run with --allow-read",
    );
    assertThrows(
      () => checkPermissions("http://localhost:81/app.ts", () => state),
      FeatureLevelError,
      "run with --allow-import=localhost:81",
    );
  }
});

Deno.test("checkPermissions() asks for what the kind of module needs and nothing else", () => {
  const asked: string[] = [];
  const query = (descriptor: Deno.PermissionDescriptor): Deno.PermissionState => {
    asked.push(JSON.stringify(descriptor));
    return "granted";
  };
  checkPermissions("file:///app.ts", query);
  checkPermissions("https://example.com/app.ts", query);
  checkPermissions("data:text/javascript,", query);
  assertEquals(asked, [
    '{"name":"read","path":"file:///app.ts"}',
    '{"name":"import","host":"example.com"}',
  ]);
});

Deno.test("checkPermissions() reads the permissions of this process by default", () => {
  checkPermissions(import.meta.url);
});

Deno.test("permissionTable() has a row for each permission", () => {
  assertStringIncludes(permissionTable(), "| `--allow-env` | Read the `LAMELLAR_…` variables | ");
  assertEquals(permissionTable().split("\n").length, 7);
});
