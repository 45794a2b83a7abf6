import { conformance } from "./conformance/suite.ts";
import { overLibfabric } from "./support/spread.ts";

conformance({
  name: "local",
  env: { LAMELLAR_BACKEND: "local" },
  shapes: [1, 2, 3, 4],
  groups: ["array table"],
});

const groups = ["a tenth of the array table"];

conformance({
  name: "shmem",
  env: { LAMELLAR_BACKEND: "shmem" },
  shapes: [{ processes: 3, pes: 1 }],
  groups,
});

conformance({
  name: "rofi on tcp",
  env: overLibfabric("tcp"),
  shapes: [{ processes: 2, pes: 2 }, { processes: 3, pes: 1 }],
  groups,
});
