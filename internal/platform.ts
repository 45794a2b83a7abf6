/**
 * What the runtime needs of Deno: the version, and the permissions, each with what it is for. The
 * document `docs/permissions.md` is generated from the table here.
 *
 * @module
 */

import { FeatureLevelError } from "./errors.ts";

/** The oldest Deno that will do: older ones may free the buffer of a pending foreign call. */
export const DENO_MINIMUM = "2.9.0";

/** One permission that a program may need. */
interface Permission {
  readonly flag: string;
  readonly purpose: string;
  readonly without: string;
}

const PERMISSIONS = {
  read: {
    flag: "--allow-read",
    purpose: "Start PEs from a program that is a local file",
    without: "`build()` fails with the flag to add",
  },
  import: {
    flag: "--allow-import",
    purpose: "Start PEs from a program at a URL, on a host that Deno does not trust by default",
    without: "`build()` fails with the flag to add",
  },
  env: {
    flag: "--allow-env",
    purpose: "Read the `LAMELLAR_…` variables",
    without: "Every variable counts as not set; Deno does not prompt",
  },
  net: {
    flag: "--allow-net",
    purpose: "Meet the other processes of a job at a rendezvous, or by `PMI_PORT`",
    without: "Such a process ends with the flag to add; other ways to meet do not need it",
  },
  ffi: {
    flag: "--allow-ffi",
    purpose: "Offer the core to other PEs while waiting (`sched_yield`), use huge pages " +
      "(`madvise`), share memory between processes, and use libfabric",
    without:
      "Only jobs of one process run; random access is slower, and so is waiting if PEs share cores",
  },
} as const satisfies Record<string, Permission>;

/** Gives the state of a permission, as `Deno.permissions.querySync(…).state` does. */
export type PermissionQuery = (descriptor: Deno.PermissionDescriptor) => Deno.PermissionState;

/**
 * Checks that this is a Deno that will do.
 *
 * @param version The version of Deno
 * @throws {FeatureLevelError} If it is older than {@linkcode DENO_MINIMUM}
 */
export function checkDeno(version: string = Deno.version.deno): void {
  const have = version.split(/[.+-]/).map(Number);
  const need = DENO_MINIMUM.split(".").map(Number);
  for (let part = 0; part < need.length; part++) {
    if (have[part]! > need[part]!) return;
    if (have[part]! < need[part]!) {
      throw new FeatureLevelError(
        `Cannot run on Deno ${version}: Lamellar needs Deno ${DENO_MINIMUM} or newer; ` +
          "upgrade with deno upgrade, or run with npx -y deno@latest",
      );
    }
  }
}

/**
 * Checks that Workers may be started from a module. A permission that Deno would ask for on a
 * terminal counts as missing: a Worker that waits for an answer would stop the whole job.
 *
 * @param url The module that the Workers run
 * @param query How the state of a permission is found out
 * @throws {FeatureLevelError} If the permission is missing; says which flag gives it
 */
export function checkPermissions(url: string, query: PermissionQuery = queryState): void {
  const module = new URL(url);
  if (module.protocol === "file:") {
    if (query({ name: "read", path: module }) === "granted") return;
    throw new FeatureLevelError(
      `Cannot start PEs from ${url}: permission to read it is missing; ` +
        `run with ${PERMISSIONS.read.flag}`,
    );
  }
  if (module.protocol !== "http:" && module.protocol !== "https:") return;
  if (query({ name: "import", host: module.host }) === "granted") return;
  throw new FeatureLevelError(
    `Cannot start PEs from ${url}: permission to import it is missing; ` +
      `run with ${PERMISSIONS.import.flag}=${module.host}`,
  );
}

/**
 * The table of `docs/permissions.md`.
 *
 * @returns Markdown, a row for each permission
 */
export function permissionTable(): string {
  const rows = Object.values(PERMISSIONS).map((permission: Permission) =>
    `| \`${permission.flag}\` | ${permission.purpose} | ${permission.without} |`
  );
  return ["| flag | what for | without it |", "|---|---|---|", ...rows].join("\n");
}

function queryState(descriptor: Deno.PermissionDescriptor): Deno.PermissionState {
  return Deno.permissions.querySync(descriptor).state;
}
