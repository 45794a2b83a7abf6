import { conformance } from "./conformance/suite.ts";

conformance({
  name: "local",
  env: { LAMELLAR_BACKEND: "local" },
  shapes: [1, 2, 3, 4, 8],
});
