/**
 * The few functions of PMIx a process of a job needs: OpenMPI's mpirun, PRRTE and
 * `srun --mpi=pmix` speak to their processes through it.
 *
 * Every call that talks to the server runs on a thread of Deno's: events come on the library's own
 * thread, which waits for this one, so that this one must never wait for the library.
 *
 * @module
 */

import { FeatureLevelError, HandshakeError } from "../internal/errors.ts";

/** The name of the library; all versions from 2 on have it, with the same structures. */
const LIBRARY = "libpmix.so.2";

/** The versions of PMIx whose structures are the ones below. */
const MAJOR = { min: 3, max: 6 } as const;

/** Sizes and offsets in `pmix_common.h`, in bytes; a test compares them with the header. */
export const PMIX_LAYOUT = {
  procBytes: 260,
  procRank: 256,
  valueBytes: 32,
  valueData: 8,
  infoBytes: 552,
  infoValue: 520,
  byteObjectSize: 8,
} as const;

/** Constants of `pmix_common.h`; a test compares them with the header. */
export const PMIX_CONSTANTS = {
  typeBool: 1,
  typeUint32: 14,
  typeByteObject: 27,
  scopeGlobal: 3,
  rankWildcard: 0xffff_fffe,
  eventActionComplete: -334,
  lostConnection: -61,
} as const;

/** The server went away, as versions 2 and 3 say it. */
const LOST_CONNECTION_TO_SERVER = -101;

const FUNCTIONS = {
  // const char *PMIx_Get_version(void)
  PMIx_Get_version: { parameters: [], result: "pointer" },
  // const char *PMIx_Error_string(pmix_status_t status)
  PMIx_Error_string: { parameters: ["i32"], result: "pointer" },
  // pmix_status_t PMIx_Init(pmix_proc_t *proc, pmix_info_t info[], size_t ninfo)
  PMIx_Init: { parameters: ["buffer", "pointer", "usize"], result: "i32", nonblocking: true },
  // pmix_status_t PMIx_Finalize(const pmix_info_t info[], size_t ninfo)
  PMIx_Finalize: { parameters: ["pointer", "usize"], result: "i32", nonblocking: true },
  // pmix_status_t PMIx_Abort(int status, const char msg[], pmix_proc_t procs[], size_t nprocs)
  PMIx_Abort: {
    parameters: ["i32", "buffer", "pointer", "usize"],
    result: "i32",
    nonblocking: true,
  },
  // pmix_status_t PMIx_Put(pmix_scope_t scope, const char key[], pmix_value_t *val)
  PMIx_Put: { parameters: ["u8", "buffer", "buffer"], result: "i32", nonblocking: true },
  // pmix_status_t PMIx_Commit(void)
  PMIx_Commit: { parameters: [], result: "i32", nonblocking: true },
  // pmix_status_t PMIx_Fence(const pmix_proc_t procs[], size_t nprocs,
  //                          const pmix_info_t info[], size_t ninfo)
  PMIx_Fence: {
    parameters: ["pointer", "usize", "buffer", "usize"],
    result: "i32",
    nonblocking: true,
  },
  // pmix_status_t PMIx_Get(const pmix_proc_t *proc, const char key[],
  //                        const pmix_info_t info[], size_t ninfo, pmix_value_t **val)
  PMIx_Get: {
    parameters: ["buffer", "buffer", "pointer", "usize", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  // void PMIx_Value_destruct(pmix_value_t *val), a macro in older versions
  PMIx_Value_destruct: { parameters: ["pointer"], result: "void", optional: true },
  // pmix_status_t PMIx_Register_event_handler(pmix_status_t codes[], size_t ncodes,
  //   pmix_info_t info[], size_t ninfo, pmix_notification_fn_t evhdlr,
  //   pmix_hdlr_reg_cbfunc_t cbfunc, void *cbdata)
  PMIx_Register_event_handler: {
    parameters: ["buffer", "usize", "pointer", "usize", "function", "pointer", "pointer"],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * `pmix_notification_fn_t`: id, status, source, info, ninfo, results, nresults, and the function
 * that has to be called with its data once the event was seen.
 */
const NOTIFICATION = {
  parameters: [
    "usize",
    "i32",
    "pointer",
    "pointer",
    "usize",
    "pointer",
    "usize",
    "pointer",
    "pointer",
  ],
  result: "void",
} as const satisfies Deno.UnsafeCallbackDefinition;

/**
 * `pmix_event_notification_cbfunc_fn_t`: status, results, nresults, cbfunc, thiscbdata,
 * notification_cbdata.
 */
const NOTIFICATION_SEEN = {
  parameters: ["i32", "pointer", "usize", "pointer", "pointer", "pointer"],
  result: "void",
} as const satisfies Deno.ForeignFunction;

/** A process that the PMIx server of its launcher knows. */
export class Pmix {
  /** Name of the job. */
  readonly namespace: string;
  /** Number of this process. */
  readonly rank: number;
  readonly #library: Deno.DynamicLibrary<typeof FUNCTIONS>;
  #events: Deno.UnsafeCallback<typeof NOTIFICATION> | undefined;

  private constructor(library: Deno.DynamicLibrary<typeof FUNCTIONS>, proc: Uint8Array) {
    this.#library = library;
    this.namespace = textAt(proc, PMIX_LAYOUT.procRank);
    this.rank = new DataView(proc.buffer).getUint32(PMIX_LAYOUT.procRank, true);
  }

  /**
   * Opens the library and connects with the server that started this process.
   *
   * @param onLost Called when the connection to the server is lost.
   * @returns The process.
   * @throws {FeatureLevelError} If there is no library, or one whose structures are not known.
   * @throws {HandshakeError} If the server does not answer as it should.
   */
  static async start(onLost: (error: Error) => void): Promise<Pmix> {
    const library = openLibrary();
    checkVersion(library);
    const proc = new Uint8Array(PMIX_LAYOUT.procBytes);
    check(library, "PMIx_Init", await library.symbols.PMIx_Init(proc, null, 0n));
    const pmix = new Pmix(library, proc);
    await pmix.#listen(onLost);
    return pmix;
  }

  /**
   * Reads how many processes the job has.
   *
   * @returns The number.
   * @throws {HandshakeError} If the server does not know it.
   */
  async size(): Promise<number> {
    const value = await this.#get(PMIX_CONSTANTS.rankWildcard, "pmix.job.size");
    const view = new Deno.UnsafePointerView(value);
    const type = view.getUint16(0);
    if (type !== PMIX_CONSTANTS.typeUint32) {
      throw new HandshakeError(`PMIx gave pmix.job.size with type ${type} instead of a uint32_t`, {
        op: "bootstrap",
      });
    }
    return view.getUint32(PMIX_LAYOUT.valueData);
  }

  /**
   * Puts a value where the other processes can get it after a fence that collects.
   *
   * @param key Its name, at most 511 bytes.
   * @param bytes The value.
   * @throws {HandshakeError} If PMIx refuses.
   */
  async put(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const value = new Uint8Array(PMIX_LAYOUT.valueBytes);
    const view = new DataView(value.buffer);
    view.setUint16(0, PMIX_CONSTANTS.typeByteObject, true);
    const at = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
    view.setBigUint64(PMIX_LAYOUT.valueData, at, true);
    const size = PMIX_LAYOUT.valueData + PMIX_LAYOUT.byteObjectSize;
    view.setBigUint64(size, BigInt(bytes.length), true);
    const { PMIx_Put, PMIx_Commit } = this.#library.symbols;
    const status = await PMIx_Put(PMIX_CONSTANTS.scopeGlobal, cString(key), value);
    check(this.#library, "PMIx_Put", status, bytes);
    check(this.#library, "PMIx_Commit", await PMIx_Commit());
  }

  /**
   * Waits for all processes of the job.
   *
   * @param collect Whether what they have put becomes known to all.
   * @throws {HandshakeError} If PMIx fails.
   */
  async fence(collect: boolean): Promise<void> {
    const info = new Uint8Array(PMIX_LAYOUT.infoBytes);
    info.set(new TextEncoder().encode("pmix.collect"));
    const view = new DataView(info.buffer);
    view.setUint16(PMIX_LAYOUT.infoValue, PMIX_CONSTANTS.typeBool, true);
    view.setUint8(PMIX_LAYOUT.infoValue + PMIX_LAYOUT.valueData, Number(collect));
    const status = await this.#library.symbols.PMIx_Fence(null, 0n, info, 1n);
    check(this.#library, "PMIx_Fence", status);
  }

  /**
   * Gets what a process has put.
   *
   * @param rank Number of the process.
   * @param key Name of the value.
   * @returns Its bytes.
   * @throws {HandshakeError} If there is none.
   */
  async get(rank: number, key: string): Promise<Uint8Array<ArrayBuffer>> {
    const value = await this.#get(rank, key);
    const view = new Deno.UnsafePointerView(value);
    const type = view.getUint16(0);
    if (type !== PMIX_CONSTANTS.typeByteObject) {
      throw new HandshakeError(`PMIx gave ${key} of rank ${rank} with type ${type}, not as bytes`, {
        op: "bootstrap",
      });
    }
    const at = view.getPointer(PMIX_LAYOUT.valueData);
    const size = view.getBigUint64(PMIX_LAYOUT.valueData + PMIX_LAYOUT.byteObjectSize);
    const bytes = new Uint8Array(Number(size));
    if (at !== null) new Deno.UnsafePointerView(at).copyInto(bytes);
    // The 32 bytes of the head stay with the library; there is no function of it that frees them.
    this.#library.symbols.PMIx_Value_destruct?.(value);
    return bytes;
  }

  /**
   * Asks the launcher to end the job.
   *
   * @param exitCode Exit code of the job.
   * @param message What the launcher may print.
   */
  async abort(exitCode: number, message: string): Promise<void> {
    await this.#library.symbols.PMIx_Abort(exitCode, cString(message), null, 0n);
  }

  /** Takes leave of the server. The library stays open: its threads may still run. */
  async finalize(): Promise<void> {
    await this.#library.symbols.PMIx_Finalize(null, 0n);
    this.#events?.close();
    this.#events = undefined;
  }

  async #get(rank: number, key: string): Promise<NonNullable<Deno.PointerValue>> {
    const proc = new Uint8Array(PMIX_LAYOUT.procBytes);
    proc.set(new TextEncoder().encode(this.namespace));
    new DataView(proc.buffer).setUint32(PMIX_LAYOUT.procRank, rank, true);
    const found = new BigUint64Array(1);
    const status = await this.#library.symbols.PMIx_Get(proc, cString(key), null, 0n, found);
    check(this.#library, `PMIx_Get of ${key} of rank ${rank}`, status);
    const value = Deno.UnsafePointer.create(found[0]!);
    if (value !== null) return value;
    throw new HandshakeError(`PMIx gave nothing for ${key} of rank ${rank}`, { op: "bootstrap" });
  }

  async #listen(onLost: (error: Error) => void): Promise<void> {
    const events = Deno.UnsafeCallback.threadSafe(
      NOTIFICATION,
      (_id, status, _source, _info, _count, _results, _resultCount, seen, data) => {
        const what = errorText(this.#library, status);
        onLost(new HandshakeError(`The PMIx server is gone: ${what}`, { op: "bootstrap" }));
        if (seen === null) return;
        new Deno.UnsafeFnPointer(seen as Deno.PointerObject<never>, NOTIFICATION_SEEN)
          .call(PMIX_CONSTANTS.eventActionComplete, null, 0n, null, null, data);
      },
    );
    events.unref();
    this.#events = events;
    const codes = new Int32Array([PMIX_CONSTANTS.lostConnection, LOST_CONNECTION_TO_SERVER]);
    const id = await this.#library.symbols.PMIx_Register_event_handler(
      new Uint8Array(codes.buffer),
      BigInt(codes.length),
      null,
      0n,
      events.pointer,
      null,
      null,
    );
    // What comes back is the number of the handler, or an error.
    check(this.#library, "PMIx_Register_event_handler", Math.min(0, id));
  }
}

function openLibrary(): Deno.DynamicLibrary<typeof FUNCTIONS> {
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    throw new FeatureLevelError(
      "Cannot start by PMIx: permission to call foreign functions is missing; " +
        "run with --allow-ffi",
      { op: "bootstrap" },
    );
  }
  try {
    return Deno.dlopen(LIBRARY, FUNCTIONS);
  } catch (cause) {
    throw new FeatureLevelError(
      `Cannot start by PMIx: ${LIBRARY} cannot be opened; install it (Debian: libpmix2), ` +
        "or start the program by srun --mpi=pmi2 or mpiexec.hydra",
      { op: "bootstrap", cause },
    );
  }
}

function checkVersion(library: Deno.DynamicLibrary<typeof FUNCTIONS>): void {
  const text = stringAt(library.symbols.PMIx_Get_version());
  const major = Number(/(\d+)\.\d+/.exec(text)?.[1] ?? NaN);
  if (major >= MAJOR.min && major <= MAJOR.max) return;
  throw new FeatureLevelError(
    `Cannot start by PMIx: ${LIBRARY} is "${text}", and versions ${MAJOR.min} to ${MAJOR.max} ` +
      "are known",
    { op: "bootstrap" },
  );
}

/** Checks a status. What the call has read is named too, so that it stays alive until here. */
function check(
  library: Deno.DynamicLibrary<typeof FUNCTIONS>,
  call: string,
  status: number,
  ..._read: readonly Uint8Array[]
): void {
  if (status === 0) return;
  throw new HandshakeError(`${call} failed: ${errorText(library, status)}`, { op: "bootstrap" });
}

function errorText(library: Deno.DynamicLibrary<typeof FUNCTIONS>, status: number): string {
  return `${stringAt(library.symbols.PMIx_Error_string(status))} (${status})`;
}

function stringAt(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : new Deno.UnsafePointerView(pointer).getCString();
}

function textAt(bytes: Uint8Array, length: number): string {
  const end = bytes.subarray(0, length).indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? length : end));
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text.replaceAll("\0", " ")}\0`);
}
