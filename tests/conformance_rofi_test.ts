import { conformance } from "./conformance/suite.ts";

const shapes = [
  { processes: 2, pes: 1 },
  { processes: 3, pes: 1 },
  { processes: 4, pes: 1 },
  { processes: 2, pes: 2 },
  { processes: 1, pes: 4 },
];

for (const provider of ["tcp", "shm"]) {
  conformance({ name: `rofi on ${provider}`, env: { LAMELLAR_ROFI_PROVIDER: provider }, shapes });
}

for (const provider of ["net", "udp"]) {
  conformance({
    name: `rofi on ${provider}`,
    env: { LAMELLAR_ROFI_PROVIDER: provider },
    shapes: [{ processes: 2, pes: 1 }],
    groups: ["world and messages", "regions", "teams"],
  });
}
