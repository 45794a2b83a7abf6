import { assertEquals, assertStringIncludes } from "@std/assert";
import { FI } from "./fabric_abi.ts";
import { allowedProviders, chooseOffer, noProvider, refusal } from "./fabric_choice.ts";
import { type FabricInfo, NEEDED_CAPS } from "./fabric_info.ts";

const ALL_CAPS = Object.values(NEEDED_CAPS).reduce((all, one) => all | one, 0n);

function offer(changes: Partial<FabricInfo> = {}): FabricInfo {
  return {
    provider: "tcp;ofi_rxm",
    fabric: "10.0.0.0/24",
    domain: "eth0",
    source: "10.0.0.2",
    endpointType: FI.FI_EP_RDM,
    caps: ALL_CAPS,
    mode: 0n,
    mrMode: 0,
    threading: FI.FI_THREAD_SAFE,
    avType: FI.FI_AV_TABLE,
    autoProgress: false,
    maxMsgSize: 1 << 30,
    injectSize: 64,
    orderedPutSize: 0,
    txSize: 256,
    rxSize: 256,
    txIovLimit: 4,
    rxIovLimit: 4,
    rmaIovLimit: 4,
    mrKeySize: 8,
    cqDataSize: 8,
    ...changes,
  };
}

Deno.test("allowedProviders() prefers fabrics to TCP, and takes the rest only if named", () => {
  const byDefault = allowedProviders({});
  assertEquals(byDefault.indexOf("verbs;ofi_rxm") < byDefault.indexOf("tcp;ofi_rxm"), true);
  for (const name of ["sockets", "udp;ofi_rxd", "shm"]) {
    assertEquals(byDefault.includes(name), false);
    assertEquals(allowedProviders({ provider: name }), [name]);
  }
  assertEquals(allowedProviders({ provider: "tcp" }), ["tcp;ofi_rxm", "tcp"]);
  assertEquals(allowedProviders({ provider: "udp" }), ["udp;ofi_rxd"]);
  assertEquals(allowedProviders({ provider: "verbs" }), ["verbs;ofi_rxm"]);
  assertEquals(allowedProviders({ provider: "toString" }), ["toString"]);
});

Deno.test("chooseOffer() takes what most hosts reach, then the provider's order", () => {
  const loopback = offer({ domain: "lo", source: "127.0.0.1", fabric: "127.0.0.1/32" });
  const link = offer({ source: "fe80:0:0:0:0:0:0:1", fabric: "fe80::/64" });
  const six = offer({ source: "fd00:0:0:0:0:0:0:2", fabric: "fd00::/64" });
  const second = offer({ domain: "eth1", source: "10.0.1.2", fabric: "10.0.1.0/24" });
  const offers = [loopback, link, six, offer(), second];
  assertEquals(chooseOffer(offers, {}), 3);
  const inner = offer({ domain: "docker0", source: "172.17.0.1", fabric: "172.17.0.0/16" });
  assertEquals(chooseOffer([inner, second], {}), 1);
  assertEquals(chooseOffer([link, inner], {}), 1);
  assertEquals(chooseOffer(offers.slice(0, 3), {}), 2);
  assertEquals(chooseOffer(offers.slice(0, 2), {}), 1);
  assertEquals(chooseOffer(offers, { domain: "eth1" }), 4);
  assertEquals(chooseOffer(offers, { domain: "fd00::/64" }), 2);
  assertEquals(chooseOffer(offers, { domain: "lo" }), 0);
  assertEquals(chooseOffer(offers, { domain: "ib0" }), -1);
  assertEquals(chooseOffer([], {}), -1);
});

Deno.test("chooseOffer() takes the loopback if that is enough, unless a domain is named", () => {
  const six = offer({ domain: "lo", source: "0:0:0:0:0:0:0:1", fabric: "::1/128" });
  const four = offer({ domain: "lo", source: "127.0.0.1", fabric: "127.0.0.0/8" });
  assertEquals(chooseOffer([offer(), six, four], { loopback: true }), 2);
  assertEquals(chooseOffer([offer(), six], { loopback: true }), 1);
  assertEquals(chooseOffer([offer(), six, four], { loopback: true, domain: "eth0" }), 0);
  // Networks that are none of IP have no loopback.
  assertEquals(chooseOffer([offer({ source: "" })], { loopback: true }), 0);
});

Deno.test("refusal() names what is wrong with an offer", () => {
  const cases: [Partial<FabricInfo>, string | undefined][] = [
    [{}, undefined],
    [{ mrMode: FI.FI_MR_VIRT_ADDR | FI.FI_MR_PROV_KEY | FI.FI_MR_LOCAL }, undefined],
    [{ endpointType: 2 }, "it has no reliable datagrams (FI_EP_RDM)"],
    [{ caps: ALL_CAPS & ~FI.FI_RMA }, "it lacks FI_RMA"],
    [
      { caps: FI.FI_MSG | FI.FI_SEND | FI.FI_RECV | FI.FI_RMA | FI.FI_READ | FI.FI_WRITE },
      "it lacks FI_REMOTE_READ, FI_REMOTE_WRITE",
    ],
    [{ threading: FI.FI_THREAD_SAFE + 1 }, "several threads may not use it at once"],
    [{ mrMode: FI.FI_MR_RAW }, "it demands FI_MR_RAW"],
    [{ mode: FI.FI_CONTEXT }, "it demands FI_CONTEXT of its caller"],
  ];
  for (const [changes, reason] of cases) assertEquals(refusal(offer(changes), {}), reason);
  assertEquals(refusal(offer({ mode: FI.FI_CONTEXT2 }), { contexts: true }), undefined);
  assertEquals(refusal(offer(), { domain: "ib0" }), "its domain is eth0 on 10.0.0.0/24");
});

Deno.test("noProvider() says what was refused and what is there", () => {
  const offers = [offer({ threading: 5 }), offer({ provider: "shm" }), offer({ provider: "shm" })];
  const error = noProvider({}, offers, "1.17");
  assertEquals(
    error.message,
    "Cannot use libfabric: no provider is usable: tcp;ofi_rxm: several threads may not use it " +
      "at once; available if named: shm",
  );
  const named = noProvider({ provider: "verbs", domain: "mlx5_0" }, [], "1.17").message;
  assertStringIncludes(
    named,
    "Cannot use provider verbs on domain mlx5_0: libfabric 1.17 does not",
  );
  assertStringIncludes(named, "offer verbs;ofi_rxm");
});
