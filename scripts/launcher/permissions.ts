/**
 * The flags of `deno run` that the processes of a job get.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** Every kind of permission, with the name of its flag. */
const KINDS = {
  read: "--allow-read",
  write: "--allow-write",
  net: "--allow-net",
  env: "--allow-env",
  run: "--allow-run",
  sys: "--allow-sys",
  ffi: "--allow-ffi",
  import: "--allow-import",
} as const;

/** What a process has to read to find the others, whatever the launcher may do. */
const ENVIRONMENT_FLAG = "--allow-env=PMI_*,LAMELLAR_*";

/** Nobody could answer a prompt, and what Deno downloads is not what the program writes. */
const ALWAYS: readonly string[] = ["--quiet", "--no-prompt"];

/** Gives the state of a permission, as `Deno.permissions.querySync(…).state` does. */
export type PermissionQuery = (descriptor: Deno.PermissionDescriptor) => Deno.PermissionState;

/**
 * Chooses the flags: those that were asked for, or else what the launcher may do itself, as far as
 * that can be found out. Deno tells whether all of a kind is allowed, not which paths or names are;
 * beyond what every process needs, kinds that are allowed in part have to be asked for.
 *
 * @param asked The flags on the command line.
 * @param modules What the processes have to load: the program, and a folder or module of ours.
 * @param query How the state of a permission is found out.
 * @returns The flags.
 */
export function processFlags(
  asked: readonly string[],
  modules: readonly URL[],
  query: PermissionQuery = queryState,
): string[] {
  if (asked.length > 0) {
    // Without it each process would be a job of its own.
    const knows = asked.some((flag) => /^(?:-A|-E|--allow-all|--allow-env)(?:=|$)/.test(flag));
    return [...ALWAYS, ...asked, ...knows ? [] : [ENVIRONMENT_FLAG]];
  }
  const kinds = Object.keys(KINDS) as (keyof typeof KINDS)[];
  const granted = kinds.filter((name) => query({ name }) === "granted");
  if (granted.length === kinds.length) return [...ALWAYS, "-A"];
  const flags = granted.map((kind): string => KINDS[kind]);
  if (!granted.includes("env")) flags.push(ENVIRONMENT_FLAG);
  if (!granted.includes("read")) {
    const paths = modules.filter(({ protocol }) => protocol === "file:")
      .map((url) => fileURLToPath(url));
    flags.push(...scoped(KINDS.read, paths, (path) => query({ name: "read", path })));
  }
  if (!granted.includes("import")) {
    const hosts = modules.filter(({ protocol }) => /^https?:$/.test(protocol))
      .map(({ host }) => host);
    flags.push(...scoped(KINDS.import, hosts, (host) => query({ name: "import", host })));
  }
  return [...ALWAYS, ...flags];
}

/** The flag for those of some paths or hosts that the launcher may use itself. */
function scoped(
  flag: string,
  names: readonly string[],
  state: (name: string) => Deno.PermissionState,
): string[] {
  const allowed = [...new Set(names)].filter((name) => state(name) === "granted");
  return allowed.length === 0 ? [] : [`${flag}=${allowed.join(",")}`];
}

function queryState(descriptor: Deno.PermissionDescriptor): Deno.PermissionState {
  return Deno.permissions.querySync(descriptor).state;
}

/**
 * The command that starts Deno here. A launcher that may run `deno` need not be allowed the path
 * that this name leads to.
 *
 * @returns The command; undefined if none may be run.
 */
export function ownDeno(): string | undefined {
  return [Deno.execPath(), "deno"].find((command) =>
    queryState({ name: "run", command }) === "granted"
  );
}
