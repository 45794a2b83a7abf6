/**
 * Starts a program of Lamellar for Rust on this host, with shared memory:
 *
 *     deno run -A bench/peers/lamellar_rust.ts PES PROGRAM args…
 *
 * Each PE is a process with one thread for AMs, as a PE of ours has one.
 *
 * @module
 */
import { waitForAll } from "../processes.ts";

const [pes, program, ...args] = Deno.args;
if (program === undefined || !(Number(pes) >= 1)) {
  throw new TypeError("Usage: lamellar_rust.ts PES PROGRAM args…");
}
const children = Array.from({ length: Number(pes) }, (_, pe) =>
  new Deno.Command(program, {
    args,
    env: {
      LAMELLAR_BACKEND: "shmem",
      LAMELLAR_JOB_ID: String(Deno.pid),
      LAMELLAR_NUM_PES: pes!,
      LAMELLAR_PE_ID: String(pe),
      LAMELLAR_THREADS: "1",
    },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn());
Deno.exit(await waitForAll(children));
