import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../launch_args.ts";
import {
  parseHostfile,
  parseHosts,
  planJob,
  type PlanRequest,
  processMapping,
  THIS_HOST,
} from "./hosts.ts";

function plan(hosts: string, request: Partial<PlanRequest>) {
  return planJob({
    hosts: hosts === "" ? [THIS_HOST] : parseHosts(hosts),
    pes: undefined,
    processes: undefined,
    pesPerProcess: undefined,
    pesPerHost: undefined,
    ...request,
  });
}

/** The number of processes of each host, and of PEs of each process. */
function shape(hosts: string, request: Partial<PlanRequest>): [string, number] {
  const { hosts: used, pesPerProcess } = plan(hosts, request);
  return [used.map(({ name, ranks }) => `${name}:${ranks.join("")}`).join(" "), pesPerProcess];
}

Deno.test("parseHosts() reads names, slots, users and addresses", () => {
  assertEquals(parseHosts("a, b:4,me@c.d:2,[fe80::1%eth0]:3,[::1],10.0.0.1"), [
    { name: "a", slots: undefined },
    { name: "b", slots: 4 },
    { name: "me@c.d", slots: 2 },
    { name: "fe80::1%eth0", slots: 3 },
    { name: "::1", slots: undefined },
    { name: "10.0.0.1", slots: undefined },
  ]);
  assertEquals(parseHosts("a:1,b,a:2"), [
    { name: "a", slots: 3 },
    { name: "b", slots: undefined },
  ]);
});

Deno.test("parseHosts() refuses what ssh would take for an option or a command", () => {
  for (const name of ["-oProxyCommand=x", "a b", "a;b", "$(x)", "", "a:b", "a\nb", "a'"]) {
    assertThrows(() => parseHosts(name), UsageError, "Cannot read the host ");
  }
  assertThrows(() => parseHosts("a:0"), UsageError, "Cannot use host a of --hosts: it has 0 slots");
});

Deno.test("parseHostfile() reads a host a line, with both ways to write slots", () => {
  const text = "# nodes\nn1\nn2:4   # four\n\n  n3 slots=8\r\n";
  assertEquals(parseHostfile(text, "F"), [
    { name: "n1", slots: undefined },
    { name: "n2", slots: 4 },
    { name: "n3", slots: 8 },
  ]);
  assertThrows(() => parseHostfile("#\n\n", "F"), UsageError, "Cannot use F: it names no hosts");
  assertThrows(() => parseHostfile("n1 max=3", "F"), UsageError, 'host "n1 max=3" of F');
});

Deno.test("planJob() starts one process a host unless it is told otherwise", () => {
  assertEquals(shape("", { pes: 4 }), ["localhost:0", 4]);
  assertEquals(shape("a,b,c", { pes: 6 }), ["a:0 b:1 c:2", 2]);
  assertEquals(shape("a,b,c", { pes: 2 }), ["a:0 b:1", 1]);
  assertEquals(shape("a,b", { pesPerHost: 3 }), ["a:0 b:1", 3]);
  assertEquals(shape("a:2,b:2", {}), ["a:0 b:1", 2]);
});

Deno.test("planJob() spreads processes evenly, and fills slots in order", () => {
  assertEquals(shape("", { processes: 3 }), ["localhost:012", 1]);
  assertEquals(shape("", { pes: 8, processes: 4 }), ["localhost:0123", 2]);
  assertEquals(shape("a,b", { processes: 5 }), ["a:012 b:34", 1]);
  assertEquals(shape("a:1,b:4", { processes: 4 }), ["a:0 b:123", 1]);
  assertEquals(shape("a:1,b", { processes: 4 }), ["a:0 b:123", 1]);
  assertEquals(shape("a:5,b:4", { pes: 8, pesPerProcess: 2 }), ["a:01 b:23", 2]);
  assertEquals(shape("a,b", { pesPerHost: 4, pesPerProcess: 2 }), ["a:01 b:23", 2]);
  assertEquals(shape("a,b,c", { pes: 6, pesPerHost: 4, pesPerProcess: 2 }), ["a:01 b:2", 2]);
});

Deno.test("planJob() refuses numbers that do not go together", () => {
  const refuse = (hosts: string, request: Partial<PlanRequest>, message: string): void => {
    assertThrows(() => plan(hosts, request), UsageError, message);
  };
  refuse("", { pes: 5, processes: 2 }, "Cannot divide 5 PEs evenly among 2 processes");
  refuse("a,b", { pes: 5 }, "Cannot divide 5 PEs evenly among 2 hosts");
  refuse("", { pes: 5, pesPerProcess: 2 }, "into processes of 2: the last one would have 1");
  refuse("", { pes: 4, processes: 3, pesPerProcess: 2 }, "4 PEs as 3 processes of 2 PEs");
  refuse("a,b", {}, "Cannot tell the number of PEs");
  refuse("a:2,b:2", { pes: 5, processes: 5 }, "Cannot place 5 PEs: the hosts have 4 slots");
  refuse("a:3,b:3", { pes: 6, pesPerProcess: 2 }, "in processes of 2: the hosts have 6 slots");
  refuse("a,b", { pes: 9, pesPerHost: 4, pesPerProcess: 1 }, "2 hosts take 4 each");
  refuse("a:2,b", { pesPerHost: 4 }, "Cannot place 4 PEs on host a: it has 2 slots");
  refuse("a,b", { pesPerHost: 4, pesPerProcess: 3, pes: 6 }, "in processes of 3 PEs");
});

Deno.test("processMapping() says which processes share a host", () => {
  assertEquals(processMapping(plan("a,b", { processes: 5 })), "(vector,(0,1,3),(1,1,2))");
});
