/**
 * Throw-away ssh servers on the hosts of {@linkcode startHosts}, with keys of their own.
 *
 * @module
 */

import { run, type TestHosts } from "./namespaces.ts";

/** Not the usual port, so that nothing that runs is met by mistake. */
const PORT = 22022;

/**
 * Starts an ssh server on every host. They end with the hosts.
 *
 * @param hosts The hosts.
 * @returns A command for `LAMELLAR_SSH`, to be used on one of the hosts.
 */
export async function startSsh({ hosts, folder }: TestHosts): Promise<string> {
  for (const name of ["host", "user"]) {
    await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${folder}/${name}_key`]);
  }
  const options = [
    `HostKey=${folder}/host_key`,
    `AuthorizedKeysFile=${folder}/user_key.pub`,
    "StrictModes=no",
    "UsePAM=no",
    "PermitRootLogin=prohibit-password",
    "PasswordAuthentication=no",
    "PidFile=none",
  ];
  for (const { enter } of hosts) {
    const flags = options.flatMap((option) => ["-o", option]);
    // sshd changes its root to a folder that only its init script makes.
    await run([...enter, "sh", "-c", "mount -t tmpfs tmpfs /run && mkdir /run/sshd"]);
    await run([...enter, "/usr/sbin/sshd", "-f", "/dev/null", "-p", String(PORT), ...flags]);
  }
  await Deno.writeTextFile(
    `${folder}/ssh_config`,
    `Host *
  Port ${PORT}
  User root
  IdentityFile ${folder}/user_key
  IdentitiesOnly yes
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  LogLevel ERROR
`,
  );
  return `ssh -F ${folder}/ssh_config`;
}
