/**
 * Opens libfabric and pins its symbols to the layouts that ffi/fabric_abi.ts describes.
 *
 * @module
 */

import { FeatureLevelError, TransportError } from "../internal/errors.ts";
import { cString, functionAt, type Libc, libc, textAt } from "./native.ts";

/** The version of the interface that is asked for; see fi_version(3). */
export const FABRIC_API = { major: 1, minor: 11 } as const;

const API = FABRIC_API.major << 16 | FABRIC_API.minor;

const LIBRARY = "libfabric.so.1";

const RTLD_NOW = 2;
/** Only gives the handle of what another thread has loaded. */
const RTLD_NOLOAD = 4;
/** Providers may be plug-ins that use symbols of the library that loads them. */
const RTLD_GLOBAL = 0x100;

/** What a caller of libfabric's few exported functions sees; addresses are bigint. */
export interface FabricLibrary {
  /** The version of the library: major and minor. */
  readonly version: string;
  /** The version of the interface to pass on. */
  readonly api: number;
  /** int fi_getinfo(version, node, service, flags, hints, struct fi_info **info). */
  getinfo(hints: bigint, info: BigUint64Array<ArrayBuffer>): number;
  /** void fi_freeinfo(struct fi_info *info). */
  freeinfo(info: bigint): void;
  /** struct fi_info *fi_dupinfo(const struct fi_info *info); 0 gives a fresh one. */
  dupinfo(info: bigint): bigint;
  /** int fi_fabric(attr, struct fid_fabric **fabric, void *context). */
  fabric(attr: bigint, fabric: BigUint64Array<ArrayBuffer>): number;
  /** const char *fi_strerror(int errnum). */
  strerror(errno: number): string;
}

let opened: FabricLibrary | undefined;

/**
 * Opens libfabric, once. It is never closed: its providers have threads and handlers of their own.
 *
 * @returns The library
 * @throws {FeatureLevelError} If it is not there, is too old, or may not be opened; says what to do
 */
export function fabricLibrary(): FabricLibrary {
  return opened ??= openFabricLibrary(LIBRARY);
}

/**
 * Opens a library as libfabric.
 *
 * @param name Its file
 * @returns The library
 * @throws {FeatureLevelError} If it is not there, is too old, or may not be opened; says what to do
 */
export function openFabricLibrary(name: string): FabricLibrary {
  const c = libc("use libfabric");
  const load = (flags: number) => c.loader.dlopen(cString(name), RTLD_NOW | RTLD_GLOBAL | flags);
  const handle = load(RTLD_NOLOAD) || keepingSignals(c, () => load(0));
  if (handle === 0n) {
    throw new FeatureLevelError(
      `Cannot use libfabric: ${loaderError(c)}; install it, such as by ` +
        "apt-get install libfabric1 or dnf install libfabric, or name its folder in " +
        "LD_LIBRARY_PATH",
    );
  }
  const number = functionAt(pinned(c, name, handle, "fi_version", "FABRIC_1.0"), {
    // uint32_t fi_version(void)
    parameters: [],
    result: "u32",
  }).call();
  const version = checkFabricVersion(number);
  return { version, api: API, ...bind(c, name, handle) };
}

/**
 * Checks that this is a libfabric that will do.
 *
 * @param number What fi_version(3) gives
 * @returns The version as text
 * @throws {FeatureLevelError} If it is older than {@linkcode FABRIC_API}
 */
export function checkFabricVersion(number: number): string {
  const version = `${number >>> 16}.${number & 0xffff}`;
  if (number >= API) return version;
  throw new FeatureLevelError(
    `Cannot use libfabric ${version}: Lamellar needs version ` +
      `${FABRIC_API.major}.${FABRIC_API.minor} or newer`,
  );
}

function loaderError(c: Libc): string {
  return textAt(c.loader.dlerror()) || "the loader gives no reason";
}

/** The address of a symbol in the version whose layouts are known. */
function pinned(c: Libc, name: string, handle: bigint, symbol: string, version: string): bigint {
  const address = c.loader.dlvsym(handle, cString(symbol), cString(version));
  if (address === 0n) {
    throw new FeatureLevelError(
      `Cannot use ${name} as libfabric: it has no ${symbol} of version ${version}; Lamellar ` +
        `needs libfabric ${FABRIC_API.major}.${FABRIC_API.minor} or newer (${loaderError(c)})`,
    );
  }
  return address;
}

function bind(
  c: Libc,
  name: string,
  handle: bigint,
): Omit<FabricLibrary, "version" | "api"> {
  const find = (symbol: string, version: string) => pinned(c, name, handle, symbol, version);
  const getinfo = functionAt(find("fi_getinfo", "FABRIC_1.3"), {
    parameters: ["u32", "u64", "u64", "u64", "u64", "buffer"],
    result: "i32",
  });
  const freeinfo = functionAt(find("fi_freeinfo", "FABRIC_1.3"), {
    parameters: ["u64"],
    result: "void",
  });
  const dupinfo = functionAt(find("fi_dupinfo", "FABRIC_1.3"), {
    parameters: ["u64"],
    result: "u64",
  });
  const fabric = functionAt(find("fi_fabric", "FABRIC_1.1"), {
    parameters: ["u64", "buffer", "u64"],
    result: "i32",
  });
  const strerror = functionAt(find("fi_strerror", "FABRIC_1.0"), {
    parameters: ["i32"],
    result: "u64",
  });
  return {
    getinfo: (hints, info) => keepingSignals(c, () => getinfo.call(API, 0n, 0n, 0n, hints, info)),
    freeinfo: (info) => freeinfo.call(info),
    dupinfo: (info) => dupinfo.call(info),
    fabric: (attr, out) => fabric.call(attr, out, 0n),
    strerror: (errno) => textAt(strerror.call(Math.abs(errno))),
  };
}

/** The signals of Linux that can be handled, other than the real-time ones. */
const SIGNALS: readonly number[] = Array.from({ length: 31 }, (_, index) => index + 1)
  .filter((signal) => signal !== 9 && signal !== 19);

/** At least as long as `struct sigaction` on any machine. */
const SIGACTION_BYTES = 256;

/**
 * Calls a function and puts the handlers of signals back as they were. Libraries that libfabric
 * brings along take signals for themselves: libinfinipath, when it is loaded, and `shm`, at the
 * first fi_getinfo. Deno's listeners call a handler that was there before them, and that of
 * libinfinipath ends the process: no program would hear SIGINT or SIGTERM any more.
 */
function keepingSignals<T>(c: Libc, call: () => T): T {
  const saved = SIGNALS.map((signal) => {
    const action = new Uint8Array(SIGACTION_BYTES);
    c.symbols.sigaction(signal, null, action);
    return [signal, action] as const;
  });
  try {
    return call();
  } finally {
    for (const [signal, action] of saved) c.symbols.sigaction(signal, action, null);
  }
}

/** What an error of libfabric is about. */
export interface FabricErrorOptions {
  /** The function of libfabric. */
  readonly op: string;
  /** The provider, if one is concerned. */
  readonly provider?: string | undefined;
  /** What the provider says. */
  readonly detail?: string | undefined;
}

/**
 * The error that a return code of libfabric stands for.
 *
 * @param code The code, negative or positive
 * @param action What could not be done, after "Cannot"
 * @param options What it is about
 * @returns The error, to be thrown
 */
export function fabricError(
  code: number,
  action: string,
  options: FabricErrorOptions,
): TransportError {
  const { op, provider, detail } = options;
  const errno = Math.abs(code);
  const text = fabricLibrary().strerror(errno);
  const on = provider === undefined ? "" : ` on ${provider}`;
  const more = detail === undefined || detail === "" || detail === text ? "" : `, ${detail}`;
  return new TransportError(`Cannot ${action}${on}: ${text} (${op}: error ${errno}${more})`, {
    errno,
    text,
    op,
    provider,
  });
}

/**
 * Checks a return code of libfabric: a negative one becomes an error.
 *
 * @param code The code
 * @param action What was done, after "Cannot"
 * @param options What it is about
 * @returns The code, not negative
 * @throws {TransportError} If the code is negative
 */
export function checkFabric(code: number, action: string, options: FabricErrorOptions): number {
  if (code < 0) throw fabricError(code, action, options);
  return code;
}
