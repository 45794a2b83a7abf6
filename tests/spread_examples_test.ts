import { testExamples } from "./support/examples.ts";
import { overLibfabric } from "./support/spread.ts";

/** Runs examples on two processes, which share the PEs evenly, and memory without a provider. */
function onTwoProcesses(provider?: string) {
  return () => ({
    launcher: true,
    launcherFlags: ["--processes", "2"],
    env: provider === undefined ? {} : overLibfabric(provider),
  });
}

testExamples({
  title: "On two processes, example",
  pes: (known) => known.filter((pes) => pes % 2 === 0).slice(0, 1),
  run: onTwoProcesses(),
});

testExamples({
  title: "Over tcp, example",
  pes: (known) => known.filter((pes) => pes % 2 === 0).slice(0, 1),
  // A call to another process takes longer than a copy, and these make one after the other.
  shorten: (name) => name.startsWith("bandwidths/") ? ["4096", "20000"] : undefined,
  run: onTwoProcesses("tcp"),
});

const SOME = [
  "hello.ts",
  "rdma/rdma_put.ts",
  "histogram.ts",
  "misc/ping_pong.ts",
  "teams/team_am.ts",
];

testExamples({
  title: "Over shm, example",
  pes: () => [2],
  only: SOME,
  run: onTwoProcesses("shm"),
});

testExamples({
  title: "Over tcp, two PEs in each of two processes, example",
  pes: () => [4],
  only: SOME,
  run: onTwoProcesses("tcp"),
});
