import { conformance } from "./conformance/suite.ts";

conformance({
  name: "local",
  env: { LAMELLAR_BACKEND: "local" },
  pes: [1, 2, 3, 4, 8],
});
