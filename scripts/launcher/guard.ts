/**
 * The guard: a small shell that ends the processes of an agent which cannot do so any more, because
 * it was killed. It reads the process groups to watch over from a pipe; the end of that pipe is the
 * end of the agent. It also removes what the `shm` provider of a killed process has left.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { GRACE_MS } from "./protocol.ts";

/** Watches over process groups. */
export interface Guard {
  /** Takes a group under guard. */
  watch(pid: number): void;
  /** Lets a group go, which has ended. */
  forget(pid: number): void;
}

/** The number of a group that has ended may be given to another, so it is forgotten in time. */
const SCRIPT = `
trap '' HUP INT TERM
groups=' '
namespace=$(readlink /proc/self/ns/pid | tr -cd 0-9)
clear() {
  for file in "/dev/shm/lamellar-\$namespace-\$1-"*; do
    [ -e "\$file" ] && rm -f "\$file"
  done
}
while read -r order pid; do
  case $order in
    watch) groups="$groups$pid " ;;
    forget) groups="\${groups%%" $pid "*} \${groups#*" $pid "}"; clear "$pid" ;;
  esac
done
[ "$groups" = ' ' ] && exit
for pid in $groups; do kill -TERM "-$pid"; kill -CONT "-$pid"; done
sleep ${GRACE_MS / 1000}
for pid in $groups; do kill -KILL "-$pid"; done
for pid in $groups; do clear "$pid"; done`;

/**
 * Starts a guard in a process group of its own, so that what ends the agent does not end it.
 *
 * @returns The guard.
 */
export function startGuard(): Guard {
  const { PATH = "" } = Deno.env.toObject();
  const child = spawn("/bin/sh", ["-c", SCRIPT], {
    // The path of a job may lead to its own programs only.
    env: { PATH: `${PATH}:/usr/bin:/bin` },
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // Without one nobody is watched over; the processes still see their connections close.
  child.on("error", () => {});
  const orders = child.stdin;
  orders?.on("error", () => {});
  child.unref();
  return {
    watch: (pid) => void orders?.write(`watch ${pid}\n`),
    forget: (pid) => void orders?.write(`forget ${pid}\n`),
  };
}
