/**
 * What this host is called.
 *
 * @module
 */

/**
 * The name of this host, for messages and to know it in a list of hosts.
 *
 * @returns The name; `localhost` where it may not be asked for.
 */
export function hostName(): string {
  const descriptor = { name: "sys", kind: "hostname" } as const;
  if (Deno.permissions.querySync(descriptor).state !== "granted") return "localhost";
  return Deno.hostname();
}

/**
 * Tells whether a host of a list is this one, so that no ssh is needed.
 *
 * @param name Its name in the list.
 * @returns Whether it is.
 */
export function isThisHost(name: string): boolean {
  return ["localhost", "127.0.0.1", "::1", hostName()].includes(name);
}
