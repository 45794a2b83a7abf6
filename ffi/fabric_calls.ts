/**
 * The calls that communicate. They are functions of the provider, whose addresses stand in the
 * tables of an endpoint and its completion queue; here they become functions of JavaScript, on any
 * thread of the process that opened these.
 *
 * @module
 */

import { environment, readConfig } from "../internal/config.ts";
import type { TransportError } from "../internal/errors.ts";
import { absoluteSymbols, knowsMachine } from "./absolute_symbols.ts";
import { FABRIC, FI } from "./fabric_abi.ts";
import { checkClass, operation } from "./fabric_object.ts";
import { fabricError } from "./fabric_library.ts";
import { MemoryFile } from "./memory_file.ts";
import { cString, functionAt, libc, textAt, viewAt, wordAt } from "./native.ts";

/**
 * The signatures. Pointers and sizes are 64-bit integers, which cost least as bigint; results of
 * type `ssize_t` are read as 32-bit numbers, since all of them are small.
 */
const SIGNATURES = {
  // ssize_t fi_sendmsg(struct fid_ep *ep, const struct fi_msg *msg, uint64_t flags)
  sendmsg: { parameters: ["u64", "u64", "u64"], result: "i32" },
  // ssize_t fi_inject(struct fid_ep *ep, const void *buf, size_t len, fi_addr_t dest_addr)
  inject: { parameters: ["u64", "u64", "u64", "u64"], result: "i32" },
  // ssize_t fi_recvmsg(struct fid_ep *ep, const struct fi_msg *msg, uint64_t flags)
  recvmsg: { parameters: ["u64", "u64", "u64"], result: "i32" },
  // ssize_t fi_writemsg(struct fid_ep *ep, const struct fi_msg_rma *msg, uint64_t flags)
  writemsg: { parameters: ["u64", "u64", "u64"], result: "i32" },
  // ssize_t fi_readmsg(struct fid_ep *ep, const struct fi_msg_rma *msg, uint64_t flags)
  readmsg: { parameters: ["u64", "u64", "u64"], result: "i32" },
  // ssize_t fi_cq_read(struct fid_cq *cq, void *buf, size_t count)
  cqRead: { parameters: ["u64", "u64", "u64"], result: "i32" },
  // ssize_t fi_cq_sread(struct fid_cq *cq, void *buf, size_t count, const void *cond, int timeout)
  cqSread: { parameters: ["u64", "u64", "u64", "u64", "i32"], result: "i32" },
  // ssize_t fi_cq_readerr(struct fid_cq *cq, struct fi_cq_err_entry *buf, uint64_t flags)
  cqReadErr: { parameters: ["u64", "u64", "u64"], result: "i32" },
  // int fi_cq_signal(struct fid_cq *cq)
  cqSignal: { parameters: ["u64"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

type Name = keyof typeof SIGNATURES;
type Symbols = Deno.StaticForeignLibraryInterface<typeof SIGNATURES>;

/**
 * The calls. Every result below zero is the negative of an error number: `-FI.FI_EAGAIN` asks to
 * try again after reading completions, `-FI.FI_EAVAIL` to read an error by `cqReadErr`.
 */
export interface FabricCalls extends Disposable {
  /** Whether calls take nanoseconds; else they take about two microseconds. */
  readonly fast: boolean;
  /** fi_sendmsg(3): the endpoint, the address of a `fi_msg`, and flags. */
  readonly sendmsg: (ep: bigint, msg: bigint, flags: bigint) => number;
  /** fi_inject(3): the endpoint, the address of a message, its length, and whom it is for. */
  readonly inject: (ep: bigint, buffer: bigint, bytes: bigint, address: bigint) => number;
  /** fi_recvmsg(3): the endpoint, the address of a `fi_msg`, and flags. */
  readonly recvmsg: (ep: bigint, msg: bigint, flags: bigint) => number;
  /** fi_writemsg(3): the endpoint, the address of a `fi_msg_rma`, and flags. */
  readonly writemsg: (ep: bigint, msg: bigint, flags: bigint) => number;
  /** fi_readmsg(3): the endpoint, the address of a `fi_msg_rma`, and flags. */
  readonly readmsg: (ep: bigint, msg: bigint, flags: bigint) => number;
  /** fi_cq_read(3): the queue, room for `fi_cq_msg_entry` structures, and how many. */
  readonly cqRead: (cq: bigint, buffer: bigint, count: bigint) => number;
  /** fi_cq_sread(3): the queue, room, how many, 0n, and the time to wait in milliseconds. */
  readonly cqSread: (
    cq: bigint,
    buffer: bigint,
    count: bigint,
    condition: bigint,
    timeoutMs: number,
  ) => number;
  /** fi_cq_readerr(3): the queue, the address of a `fi_cq_err_entry`, and flags. */
  readonly cqReadErr: (cq: bigint, entry: bigint, flags: bigint) => number;
  /** fi_cq_signal(3): ends a `cqSread` that another thread is in. */
  readonly cqSignal: (cq: bigint) => number;
  /**
   * The error that an entry read by `cqReadErr` tells of; takes microseconds.
   *
   * @param entry The address of the entry
   * @param action What could not be done, after "Cannot"
   * @returns The error, to be thrown
   */
  completionError(entry: bigint, action: string): TransportError;
  /** Lets the functions go: they must not be called any more. */
  close(): void;
}

/** How the calls are made. */
export interface FabricCallsOptions {
  /** Whether to try the fast way; by default as `LAMELLAR_FFI_FASTCALL` says. */
  readonly fast?: boolean | undefined;
  /** The provider, for errors. */
  readonly provider?: string | undefined;
}

/**
 * Makes the calls of an endpoint and its completion queue. Each thread makes its own, after the
 * endpoint was enabled. A place in the code that calls them stays fast as long as it sees those of
 * one endpoint only.
 *
 * @param ep The address of the endpoint
 * @param cq The address of its completion queue
 * @param options How
 * @returns The calls
 * @throws {FeatureLevelError} If foreign functions are not allowed or the provider lacks one
 * @example
 * ```ts
 * import { FI } from "./fabric_abi.ts";
 * import { openFabric } from "./fabric_open.ts";
 * import { baseAddress } from "./native.ts";
 *
 * using fabric = openFabric({ provider: "tcp" });
 * using calls = fabricCalls(fabric.ep, fabric.cq);
 * const room = new SharedArrayBuffer(1024);
 * const count = calls.cqRead(fabric.cq, baseAddress(room), 16n);
 * console.log(count === -FI.FI_EAGAIN ? "nothing yet" : `${count} completions`);
 * ```
 */
export function fabricCalls(
  ep: bigint,
  cq: bigint,
  options: FabricCallsOptions = {},
): FabricCalls {
  const provider = options.provider ?? "of libfabric";
  const { fast = readConfig(environment).ffiFastCall } = options;
  // Asks for the permission with a clear text, before anything is read.
  libc("use libfabric");
  const addresses = findOperations(ep, cq, provider);
  const bound = (fast ? bindFast(addresses) : undefined) ?? bindSlow(addresses);
  let open = true;
  const close = () => {
    if (open) bound.release();
    open = false;
  };
  return {
    ...bound.symbols,
    fast: bound.fast,
    completionError: (entry, action) =>
      completionError(entry, action, cq, addresses.strerror, options.provider),
    close,
    [Symbol.dispose]: close,
  };
}

function findOperations(
  ep: bigint,
  cq: bigint,
  provider: string,
): Record<Name | "strerror", bigint> {
  checkClass(ep, FI.FI_CLASS_EP, "endpoint", provider);
  checkClass(cq, FI.FI_CLASS_CQ, "completion queue", provider);
  const msg = wordAt(ep + BigInt(FABRIC.fid_ep.msg));
  const rma = wordAt(ep + BigInt(FABRIC.fid_ep.rma));
  const ops = wordAt(cq + BigInt(FABRIC.fid_cq.ops));
  const { fi_ops_msg, fi_ops_rma, fi_ops_cq } = FABRIC;
  return {
    sendmsg: operation(msg, fi_ops_msg.sendmsg, "fi_sendmsg", provider),
    inject: operation(msg, fi_ops_msg.inject, "fi_inject", provider),
    recvmsg: operation(msg, fi_ops_msg.recvmsg, "fi_recvmsg", provider),
    writemsg: operation(rma, fi_ops_rma.writemsg, "fi_writemsg", provider),
    readmsg: operation(rma, fi_ops_rma.readmsg, "fi_readmsg", provider),
    cqRead: operation(ops, fi_ops_cq.read, "fi_cq_read", provider),
    cqSread: operation(ops, fi_ops_cq.sread, "fi_cq_sread", provider),
    cqReadErr: operation(ops, fi_ops_cq.readerr, "fi_cq_readerr", provider),
    cqSignal: operation(ops, fi_ops_cq.signal, "fi_cq_signal", provider),
    strerror: operation(ops, fi_ops_cq.strerror, "fi_cq_strerror", provider),
  };
}

/** Functions, and what lets them go. */
interface Bound {
  readonly symbols: Symbols;
  readonly fast: boolean;
  release(): void;
}

const RTLD_NOW = 2;

/**
 * The fast way: the addresses as absolute symbols of a shared object. The object is a file in
 * memory (memfd_create(2)), so this needs no folder to write to and leaves nothing behind.
 */
function bindFast(addresses: Readonly<Record<Name, bigint>>): Bound | undefined {
  const { arch } = Deno.build;
  if (!knowsMachine(arch)) return undefined;
  const { loader } = libc("use libfabric");
  const names = Object.keys(SIGNATURES) as Name[];
  const bytes = absoluteSymbols(
    Object.fromEntries(names.map((name) => [name, addresses[name]])),
    arch,
  );
  const file = MemoryFile.create("lamellar_symbols");
  if (!file) return undefined;
  // The loader takes two objects of one name for the same. The name holds the number of the
  // descriptor, so the file stays open as long as the object is.
  const path = `/proc/${file.path}`;
  let library: Deno.DynamicLibrary<typeof SIGNATURES> | undefined;
  try {
    if (file.write(0, bytes)) library = Deno.dlopen(path, SIGNATURES);
  } catch {
    // A loader that does not take the object; there is the other way.
  }
  // Old loaders relocate absolute symbols too, and calling these would be the end.
  const handle = library === undefined ? 0n : loader.dlopen(cString(path), RTLD_NOW);
  const right = handle !== 0n &&
    names.every((name) => loader.dlsym(handle, cString(name)) === addresses[name]);
  if (handle !== 0n) loader.dlclose(handle);
  if (library === undefined || !right) {
    library?.close();
    file.close();
    return undefined;
  }
  const { symbols } = library;
  return {
    symbols,
    fast: true,
    release: () => {
      library.close();
      file.close();
    },
  };
}

function bindSlow(addresses: Readonly<Record<Name, bigint>>): Bound {
  const entries = (Object.keys(SIGNATURES) as Name[]).map((name) => {
    const pointer = functionAt<Deno.ForeignFunction>(addresses[name], SIGNATURES[name]);
    return [name, (...args: (bigint | number)[]) => pointer.call(...args)];
  });
  return { symbols: Object.fromEntries(entries) as Symbols, fast: false, release() {} };
}

const TEXT_BYTES = 256;

function completionError(
  entry: bigint,
  action: string,
  cq: bigint,
  strerror: bigint,
  provider: string | undefined,
): TransportError {
  const { fi_cq_err_entry: fields } = FABRIC;
  const view = viewAt(entry, fields.bytes);
  const errno = view.getInt32(fields.err, true);
  const own = view.getInt32(fields.prov_errno, true);
  // const char *(*strerror)(struct fid_cq *cq, int prov_errno, const void *err_data, char *buf,
  //                         size_t len)
  const explain = functionAt(strerror, {
    parameters: ["u64", "i32", "u64", "buffer", "usize"],
    result: "u64",
  });
  const room = new Uint8Array(TEXT_BYTES);
  const data = view.getBigUint64(fields.err_data, true);
  const detail = textAt(explain.call(cq, own, data, room, BigInt(TEXT_BYTES)));
  return fabricError(errno, action, { op: "completion", provider, detail });
}
