import { assertEquals, assertMatch } from "@std/assert";
import { type Attempt, type Need, NEEDS, provide, PYTHON, report } from "./test_needs.ts";

const COMPILER: Need = {
  name: "a",
  parts: [{ package: "pa", probe: ["a"] }, { package: "pb", probe: ["b"] }],
};
const RIVAL: Need = {
  name: "c",
  parts: [{ package: "pc", probe: ["c"] }],
  onlyFor: "comparisons",
};

/** A machine on which some tools are there, and `apt-get` brings the tools of some packages. */
function machine(there: string[], offered: string[]): { ran: string[]; attempt: Attempt } {
  const ran: string[] = [];
  const attempt: Attempt = (command) => {
    ran.push(command.join(" "));
    const [program, ...args] = command;
    if (program !== "apt-get") {
      return Promise.resolve({ succeeded: there.includes(program!), output: "" });
    }
    const packages = args.slice(args.indexOf("--no-install-recommends") + 1);
    if (!args.includes("install")) return Promise.resolve({ succeeded: true, output: "" });
    const unknown = packages.find((name) => !offered.includes(name));
    if (unknown) {
      return Promise.resolve({ succeeded: false, output: `x\nE: No package ${unknown}\ny` });
    }
    there.push(...packages.map((name) => name.slice(1)));
    return Promise.resolve({ succeeded: true, output: "" });
  };
  return { ran, attempt };
}

Deno.test("provide() installs nothing when everything is there", async () => {
  const { ran, attempt } = machine(["a", "b", "c"], []);
  const provided = await provide([COMPILER, RIVAL], true, attempt);
  assertEquals([report(provided), ran], [{ notes: [] }, ["a", "b", "c"]]);
});

Deno.test("provide() installs the packages that are missing, and only these", async () => {
  const { ran, attempt } = machine(["a"], ["pb", "pc"]);
  const provided = await provide([COMPILER, RIVAL], true, attempt);
  assertEquals(report(provided), { notes: [] });
  assertEquals(ran.filter((line) => line.startsWith("apt-get ")), [
    "apt-get --version",
    "apt-get -q -o DPkg::Lock::Timeout=120 update",
    "apt-get -q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends pb pc",
  ]);
});

Deno.test("a thing of which one package is missing is missing", async () => {
  for (const there of [["a"], ["b"]]) {
    const { attempt } = machine([...there, "c"], []);
    const { fatal } = report(await provide([COMPILER, RIVAL], false, attempt));
    const name = there[0] === "a" ? "pb" : "pa";
    assertEquals(
      fatal,
      `Cannot run all tests without a (${name}): installing needs root and apt-get`,
    );
  }
});

Deno.test("what tests need and what is only compared with are told apart", async () => {
  const { attempt } = machine(["a", "b"], []);
  assertEquals(report(await provide([COMPILER, RIVAL], false, attempt)), {
    notes: ["not installed: c (pc), installing needs root and apt-get; left out: comparisons"],
  });
});

Deno.test("a package that is not to be had does not keep out others, and is named", async () => {
  const { attempt } = machine(["a"], ["pc"]);
  assertEquals(report(await provide([COMPILER, RIVAL], true, attempt)), {
    fatal: "Cannot run all tests without a (pb): apt-get could not install it (No package pb)",
    notes: [],
  });
});

Deno.test("what is installed and does not work is missing", async () => {
  const attempt: Attempt = ([program]) =>
    Promise.resolve({ succeeded: program === "apt-get", output: "" });
  assertMatch(report(await provide([COMPILER], true, attempt)).fatal!, /yet it does not work$/);
});

Deno.test("what no package brings is missing without an attempt to install it", async () => {
  const right: Need = { name: "a right", parts: [{ probe: ["d"] }] };
  const { ran, attempt } = machine(["a", "b"], []);
  const fatal = "Cannot run all tests without a right: no package brings it";
  assertEquals(report(await provide([COMPILER, right], true, attempt)), { fatal, notes: [] });
  assertEquals(ran, ["a", "b", "d"]);
});

Deno.test("every package of every need has a probe, and Debian's Python is asked", () => {
  for (const { name, parts } of NEEDS) {
    assertEquals(parts.every(({ probe }) => probe.length > 0) && parts.length > 0, true, name);
  }
  const python = NEEDS.find(({ name }) => name === "mpi4py")!.parts;
  assertEquals(python.map(({ probe }) => probe[0]), [PYTHON, PYTHON]);
});
