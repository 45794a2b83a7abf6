/**
 * Opens an endpoint: chooses the provider and makes the objects, in the order that libfabric wants.
 *
 * @module
 */

import type { FeatureLevelError } from "../internal/errors.ts";
import { type Chosen, closeObjects, Fabric, type FabricWait, type Objects } from "./fabric.ts";
import { FABRIC, FI } from "./fabric_abi.ts";
import { allowedProviders, chooseOffer, type FabricChoice, noProvider } from "./fabric_choice.ts";
import { askFabric, type FabricInfo } from "./fabric_info.ts";
import { checkFabric, type FabricLibrary, fabricLibrary } from "./fabric_library.ts";
import {
  bindObjects,
  checkClass,
  enableObject,
  type FabricObject,
  operation,
} from "./fabric_object.ts";
import { waitObject } from "./fabric_wait.ts";
import { functionAt, wordAt } from "./native.ts";
import { nameForShm } from "./shm_files.ts";

/** Settings of {@linkcode openFabric} beside the choice of a provider. */
export interface FabricOptions extends FabricChoice {
  /** How many completions the queue holds; by default as many as operations fit. */
  readonly cqEntries?: number | undefined;
}

const CQ_ENTRIES_MAX = 65536;
/**
 * Opens an endpoint.
 *
 * @param options The provider and domain, where they are not left to the library, and the rest
 * @returns The endpoint, enabled
 * @throws {FeatureLevelError} If libfabric or a usable provider is missing; says what to do
 * @throws {TransportError} If the provider fails
 */
export function openFabric(options: FabricOptions = {}): Fabric {
  const library = fabricLibrary();
  const chosen = pickInfo(library, options);
  const objects: FabricObject[] = [];
  try {
    return new Fabric(library, chosen, openObjects(library, chosen, objects, options));
  } catch (error) {
    // What failed is what matters; that the rest may fail to close follows from it.
    try {
      closeObjects(objects, chosen.info.provider);
    } catch { /* see above */ }
    library.freeinfo(chosen.address);
    throw error;
  }
}

/**
 * Lists what libfabric offers.
 *
 * @param choice What is wanted
 * @returns All offers of reliable datagrams; the one that {@linkcode openFabric} would use, or the
 * reason that there is none
 * @throws {FeatureLevelError} If libfabric is missing; says what to do
 */
export function discoverFabric(choice: FabricChoice = {}): {
  version: string;
  offers: FabricInfo[];
  chosen: FabricInfo | FeatureLevelError;
} {
  const library = fabricLibrary();
  const chosen = findInfo(library, choice);
  if ("address" in chosen) library.freeinfo(chosen.address);
  return {
    version: library.version,
    offers: allOffers(library),
    chosen: "address" in chosen ? chosen.info : chosen,
  };
}

function findInfo(library: FabricLibrary, choice: FabricChoice): Chosen | FeatureLevelError {
  for (const provider of allowedProviders(choice)) {
    using answer = askFabric(library, { provider, contexts: choice.contexts === true });
    // A name without the layer below or above it matches providers that have one.
    const found = answer.found.filter(({ info }) => info.provider === provider);
    const offer = found[chooseOffer(found.map(({ info }) => info), choice)];
    if (offer === undefined) continue;
    const address = library.dupinfo(offer.address);
    if (address === 0n) checkFabric(-FI.FI_ENOMEM, "copy a description", { op: "fi_dupinfo" });
    return { info: offer.info, address };
  }
  return noProvider(choice, allOffers(library), library.version);
}

function pickInfo(library: FabricLibrary, choice: FabricChoice): Chosen {
  const chosen = findInfo(library, choice);
  if (!("address" in chosen)) throw chosen;
  if (chosen.info.provider === "shm") nameForShm(chosen.address);
  return chosen;
}

function allOffers(library: FabricLibrary): FabricInfo[] {
  using answer = askFabric(library, { anything: true });
  return answer.found.map(({ info }) => info);
}

/** Opens everything; each object is put into `all` once it is there. */
function openObjects(
  library: FabricLibrary,
  { info, address }: Chosen,
  all: FabricObject[],
  options: FabricOptions,
): Objects {
  const { provider } = info;
  const out = new BigUint64Array(1);
  const add = (code: number, what: string, op: string, fclass: number): FabricObject => {
    checkFabric(code, `open a ${what}`, { op, provider });
    checkClass(out[0]!, fclass, what, provider);
    const object = { what, fid: out[0]! };
    all.push(object);
    return object;
  };
  const attr = wordAt(address + BigInt(FABRIC.fi_info.fabric_attr));
  const fabric = add(library.fabric(attr, out), "fabric", "fi_fabric", FI.FI_CLASS_FABRIC);
  const find = (parent: FabricObject, table: number, slot: number, op: string) =>
    operation(wordAt(parent.fid + BigInt(table)), slot, op, provider);
  const { fid_fabric, fi_ops_fabric, fid_domain, fi_ops_domain } = FABRIC;
  const makeDomain = find(fabric, fid_fabric.ops, fi_ops_fabric.domain, "fi_domain");
  const domainCode = functionAt(makeDomain, BY_INFO).call(fabric.fid, address, out, 0n);
  const domain = add(domainCode, "domain", "fi_domain", FI.FI_CLASS_DOMAIN);

  const makeAv = find(domain, fid_domain.ops, fi_ops_domain.av_open, "fi_av_open");
  const avCode = functionAt(makeAv, BY_ATTRIBUTES).call(domain.fid, avAttributes(info), out, 0n);
  const av = add(avCode, "address vector", "fi_av_open", FI.FI_CLASS_AV);

  const makeCq = find(domain, fid_domain.ops, fi_ops_domain.cq_open, "fi_cq_open");
  const openCq = functionAt(makeCq, BY_ATTRIBUTES);
  const entries = options.cqEntries ?? Math.min(CQ_ENTRIES_MAX, info.txSize + info.rxSize);
  let cqCode = -FI.FI_ENOSYS;
  let wait: number = FI.FI_WAIT_NONE;
  // Not every provider can wait in every way: the way that sleeps for sure comes first.
  for (wait of [FI.FI_WAIT_FD, FI.FI_WAIT_UNSPEC, FI.FI_WAIT_NONE]) {
    cqCode = openCq.call(domain.fid, cqAttributes(entries, wait), out, 0n);
    if (cqCode === 0) break;
  }
  const cq = add(cqCode, "completion queue", "fi_cq_open", FI.FI_CLASS_CQ);

  const makeEp = find(domain, fid_domain.ops, fi_ops_domain.endpoint, "fi_endpoint");
  const epCode = functionAt(makeEp, BY_INFO).call(domain.fid, address, out, 0n);
  const ep = add(epCode, "endpoint", "fi_endpoint", FI.FI_CLASS_EP);
  bindObjects(ep, av, 0n, provider);
  bindObjects(ep, cq, FI.FI_TRANSMIT | FI.FI_RECV | FI.FI_SELECTIVE_COMPLETION, provider);
  enableObject(ep, provider);
  const sleeps = wait === FI.FI_WAIT_FD
    ? waitObject(fabric, cq, provider, library.version)
    : undefined;
  return { all, domain, av, cq, ep, wait: waitKind(provider, wait), waitObject: sleeps };
}

/**
 * int (*open)(struct fid_… *parent, struct fi_info *info, struct fid_… **object, void *context)
 */
const BY_INFO = { parameters: ["u64", "u64", "buffer", "u64"], result: "i32" } as const;

/**
 * int (*open)(struct fid_… *parent, struct fi_…_attr *attr, struct fid_… **object, void *context)
 */
const BY_ATTRIBUTES = { parameters: ["u64", "buffer", "buffer", "u64"], result: "i32" } as const;

function avAttributes(info: FabricInfo): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(FABRIC.fi_av_attr.bytes));
  const type = info.avType === FI.FI_AV_UNSPEC ? FI.FI_AV_TABLE : info.avType;
  view.setUint32(FABRIC.fi_av_attr.type, type, true);
  return new Uint8Array(view.buffer);
}

function cqAttributes(entries: number, wait: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(FABRIC.fi_cq_attr.bytes));
  view.setBigUint64(FABRIC.fi_cq_attr.size, BigInt(entries), true);
  view.setUint32(FABRIC.fi_cq_attr.format, FI.FI_CQ_FORMAT_MSG, true);
  view.setUint32(FABRIC.fi_cq_attr.wait_obj, wait, true);
  return new Uint8Array(view.buffer);
}

/** Seen in libfabric 1.17: `shm` spins in fi_cq_sread(3) and never looks at the clock. */
function waitKind(provider: string, wait: number): FabricWait {
  if (wait === FI.FI_WAIT_NONE) return "none";
  return provider === "shm" ? "spins" : "sleeps";
}
