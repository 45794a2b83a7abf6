/**
 * Native memory and functions at addresses, for what runs once: every access here costs about a
 * microsecond. What runs often goes through ffi/fabric_calls.ts.
 *
 * @module
 */

import { FeatureLevelError } from "../internal/errors.ts";
import { openLibc } from "./libc.ts";

/** What dlopen(3) is about: in old C libraries it lives in a library of its own. */
const LOADER = {
  // void *dlopen(const char *filename, int flags)
  dlopen: { parameters: ["buffer", "i32"], result: "u64" },
  // void *dlvsym(void *handle, const char *symbol, const char *version)
  dlvsym: { parameters: ["u64", "buffer", "buffer"], result: "u64" },
  // void *dlsym(void *handle, const char *symbol)
  dlsym: { parameters: ["u64", "buffer"], result: "u64" },
  // int dlclose(void *handle)
  dlclose: { parameters: ["u64"], result: "i32" },
  // char *dlerror(void)
  dlerror: { parameters: [], result: "u64" },
} as const;

const LIBC = {
  // char *strdup(const char *s)
  strdup: { parameters: ["buffer"], result: "u64" },
  // void free(void *ptr)
  free: { parameters: ["u64"], result: "void" },
  // int sigaction(int signum, const struct sigaction *act, struct sigaction *oldact)
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
} as const;

/** The C library, as far as libfabric and its like need it. */
export interface Libc {
  /** Functions that load libraries. */
  readonly loader: Deno.DynamicLibrary<typeof LOADER>["symbols"];
  /** Memory and signals. */
  readonly symbols: Deno.DynamicLibrary<typeof LIBC>["symbols"];
}

let opened: Libc | undefined;

/**
 * Opens the C library, once.
 *
 * @param purpose What cannot be done without it, after "Cannot"
 * @returns Its functions
 * @throws {FeatureLevelError} If foreign functions are not allowed, or the C library is another one
 */
export function libc(purpose: string): Libc {
  if (opened !== undefined) return opened;
  const { state, partial } = Deno.permissions.querySync({ name: "ffi" });
  if (state !== "granted" || partial === true) {
    throw new FeatureLevelError(
      `Cannot ${purpose}: permission for foreign functions is missing, or given for some paths ` +
        "only; run with --allow-ffi, without paths",
    );
  }
  const symbols = openLibc(LIBC)?.symbols;
  const loader = (openLibc(LOADER) ?? openLibc(LOADER, "libdl.so.2"))?.symbols;
  if (symbols === undefined || loader === undefined) {
    throw new FeatureLevelError(
      `Cannot ${purpose}: it needs Linux with the GNU C library, this is ${Deno.build.target}`,
    );
  }
  return opened = { loader, symbols };
}

/**
 * A text as C has it.
 *
 * @param text Text without a zero character
 * @returns Its UTF-8 bytes and a zero
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/**
 * Reads a text that ends with a zero.
 *
 * @param address Where it starts; 0 stands for no text
 * @returns The text
 */
export function textAt(address: bigint): string {
  const pointer = Deno.UnsafePointer.create(address);
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/**
 * Makes a view of native memory; it must not be used after that memory is freed.
 *
 * @param address Where it starts
 * @param bytes How long it is
 * @returns The view
 */
export function viewAt(address: bigint, bytes: number): DataView<ArrayBuffer> {
  const pointer = Deno.UnsafePointer.create(address);
  if (pointer === null) throw new TypeError("Cannot view memory at address 0");
  return new DataView(Deno.UnsafePointerView.getArrayBuffer(pointer, bytes));
}

/**
 * Reads a 64-bit word, such as a pointer or a `size_t`.
 *
 * @param address Where it stands
 * @returns Its value
 */
export function wordAt(address: bigint): bigint {
  const pointer = Deno.UnsafePointer.create(address);
  if (pointer === null) throw new TypeError("Cannot read memory at address 0");
  return new Deno.UnsafePointerView(pointer).getBigUint64();
}

/**
 * Makes a function at an address callable. A call costs 1 to 3 microseconds.
 *
 * @param address Where its code is
 * @param definition Its parameters and result
 * @returns The function
 */
export function functionAt<const D extends Deno.ForeignFunction>(
  address: bigint,
  definition: D,
): Deno.UnsafeFnPointer<D> {
  const pointer = Deno.UnsafePointer.create(address);
  if (pointer === null) throw new TypeError("Cannot call address 0");
  return new Deno.UnsafeFnPointer(pointer as Deno.PointerObject<D>, definition);
}

/**
 * The address of the first byte of a buffer. It holds as long as the buffer is alive and is not
 * resized; a shared buffer has the same one in every Worker.
 *
 * @param buffer Memory of at least one byte, shared or not
 * @returns The address
 * @throws {RangeError} If the buffer is empty: it has no address then
 */
export function baseAddress(buffer: ArrayBufferLike): bigint {
  return pointerOf(new Uint8Array(buffer as ArrayBuffer));
}

/**
 * The address of the first byte of a view.
 *
 * @param view A view of at least one byte of memory, shared or not
 * @returns The address
 * @throws {RangeError} If the view is empty: it has no address then
 */
export function pointerOf(view: ArrayBufferView): bigint {
  // A small array lies in the heap of V8, which moves it, until its buffer has been asked for.
  const { buffer, byteOffset, byteLength } = view;
  const pointer = Deno.UnsafePointer.of(new Uint8Array(buffer as ArrayBuffer, byteOffset));
  if (byteLength === 0 || pointer === null) {
    throw new RangeError("Cannot take the address of a view of 0 bytes");
  }
  return Deno.UnsafePointer.value(pointer);
}
