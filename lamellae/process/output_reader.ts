/**
 * Notices that nobody reads the standard output any more, as after `| head`. Other programs are
 * ended by SIGPIPE at their next write then. Deno ignores that signal, and its console does not say
 * that a write failed, so the program would go on for nobody.
 *
 * @module
 */

import { readerGone } from "../../ffi/libc.ts";

/** Exit code of a program that SIGPIPE has ended. */
export const BROKEN_PIPE_EXIT_CODE = 141;

/** Methods of the console that write nothing to the standard output. */
const OTHER_METHODS: readonly string[] = ["error", "warn", "assert", "trace", "time", "clear"];

/**
 * Looks before each write of this Worker whether the standard output has a reader.
 *
 * @param leave Ends the Worker.
 * @returns Tells whether the reader has gone.
 */
export function watchReader(leave: () => never): () => boolean {
  const isGone = Deno.stdout.isTerminal() ? undefined : readerGone(1);
  if (!isGone) return () => false;
  const check = (): void => {
    if (isGone()) leave();
  };
  const methods = console as unknown as Record<string, unknown>;
  for (const [name, method] of Object.entries(methods)) {
    if (typeof method !== "function" || OTHER_METHODS.includes(name)) continue;
    methods[name] = (...args: unknown[]) => {
      check();
      return method.apply(console, args);
    };
  }
  // Raw writes say by themselves that they fail, unless they are collected to lines.
  const stream = Deno.stdout;
  for (const name of ["write", "writeSync"] as const) {
    const write = stream[name] as (bytes: Uint8Array) => unknown;
    Object.assign(stream, {
      [name]: (bytes: Uint8Array) => {
        check();
        return write.call(stream, bytes);
      },
    });
  }
  return isGone;
}
