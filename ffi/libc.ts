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

/** `MADV_HUGEPAGE` of madvise(2) on Linux. */
const MADV_HUGEPAGE = 14;

/** Largest page the advice is about: ranges are aligned to it. */
const HUGE_PAGE_BYTES = 2 * 1024 * 1024;

/**
 * Opens the C library with some of its functions, where that is allowed.
 *
 * @param functions The functions and their signatures
 * @param name The file of the library
 * @returns The library, or undefined if it may not be opened or lacks one of the functions
 */
export function openLibc<const S extends Deno.ForeignLibraryInterface>(
  functions: S,
  name: string | undefined = (LIBC as Record<string, string>)[Deno.build.os],
): Deno.DynamicLibrary<S> | undefined {
  if (!name || Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined;
  try {
    return Deno.dlopen(name, functions);
  } catch {
    return undefined;
  }
}

/**
 * Finds `sched_yield(2)`: gives the core to another thread that is ready to run on it.
 *
 * @returns The function, or undefined where foreign functions are not allowed or there is no such
 * function.
 */
export function schedYield(): (() => void) | undefined {
  const library = openLibc({
    // int sched_yield(void)
    sched_yield: { parameters: [], result: "i32" },
  });
  return library?.symbols.sched_yield;
}

/**
 * Asks for huge pages: random access to much memory misses the address cache far less with them.
 *
 * @param buffer Memory.
 * @param from First byte the advice is about.
 * @returns Whether the system took the advice.
 */
export function adviseHugePages(buffer: ArrayBufferLike, from: number): boolean {
  if (Deno.build.os !== "linux") return false;
  const library = openLibc({
    // int madvise(void addr[.length], size_t length, int advice)
    madvise: { parameters: ["pointer", "usize", "i32"], result: "i32" },
  });
  if (!library) return false;
  const base = Deno.UnsafePointer.of(new Uint8Array(buffer as ArrayBuffer));
  const start = Deno.UnsafePointer.value(base);
  // What lies before in the same page is small, and most programs never fill the next one.
  const page = Math.floor((Number(start) + from) / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
  const first = Math.max(page, Number(start));
  const bytes = Number(start) + buffer.byteLength - first;
  const taken = bytes > 0 &&
    library.symbols.madvise(
        Deno.UnsafePointer.create(BigInt(first)),
        BigInt(bytes),
        MADV_HUGEPAGE,
      ) ===
      0;
  library.close();
  return taken;
}

/** `POLLERR` and `POLLHUP` of poll(2): the other end is closed. */
const POLL_GONE = 8 | 16;

/**
 * Finds out whether somebody still reads what is written to a pipe or a socket.
 *
 * @param descriptor The descriptor that is written to.
 * @returns Tells whether nobody does; undefined where foreign functions are not allowed or there is
 * no such function.
 */
export function readerGone(descriptor: number): (() => boolean) | undefined {
  const library = openLibc({
    // int poll(struct pollfd *fds, nfds_t nfds, int timeout)
    poll: { parameters: ["buffer", "usize", "i32"], result: "i32" },
  });
  if (!library) return undefined;
  const { poll } = library.symbols;
  // struct pollfd { int fd; short events; short revents; }: those two come without being asked for.
  const watched = new Int16Array(4);
  new Int32Array(watched.buffer)[0] = descriptor;
  return () => poll(watched, 1n, 0) > 0 && (watched[3]! & POLL_GONE) !== 0;
}
