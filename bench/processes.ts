/**
 * Starts the processes of one job on this host, connected by a rendezvous:
 *
 *     deno run -A bench/processes.ts CARRIER PROCESSES PES_PER_PROCESS program.ts args…
 *
 * The carrier is `shmem`, or a provider of libfabric. If one fails, or this one is told to end, the
 * others are ended too. The exit code is the first that is not 0.
 *
 * @module
 */

import { GRACE_MS, stop } from "./child.ts";

/** A port that nobody listens on now. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function start(
  [carrier, processes, pes, program, ...args]: readonly string[],
): Deno.ChildProcess[] {
  const size = Number(processes);
  if (carrier === undefined || program === undefined || !(size >= 1) || !(Number(pes) >= 1)) {
    throw new TypeError("Usage: processes.ts CARRIER PROCESSES PES_PER_PROCESS program.ts args…");
  }
  const shared = {
    ...(carrier === "shmem"
      ? { LAMELLAR_BACKEND: "shmem" }
      : { LAMELLAR_BACKEND: "rofi", LAMELLAR_ROFI_PROVIDER: carrier }),
    LAMELLAR_BOOTSTRAP: "rendezvous",
    LAMELLAR_PES_PER_PROCESS: pes!,
    LAMELLAR_RENDEZVOUS: `127.0.0.1:${freePort()}`,
    LAMELLAR_SECRET: crypto.randomUUID(),
    LAMELLAR_SIZE: String(size),
  };
  return Array.from({ length: size }, (_, rank) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", program, ...args],
      env: { ...shared, LAMELLAR_RANK: String(rank) },
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn());
}

/**
 * Waits for the processes of a job. If one fails, or this one is told to end, the others are ended.
 *
 * @param children the processes
 * @returns the first exit code that is not 0, or 0
 */
export async function waitForAll(children: readonly Deno.ChildProcess[]): Promise<number> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    children.forEach((child) => stop(child, "SIGTERM"));
    timer ??= setTimeout(() => children.forEach((child) => stop(child, "SIGKILL")), GRACE_MS);
  };
  Deno.addSignalListener("SIGTERM", end);
  Deno.addSignalListener("SIGINT", end);
  let exitCode = 0;
  await Promise.all(children.map(async (child) => {
    const { code } = await child.status;
    if (code === 0) return;
    exitCode ||= code;
    end();
  }));
  clearTimeout(timer);
  return exitCode;
}

if (import.meta.main) Deno.exit(await waitForAll(start(Deno.args)));
