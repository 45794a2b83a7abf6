/**
 * Several hosts on one machine: Linux namespaces with a hostname, processes, shared memory and a
 * network of their own, joined by a bridge that is in a namespace of its own too. Nothing is left
 * of them when they are disposed of, or when this process ends in whatever way: they live as long
 * as the pipe to their first process.
 *
 * @module
 */

/** What makes a host; it ends when its input does, and takes all its processes with it. */
const HOST_SCRIPT = `set -e
hostname "$1"
mount -t tmpfs tmpfs /dev/shm
mount --bind "$2" /etc/hosts
ip link set lo up
echo ready
read -r end || true`;

const SWITCH_SCRIPT = `set -e
ip link add bridge type bridge
ip link set bridge up
echo ready
read -r end || true`;

/** A host among the namespaces. */
export interface TestHost {
  readonly name: string;
  /** Its address in the network of the hosts. */
  readonly address: string;
  /** Its first process, as this host numbers it. */
  readonly pid: number;
  /** What stands before a command to run it there. */
  readonly enter: readonly string[];
}

/** Several hosts. */
export interface TestHosts extends AsyncDisposable {
  readonly hosts: readonly TestHost[];
  /** A command for `LAMELLAR_SSH` that enters the host instead of calling it. */
  readonly ssh: string;
  /** A folder that is gone with the hosts. */
  readonly folder: string;
  /** Cuts a host off from the network, or joins it again. */
  setLink(host: TestHost, up: boolean): Promise<unknown>;
}

/**
 * Starts hosts named `n1`, `n2` and so on.
 *
 * @param count How many.
 * @returns The hosts.
 * @throws {Error} If a command fails, as without root.
 */
export async function startHosts(count: number): Promise<TestHosts> {
  const folder = await Deno.makeTempDir({ prefix: "lamellar-hosts-" });
  const holders: Holder[] = [];
  const dispose = async () => {
    await Promise.all(holders.map((holder) => holder.end()));
    await Deno.remove(folder, { recursive: true });
  };
  try {
    const names = Array.from({ length: count }, (_, index) => `n${index + 1}`);
    const address = (index: number): string => `10.213.77.${index + 1}`;
    const table = names.map((name, index) => `${address(index)} ${name}\n`).join("");
    await Deno.writeTextFile(`${folder}/hosts`, `127.0.0.1 localhost\n${table}`);
    const bridge = await Holder.start(["--net", "--mount"], SWITCH_SCRIPT, []);
    holders.push(bridge);
    const hosts: TestHost[] = [];
    for (const [index, name] of names.entries()) {
      const holder = await Holder.start(
        ["--net", "--uts", "--ipc", "--mount", "--mount-proc"],
        HOST_SCRIPT,
        [name, `${folder}/hosts`],
      );
      holders.push(holder);
      const enter = ["nsenter", "-t", String(holder.pid), "-n", "-u", "-i", "-m", "-p"];
      const inSwitch = ["nsenter", "-t", String(bridge.pid), "-n", "ip", "link"];
      await run([
        ...[...inSwitch, "add", name, "type", "veth", "peer", "name", "eth0"],
        ...["netns", String(holder.pid)],
      ]);
      await run([...inSwitch, "set", name, "master", "bridge", "up"]);
      await run([...enter, "ip", "address", "add", `${address(index)}/24`, "dev", "eth0"]);
      await run([...enter, "ip", "link", "set", "eth0", "up"]);
      hosts.push({ name, address: address(index), pid: holder.pid, enter });
    }
    return {
      hosts,
      folder,
      ssh: await writeSsh(folder, hosts),
      setLink: (host, up) =>
        run([
          ...["nsenter", "-t", String(bridge.pid), "-n", "ip", "link", "set", host.name],
          up ? "up" : "down",
        ]),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The first process of a set of namespaces. */
class Holder {
  readonly #unshare: Deno.ChildProcess;
  readonly pid: number;

  private constructor(unshare: Deno.ChildProcess, pid: number) {
    this.#unshare = unshare;
    this.pid = pid;
  }

  static async start(
    namespaces: readonly string[],
    script: string,
    args: readonly string[],
  ): Promise<Holder> {
    const unshare = new Deno.Command("unshare", {
      args: [...namespaces, "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh", ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = unshare.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    if (!value) {
      const { code } = await unshare.status;
      throw new Error(`Cannot make the namespaces: unshare ended with exit code ${code}`);
    }
    const pid = Number(await run(["ps", "-o", "pid=", "--ppid", String(unshare.pid)]));
    return new Holder(unshare, pid);
  }

  async end(): Promise<void> {
    await this.#unshare.stdin.close().catch(() => {});
    await this.#unshare.status;
  }
}

/** Writes a command that is called as ssh is: a host, and words for its shell. */
async function writeSsh(folder: string, hosts: readonly TestHost[]): Promise<string> {
  const path = `${folder}/enter`;
  const cases = hosts.map(({ name, enter }) => `${name}) exec ${enter.join(" ")} sh -c "$*" ;;`);
  const script = `#!/bin/sh
host=$1; shift
case $host in
${cases.join("\n")}
*) echo "no host $host" >&2; exit 255 ;;
esac
`;
  await Deno.writeTextFile(path, script, { mode: 0o755 });
  return path;
}

/**
 * Runs a command to its end.
 *
 * @param command The command and its arguments.
 * @returns What it wrote to its standard output.
 * @throws {Error} If it fails; says what it wrote to its standard error.
 */
export async function run(command: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command[0]!, {
    args: command.slice(1),
    stdin: "null",
  }).output();
  if (success) return new TextDecoder().decode(stdout).trim();
  const why = new TextDecoder().decode(stderr).trim();
  throw new Error(`Cannot run ${command.join(" ")}: ${why}`);
}
