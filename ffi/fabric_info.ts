/**
 * What libfabric offers: fi_getinfo(3) and the structures it answers with.
 *
 * @module
 */

import { FABRIC, FI } from "./fabric_abi.ts";
import { checkFabric, type FabricLibrary } from "./fabric_library.ts";
import { cString, libc, textAt, viewAt, wordAt } from "./native.ts";

/** The capabilities that are needed: messages, and memory access in both roles. */
export const NEEDED_CAPS: Readonly<Record<string, bigint>> = {
  FI_MSG: FI.FI_MSG,
  FI_RMA: FI.FI_RMA,
  FI_READ: FI.FI_READ,
  FI_WRITE: FI.FI_WRITE,
  FI_SEND: FI.FI_SEND,
  FI_RECV: FI.FI_RECV,
  FI_REMOTE_READ: FI.FI_REMOTE_READ,
  FI_REMOTE_WRITE: FI.FI_REMOTE_WRITE,
};

/** The ways of registering memory that we follow if the provider asks for them. */
export const OFFERED_MR_MODES: Readonly<Record<string, number>> = {
  FI_MR_LOCAL: FI.FI_MR_LOCAL,
  FI_MR_VIRT_ADDR: FI.FI_MR_VIRT_ADDR,
  FI_MR_ALLOCATED: FI.FI_MR_ALLOCATED,
  FI_MR_PROV_KEY: FI.FI_MR_PROV_KEY,
  FI_MR_ENDPOINT: FI.FI_MR_ENDPOINT,
};

const CONTEXT_MODES = FI.FI_CONTEXT | FI.FI_CONTEXT2;

/** One way to communicate, as fi_getinfo(3) describes it. */
export interface FabricInfo {
  /** The provider, such as `"tcp;ofi_rxm"`. */
  readonly provider: string;
  /** The fabric: for IP the network, such as `"10.0.0.0/24"`. */
  readonly fabric: string;
  /** The domain: for IP the interface, such as `"eth0"`. */
  readonly domain: string;
  /** Our address there as text, or an empty text if it is of another kind than IP. */
  readonly source: string;
  /** FI_EP_RDM, FI_EP_MSG or FI_EP_DGRAM. */
  readonly endpointType: number;
  /** Capabilities. */
  readonly caps: bigint;
  /** What the provider wants of its caller. */
  readonly mode: bigint;
  /** What it wants of registrations of memory. */
  readonly mrMode: number;
  /** FI_THREAD_SAFE or less. */
  readonly threading: number;
  /** The type of address vector. */
  readonly avType: number;
  /** Whether the provider drives communication without being called. */
  readonly autoProgress: boolean;
  /** Largest message and transfer, in bytes. */
  readonly maxMsgSize: number;
  /** Largest transfer whose buffer is free on return, in bytes. */
  readonly injectSize: number;
  /** Largest put that is done in the order of the calls, in bytes; 0 if none is. */
  readonly orderedPutSize: number;
  /** Operations that can be under way. */
  readonly txSize: number;
  /** Receives that can be posted. */
  readonly rxSize: number;
  /** Local pieces of one send or transfer. */
  readonly txIovLimit: number;
  /** Local pieces of one receive. */
  readonly rxIovLimit: number;
  /** Remote pieces of one transfer. */
  readonly rmaIovLimit: number;
  /** Bytes of a remote key. */
  readonly mrKeySize: number;
  /** Bytes of data that a message may give to the completion at the target. */
  readonly cqDataSize: number;
}

/** What to ask fi_getinfo(3) for. */
export interface FabricHints {
  /** The provider; without it, all of them. */
  readonly provider?: string;
  /** Whether completions may be identified by pointers at room for the provider. */
  readonly contexts?: boolean;
  /** Whether to ask for all there is, usable or not. */
  readonly anything?: boolean;
}

/** An answer of fi_getinfo(3): each description with the address of its structure. */
export interface FabricAnswer extends Disposable {
  /** The descriptions, in the order of the provider's preference. */
  readonly found: readonly { readonly info: FabricInfo; readonly address: bigint }[];
}

/**
 * Asks what there is.
 *
 * @param library libfabric
 * @param hints What to ask for
 * @returns What there is, maybe nothing; to be disposed
 * @throws {TransportError} If fi_getinfo fails
 */
export function askFabric(library: FabricLibrary, hints: FabricHints): FabricAnswer {
  const address = makeHints(library, hints);
  const head = new BigUint64Array(1);
  try {
    const code = library.getinfo(address, head);
    if (code === -FI.FI_ENODATA) return { found: [], [Symbol.dispose]() {} };
    checkFabric(code, "find out what providers there are", {
      op: "fi_getinfo",
      provider: hints.provider,
    });
  } finally {
    library.freeinfo(address);
  }
  const found: { info: FabricInfo; address: bigint }[] = [];
  for (let at = head[0]!; at !== 0n; at = wordAt(at + BigInt(FABRIC.fi_info.next))) {
    found.push({ info: readInfo(at), address: at });
  }
  return { found, [Symbol.dispose]: () => library.freeinfo(head[0]!) };
}

/** Every pointer in it comes from the C library, because fi_freeinfo(3) frees them all. */
function makeHints(library: FabricLibrary, hints: FabricHints): bigint {
  const address = library.dupinfo(0n);
  if (address === 0n) checkFabric(-FI.FI_ENOMEM, "make hints", { op: "fi_dupinfo" });
  const info = viewAt(address, FABRIC.fi_info.bytes);
  const { fi_tx_attr: tx, fi_rx_attr: rx, fi_domain_attr: domain, fi_fabric_attr: fabric } = FABRIC;
  const part = (field: "tx_attr" | "rx_attr" | "ep_attr" | "domain_attr" | "fabric_attr") =>
    viewAt(info.getBigUint64(FABRIC.fi_info[field], true), FABRIC[`fi_${field}`].bytes);
  if (hints.provider !== undefined) {
    const name = libc("use libfabric").symbols.strdup(cString(hints.provider));
    part("fabric_attr").setBigUint64(fabric.prov_name, name, true);
  }
  part("ep_attr").setUint32(FABRIC.fi_ep_attr.type, FI.FI_EP_RDM, true);
  if (hints.anything === true) {
    info.setBigUint64(FABRIC.fi_info.mode, CONTEXT_MODES | FI.FI_MSG_PREFIX, true);
    // The two lowest bits stand for old ways that exclude the others.
    part("domain_attr").setInt32(domain.mr_mode, ~3, true);
    return address;
  }
  const caps = Object.values(NEEDED_CAPS).reduce((all, one) => all | one, 0n);
  info.setBigUint64(FABRIC.fi_info.caps, caps, true);
  info.setBigUint64(FABRIC.fi_info.mode, hints.contexts === true ? CONTEXT_MODES : 0n, true);
  part("tx_attr").setBigUint64(tx.msg_order, FI.FI_ORDER_SAS, true);
  part("rx_attr").setBigUint64(rx.msg_order, FI.FI_ORDER_SAS, true);
  const modes = Object.values(OFFERED_MR_MODES).reduce((all, one) => all | one, 0);
  part("domain_attr").setInt32(domain.mr_mode, modes, true);
  part("domain_attr").setUint32(domain.threading, FI.FI_THREAD_SAFE, true);
  part("domain_attr").setUint32(domain.resource_mgmt, FI.FI_RM_ENABLED, true);
  return address;
}

function readInfo(address: bigint): FabricInfo {
  const info = viewAt(address, FABRIC.fi_info.bytes);
  const part = (field: "tx_attr" | "rx_attr" | "ep_attr" | "domain_attr" | "fabric_attr") =>
    viewAt(info.getBigUint64(FABRIC.fi_info[field], true), FABRIC[`fi_${field}`].bytes);
  const [tx, rx, ep] = [part("tx_attr"), part("rx_attr"), part("ep_attr")];
  const [domain, fabric] = [part("domain_attr"), part("fabric_attr")];
  const text = (view: DataView, at: number) => textAt(view.getBigUint64(at, true));
  const size = (view: DataView, at: number) => clamped(view.getBigUint64(at, true));
  const order = tx.getBigUint64(FABRIC.fi_tx_attr.msg_order, true) &
    rx.getBigUint64(FABRIC.fi_rx_attr.msg_order, true);
  const putsInOrder = (order & FI.FI_ORDER_WAW) !== 0n;
  return {
    provider: text(fabric, FABRIC.fi_fabric_attr.prov_name),
    fabric: text(fabric, FABRIC.fi_fabric_attr.name),
    domain: text(domain, FABRIC.fi_domain_attr.name),
    source: sourceOf(info),
    endpointType: ep.getUint32(FABRIC.fi_ep_attr.type, true),
    caps: info.getBigUint64(FABRIC.fi_info.caps, true),
    mode: info.getBigUint64(FABRIC.fi_info.mode, true),
    mrMode: domain.getInt32(FABRIC.fi_domain_attr.mr_mode, true),
    threading: domain.getUint32(FABRIC.fi_domain_attr.threading, true),
    avType: domain.getUint32(FABRIC.fi_domain_attr.av_type, true),
    autoProgress:
      domain.getUint32(FABRIC.fi_domain_attr.data_progress, true) === FI.FI_PROGRESS_AUTO,
    maxMsgSize: size(ep, FABRIC.fi_ep_attr.max_msg_size),
    orderedPutSize: putsInOrder ? size(ep, FABRIC.fi_ep_attr.max_order_waw_size) : 0,
    injectSize: size(tx, FABRIC.fi_tx_attr.inject_size),
    txSize: size(tx, FABRIC.fi_tx_attr.size),
    rxSize: size(rx, FABRIC.fi_rx_attr.size),
    txIovLimit: size(tx, FABRIC.fi_tx_attr.iov_limit),
    rxIovLimit: size(rx, FABRIC.fi_rx_attr.iov_limit),
    rmaIovLimit: size(tx, FABRIC.fi_tx_attr.rma_iov_limit),
    mrKeySize: size(domain, FABRIC.fi_domain_attr.mr_key_size),
    cqDataSize: size(domain, FABRIC.fi_domain_attr.cq_data_size),
  };
}

/** "No limit" is written as the largest number there is. */
function clamped(size: bigint): number {
  return size > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(size);
}

function sourceOf(info: DataView): string {
  const bytes = Number(info.getBigUint64(FABRIC.fi_info.src_addrlen, true));
  const address = info.getBigUint64(FABRIC.fi_info.src_addr, true);
  if (address === 0n || bytes < 16) return "";
  const format = info.getUint32(FABRIC.fi_info.addr_format, true);
  const ip: readonly number[] = [FI.FI_SOCKADDR, FI.FI_SOCKADDR_IN, FI.FI_SOCKADDR_IN6];
  return ip.includes(format) ? ipText(viewAt(address, bytes)) : "";
}

/** Address families of Linux. */
const AF_INET = 2;
const AF_INET6 = 10;

/**
 * The IP address of a `struct sockaddr`.
 *
 * @param address The structure
 * @returns The address as text, IPv6 in full length; an empty text for other families
 */
export function ipText(address: DataView): string {
  const family = address.getUint16(0, true);
  if (family === AF_INET && address.byteLength >= 8) {
    return [4, 5, 6, 7].map((at) => address.getUint8(at)).join(".");
  }
  if (family !== AF_INET6 || address.byteLength < 24) return "";
  return [8, 10, 12, 14, 16, 18, 20, 22].map((at) => address.getUint16(at).toString(16)).join(":");
}

/**
 * Names the bits that are set.
 *
 * @param bits The bits
 * @param names The value of each name
 * @returns The names, and what has none as a number
 */
export function bitNames(
  bits: bigint,
  names: Readonly<Record<string, number | bigint>>,
): string[] {
  const found: string[] = [];
  for (const [name, value] of Object.entries(names)) {
    if ((bits & BigInt(value)) === 0n) continue;
    found.push(name);
    bits &= ~BigInt(value);
  }
  if (bits !== 0n) found.push(`0x${bits.toString(16)}`);
  return found;
}
