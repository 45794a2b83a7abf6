/**
 * The few functions of the C library the runtime calls, all optional: without the permission, or on
 * another system, the runtime does without.
 *
 * @module
 */

const LIBC = {
  linux: "libc.so.6",
  darwin: "libSystem.dylib",
} as const;

/**
 * Finds `sched_yield(2)`: gives the core to whoever is ready to run on it.
 *
 * @returns The function, or undefined where foreign functions are not allowed or there is no such
 * function.
 */
export function schedYield(): (() => void) | undefined {
  const name = (LIBC as Record<string, string>)[Deno.build.os];
  if (!name || Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined;
  try {
    const library = Deno.dlopen(name, {
      // int sched_yield(void)
      sched_yield: { parameters: [], result: "i32" },
    });
    return library.symbols.sched_yield;
  } catch {
    return undefined;
  }
}
