/**
 * Runs a command while other programs use the cores:
 *
 *     deno run -A bench/loaded.ts BUSY command args…
 *
 * BUSY processes compute from before the command starts until this process has ended, however it
 * ends. The exit code is that of the command; if this process is told to end, the command is too.
 *
 * @module
 */
import { GRACE_MS, stop } from "./child.ts";

/** Says that it runs, and computes for as long as this process lives. */
const BUSY_PROGRAM = `
  console.log("busy");
  while (Deno.ppid === ${Deno.pid}) for (let i = 0; i < 1e6; i++);
`;

async function startBusy(): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "-q", BUSY_PROGRAM],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const { done } = await child.stdout.getReader().read();
  if (done) throw new Error("A busy process ended before the command started");
}

/** Returns the exit code of the command. */
async function run([busyText, program, ...args]: readonly string[]): Promise<number> {
  const count = Number(busyText);
  if (!Number.isSafeInteger(count) || count < 1 || program === undefined) {
    throw new TypeError("Usage: loaded.ts BUSY command args…");
  }
  await Promise.all(Array.from({ length: count }, startBusy));
  const command = new Deno.Command(program, { args }).spawn();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    stop(command, "SIGTERM");
    timer ??= setTimeout(() => stop(command, "SIGKILL"), GRACE_MS);
  };
  Deno.addSignalListener("SIGTERM", end);
  Deno.addSignalListener("SIGINT", end);
  const { code } = await command.status;
  clearTimeout(timer);
  return code;
}

if (import.meta.main) Deno.exit(await run(Deno.args));
