/**
 * One endpoint on a fabric with all it needs: the fabric, the domain, the address vector, the
 * completion queue, and registrations of memory. Opened (ffi/fabric_open.ts) and closed on the main
 * thread; other threads of the process communicate through `fabricCalls` with its pointers.
 *
 * @module
 */

import { ClosedError } from "../internal/errors.ts";
import { FABRIC, FI } from "./fabric_abi.ts";
import { type FabricInfo, ipText } from "./fabric_info.ts";
import { checkFabric, type FabricLibrary } from "./fabric_library.ts";
import {
  bindObjects,
  checkClass,
  closeObject,
  enableObject,
  type FabricObject,
  operation,
} from "./fabric_object.ts";
import type { WaitObject } from "./fabric_wait.ts";
import { functionAt, wordAt } from "./native.ts";

const NAME_BYTES_MAX = 256;

/** What a registration is for: never both, so that what is used here is not open to others. */
const LOCAL = FI.FI_SEND | FI.FI_RECV | FI.FI_READ | FI.FI_WRITE;
const REMOTE = FI.FI_REMOTE_READ | FI.FI_REMOTE_WRITE;

/** What others need to reach shared memory. */
export interface FabricMemory {
  /** The key that remote operations must name; without it they are refused. */
  readonly key: bigint;
  /** What remote operations add the offset in the memory to: its address, or 0n. */
  readonly base: bigint;
}

/**
 * What a waiting `cqSread` does: it sleeps until a completion, its timeout or a signal; it burns
 * its core until a completion or a signal and ignores its timeout; or it cannot be called.
 */
export type FabricWait = "sleeps" | "spins" | "none";

/** A description and the address of a copy of its structure that is ours to free. */
export interface Chosen {
  /** The description. */
  readonly info: FabricInfo;
  /** The address of its structure. */
  readonly address: bigint;
}

/** The objects of one endpoint. */
export interface Objects {
  /** All of them, in the order in which they were opened. */
  readonly all: FabricObject[];
  /** The domain. */
  readonly domain: FabricObject;
  /** The address vector. */
  readonly av: FabricObject;
  /** The completion queue. */
  readonly cq: FabricObject;
  /** The endpoint. */
  readonly ep: FabricObject;
  /** How the queue waits. */
  readonly wait: FabricWait;
  /** What sleeps in the queue need, where that can be had. */
  readonly waitObject: WaitObject | undefined;
}

/**
 * Closes objects, those opened last first; an error does not keep the others open.
 *
 * @param objects The objects; none is left there
 * @param provider The provider, for the error
 * @throws {TransportError} If one cannot be closed: the first
 */
export function closeObjects(objects: FabricObject[], provider: string): void {
  let failure: unknown;
  for (let object = objects.pop(); object !== undefined; object = objects.pop()) {
    try {
      closeObject(object, provider);
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}

/** An endpoint and all it needs; made by `openFabric`. */
export class Fabric implements Disposable {
  /** The provider, such as `"tcp;ofi_rxm"`. */
  readonly provider: string;
  /** What the provider said about itself: limits, modes, names. */
  readonly info: FabricInfo;
  /** The name of the fabric; for IP the network. */
  readonly fabricName: string;
  /** The name of the domain; for IP the interface. */
  readonly domainName: string;
  /** What the provider wants of registrations: bits of FI_MR_…. */
  readonly mrMode: number;
  /** Bytes that the context of each operation must point at; 0 if it may be any number. */
  readonly contextBytes: number;
  /** How `cqSread` waits. */
  readonly waitable: FabricWait;
  /** What `QueueWait` needs, where it can be used. */
  readonly waitObject: WaitObject | undefined;
  /** Whether it reaches processes of this host only. */
  readonly oneHost: boolean;
  /** What others insert to reach this endpoint. */
  readonly name: Uint8Array<ArrayBuffer>;
  /** The address in {@linkcode name} as text; an empty text if it is of another kind than IP. */
  readonly nameText: string;
  /** The address of the endpoint, for `fabricCalls`. */
  readonly ep: bigint;
  /** The address of the completion queue, for `fabricCalls`. */
  readonly cq: bigint;
  readonly #library: FabricLibrary;
  readonly #address: bigint;
  readonly #objects: Objects;
  #open = true;

  /**
   * Takes over what `openFabric` opened.
   *
   * @param library libfabric
   * @param chosen The description it was opened by
   * @param objects What was opened
   */
  constructor(library: FabricLibrary, chosen: Chosen, objects: Objects) {
    const { info } = chosen;
    this.#library = library;
    this.#address = chosen.address;
    this.#objects = objects;
    this.info = info;
    this.provider = info.provider;
    this.fabricName = info.fabric;
    this.domainName = info.domain;
    this.mrMode = info.mrMode;
    this.contextBytes = contextBytes(info.mode);
    this.waitable = objects.wait;
    this.waitObject = objects.waitObject;
    this.oneHost = info.provider === "shm";
    this.ep = objects.ep.fid;
    this.cq = objects.cq.fid;
    this.name = readName(objects.ep, info.provider);
    this.nameText = this.name.length < 8 ? "" : ipText(new DataView(this.name.buffer));
  }

  /**
   * Makes other endpoints known.
   *
   * @param names Their {@linkcode name}s
   * @returns What operations name each by
   * @throws {TransportError} If a name is not one of this provider
   */
  insert(names: readonly Uint8Array[]): bigint[] {
    this.#check("insert names into");
    const { av } = this.#objects;
    const table = wordAt(av.fid + BigInt(FABRIC.fid_av.ops));
    const address = operation(table, FABRIC.fi_ops_av.insert, "fi_av_insert", this.provider);
    // int (*insert)(struct fid_av *av, const void *addr, size_t count, fi_addr_t *fi_addr,
    //               uint64_t flags, void *context)
    const insert = functionAt(address, {
      parameters: ["u64", "buffer", "usize", "buffer", "u64", "u64"],
      result: "i32",
    });
    return names.map((name, index) => {
      // Names of `shm` are texts, so there is a zero at the end whatever the name.
      const copy = new Uint8Array(name.length + 1);
      copy.set(name);
      const out = new BigUint64Array(1);
      const action = `insert name ${index} of ${names.length} (${name.length} bytes)`;
      const options = { op: "fi_av_insert", provider: this.provider };
      const count = insert.call(av.fid, copy, 1n, out, 0n, 0n);
      checkFabric(count, action, options);
      if (count !== 1 || out[0] === FI.FI_ADDR_NOTAVAIL) {
        checkFabric(-FI.FI_EINVAL, action, options);
      }
      return out[0]!;
    });
  }

  /**
   * Lets others read and write memory until the endpoint is closed, if they know its key, which is
   * chosen at random where the provider does not choose keys itself.
   *
   * @param address Where it starts
   * @param bytes How long it is
   * @returns The key and the rest
   * @throws {TransportError} If the provider does not take it
   */
  share(address: bigint, bytes: bigint): FabricMemory {
    const fid = this.#register(address, bytes, REMOTE);
    return {
      key: wordAt(fid + BigInt(FABRIC.fid_mr.key)),
      base: this.mrMode & FI.FI_MR_VIRT_ADDR ? address : 0n,
    };
  }

  /**
   * Lets operations of this endpoint use memory as their buffers until it is closed. Nobody else
   * reaches it.
   *
   * @param address Where it starts
   * @param bytes How long it is
   * @returns The descriptor that operations name; 0n where the provider needs none
   * @throws {TransportError} If the provider does not take it
   */
  use(address: bigint, bytes: bigint): bigint {
    if ((this.mrMode & FI.FI_MR_LOCAL) === 0) return 0n;
    return wordAt(this.#register(address, bytes, LOCAL) + BigInt(FABRIC.fid_mr.mem_desc));
  }

  #register(address: bigint, bytes: bigint, access: bigint): bigint {
    this.#check("register memory on");
    const { domain, ep, all } = this.#objects;
    const { provider, mrMode } = this;
    const table = wordAt(domain.fid + BigInt(FABRIC.fid_domain.mr));
    // int (*reg)(struct fid *fid, const void *buf, size_t len, uint64_t access, uint64_t offset,
    //            uint64_t requested_key, uint64_t flags, struct fid_mr **mr, void *context)
    const register = functionAt(operation(table, FABRIC.fi_ops_mr.reg, "fi_mr_reg", provider), {
      parameters: ["u64", "u64", "u64", "u64", "u64", "u64", "u64", "buffer", "u64"],
      result: "i32",
    });
    const wanted = mrMode & FI.FI_MR_PROV_KEY ? 0n : randomKey(this.info.mrKeySize);
    const out = new BigUint64Array(1);
    const code = register.call(domain.fid, address, bytes, access, 0n, wanted, 0n, out, 0n);
    checkFabric(code, `register ${bytes} bytes of memory`, { op: "fi_mr_reg", provider });
    const region = { what: "memory registration", fid: out[0]! };
    checkClass(region.fid, FI.FI_CLASS_MR, region.what, provider);
    all.push(region);
    if (mrMode & FI.FI_MR_ENDPOINT) {
      bindObjects(region, ep, 0n, provider);
      enableObject(region, provider);
    }
    return region.fid;
  }

  /**
   * Closes everything, in the order that libfabric wants: registrations, endpoint, queue, address
   * vector, domain, fabric. No thread may use the endpoint any more. Closing again does nothing.
   *
   * @throws {TransportError} If an object cannot be closed; the others are closed nevertheless
   */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      closeObjects(this.#objects.all, this.provider);
    } finally {
      this.#library.freeinfo(this.#address);
    }
  }

  /** Closes everything. */
  [Symbol.dispose](): void {
    this.close();
  }

  #check(action: string): void {
    if (!this.#open) throw new ClosedError(`Cannot ${action} an endpoint that is closed`);
  }
}

/** A key that nobody guesses, of as many bytes as the provider takes. */
function randomKey(bytes: number): bigint {
  const [key = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return BigInt.asUintN(8 * Math.min(bytes, 8), key);
}

function contextBytes(mode: bigint): number {
  if ((mode & FI.FI_CONTEXT2) !== 0n) return FABRIC.fi_context2.bytes;
  return (mode & FI.FI_CONTEXT) !== 0n ? FABRIC.fi_context.bytes : 0;
}

function readName(ep: FabricObject, provider: string): Uint8Array<ArrayBuffer> {
  const table = wordAt(ep.fid + BigInt(FABRIC.fid_ep.cm));
  const address = operation(table, FABRIC.fi_ops_cm.getname, "fi_getname", provider);
  // int (*getname)(fid_t fid, void *addr, size_t *addrlen)
  const getname = functionAt(address, { parameters: ["u64", "buffer", "buffer"], result: "i32" });
  const room = new Uint8Array(NAME_BYTES_MAX);
  const length = new BigUint64Array([BigInt(NAME_BYTES_MAX)]);
  const code = getname.call(ep.fid, room, length);
  checkFabric(code, "read the name of the endpoint", { op: "fi_getname", provider });
  return room.slice(0, Number(length[0]));
}
