/**
 * Where a process can be reached, as the kernel knows it.
 *
 * @module
 */

/** An address at which a process receives. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** The state of a socket that listens, in /proc/net/tcp. */
const LISTENS = "0A";

/**
 * @param pid A process.
 * @param kind The protocol.
 * @returns The IPv4 addresses at which it receives.
 */
export function placesOf(pid: number, kind: "tcp" | "udp"): Place[] {
  const sockets = new Set([...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(Deno.readLinkSync(`/proc/${pid}/fd/${name}`))?.[1];
    } catch {
      // It is closed by now.
      return undefined;
    }
  }));
  const lines = Deno.readTextFileSync(`/proc/${pid}/net/${kind}`).trim().split("\n").slice(1);
  return lines.map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) =>
      sockets.has(inode) && (kind === "udp" || state === LISTENS)
    )
    .map(([, local]) => placeIn(local!));
}

/** An address as the kernel writes it: the bytes of the host backwards. */
function placeIn(text: string): Place {
  const [host = "", port = ""] = text.split(":");
  const bytes = [6, 4, 2, 0].map((at) => parseInt(host.slice(at, at + 2), 16));
  return { host: bytes.join("."), port: parseInt(port, 16) };
}
