/**
 * Which of the providers that libfabric offers is used, and why the others are not.
 *
 * @module
 */

import { FeatureLevelError } from "../internal/errors.ts";
import { FI } from "./fabric_abi.ts";
import { bitNames, type FabricInfo, NEEDED_CAPS, OFFERED_MR_MODES } from "./fabric_info.ts";

/** What the user chose; what is left out is chosen by the library. */
export interface FabricChoice {
  /** A provider; `tcp`, `udp` and `verbs` stand for the layered ones that offer what is needed. */
  readonly provider?: string | undefined;
  /** A domain (for IP an interface, such as `eth0`) or a fabric (a network, `10.0.0.0/24`). */
  readonly domain?: string | undefined;
  /**
   * Whether all processes of the job are on this host and in its network, so that the loopback is
   * enough: nobody else reaches that. A domain that is named counts more.
   */
  readonly loopback?: boolean | undefined;
  /**
   * Whether every operation will have a context that points at `contextBytes` bytes which belong
   * to the provider until the operation completes. Some providers are offered only then.
   */
  readonly contexts?: boolean | undefined;
}

/** Short names, and the providers they stand for. */
const SHORT_NAMES: Readonly<Record<string, readonly string[]>> = {
  // From libfabric 1.18 on, tcp offers by itself what ofi_rxm adds to it before.
  tcp: ["tcp;ofi_rxm", "tcp"],
  udp: ["udp;ofi_rxd"],
  verbs: ["verbs;ofi_rxm"],
};

/**
 * The providers that are taken without being asked for, the best first: networks built for this,
 * then TCP. `shm` does not leave the host, `udp` and `sockets` are slow.
 */
const BY_DEFAULT: readonly string[] = [
  "cxi",
  "efa",
  "opx",
  "psm3",
  "psm2",
  "verbs;ofi_rxm",
  "tcp;ofi_rxm",
  "tcp",
  "net",
];

/**
 * The providers that a choice allows.
 *
 * @param choice What the user chose
 * @returns Their names, the best first
 */
export function allowedProviders(choice: FabricChoice): readonly string[] {
  const { provider } = choice;
  if (provider === undefined) return BY_DEFAULT;
  return Object.hasOwn(SHORT_NAMES, provider) ? SHORT_NAMES[provider]! : [provider];
}

/**
 * Chooses among what one provider offers. The address is to be one that other hosts reach, unless
 * none has to: those of the link, of the loopback and of interfaces to containers come last;
 * otherwise it is the provider's own order that counts, which for IP has the fastest interface
 * first.
 *
 * @param offers What the provider offers and can be used
 * @param choice What the user chose
 * @returns The index of the one to use, or -1 if none is allowed
 */
export function chooseOffer(offers: readonly FabricInfo[], choice: FabricChoice): number {
  let best = -1;
  if (choice.loopback === true && choice.domain === undefined) {
    const four = offers.findIndex(({ source }) => source.startsWith("127."));
    const any = four >= 0 ? four : offers.findIndex(isLoopback);
    if (any >= 0) return any;
  }
  offers.forEach((offer, index) => {
    if (choice.domain !== undefined && ![offer.domain, offer.fabric].includes(choice.domain)) {
      return;
    }
    if (best < 0 || nearness(offer) < nearness(offers[best]!)) best = index;
  });
  return best;
}

/** Interfaces that lead to containers and virtual machines of this host. */
const INNER = /^(?:docker|podman|cni|virbr|lxc|br-|veth)/;

function isLoopback({ source }: FabricInfo): boolean {
  return source.startsWith("127.") || source === "0:0:0:0:0:0:0:1";
}

/** From how near only an address can be reached: less is better. */
function nearness(offer: FabricInfo): number {
  const { source, domain } = offer;
  if (isLoopback(offer)) return 4;
  if (/^fe[89ab][0-9a-f]:/.test(source) || source.startsWith("169.254.")) return 3;
  if (INNER.test(domain)) return 2;
  return source.includes(":") ? 1 : 0;
}

/**
 * Says why an offer cannot be used.
 *
 * @param offer What the provider offers without conditions of ours
 * @param choice What the user chose
 * @returns The reason, or undefined if no visible reason applies
 */
export function refusal(offer: FabricInfo, choice: FabricChoice): string | undefined {
  if (offer.endpointType !== FI.FI_EP_RDM) return "it has no reliable datagrams (FI_EP_RDM)";
  const needed = Object.values(NEEDED_CAPS).reduce((all, one) => all | one, 0n);
  const lacking = bitNames(needed & ~offer.caps, NEEDED_CAPS);
  if (lacking.length > 0) return `it lacks ${lacking.join(", ")}`;
  if (offer.threading !== FI.FI_THREAD_SAFE) return "several threads may not use it at once";
  const modes = Object.values(OFFERED_MR_MODES).reduce((all, one) => all | one, 0);
  const demands = bitNames(BigInt(offer.mrMode & ~modes), {
    FI_MR_RAW: FI.FI_MR_RAW,
    FI_MR_MMU_NOTIFY: FI.FI_MR_MMU_NOTIFY,
    FI_MR_RMA_EVENT: FI.FI_MR_RMA_EVENT,
    FI_MR_HMEM: FI.FI_MR_HMEM,
  });
  if (demands.length > 0) return `it demands ${demands.join(", ")}`;
  const contexts = choice.contexts === true ? FI.FI_CONTEXT | FI.FI_CONTEXT2 : 0n;
  const wants = bitNames(offer.mode & ~contexts, {
    FI_CONTEXT: FI.FI_CONTEXT,
    FI_CONTEXT2: FI.FI_CONTEXT2,
    FI_MSG_PREFIX: FI.FI_MSG_PREFIX,
  });
  if (wants.length > 0) return `it demands ${wants.join(", ")} of its caller`;
  if (choice.domain !== undefined && ![offer.domain, offer.fabric].includes(choice.domain)) {
    return `its domain is ${offer.domain} on ${offer.fabric}`;
  }
  return undefined;
}

/**
 * The error that no provider can be used.
 *
 * @param choice What the user chose
 * @param offers All that libfabric offers, usable or not
 * @param version The version of libfabric
 * @returns The error; it lists what there is and why each was refused
 */
export function noProvider(
  choice: FabricChoice,
  offers: readonly FabricInfo[],
  version: string,
): FeatureLevelError {
  const allowed = allowedProviders(choice);
  const reasons = new Set<string>();
  const others = new Set<string>();
  for (const offer of offers) {
    if (!allowed.includes(offer.provider)) others.add(offer.provider);
    else {
      const reason = refusal(offer, choice) ?? "it does not offer all that is needed together";
      reasons.add(`${offer.provider}: ${reason}`);
    }
  }
  if (reasons.size === 0) reasons.add(`libfabric ${version} does not offer ${allowed.join(", ")}`);
  if (others.size > 0) reasons.add(`available if named: ${[...others].join(", ")}`);
  const wanted = choice.provider === undefined
    ? "libfabric: no provider is usable"
    : `provider ${choice.provider}`;
  const where = choice.domain === undefined ? "" : ` on domain ${choice.domain}`;
  return new FeatureLevelError(`Cannot use ${wanted}${where}: ${[...reasons].join("; ")}`);
}
