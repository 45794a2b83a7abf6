/**
 * Signs of life of a process that may not be able to speak, as the kernel gives them: a process
 * that is slow uses a core or is woken now and then, one that is stopped or stuck is not.
 *
 * @module
 */

/** How deep the children of children are looked at. */
const DEPTH_MAX = 4;

/** Reads a file below /proc, or the names in a folder; undefined if there is no such thing. */
export type ReadProc = (path: string) => string | undefined;

/** What a look found. */
export interface VitalSign {
  /** Whether the process has moved since the last look, or would if it got a core. */
  readonly moved: boolean;
  /** Whether a signal or a debugger has stopped it. */
  readonly stopped: boolean;
}

/** Looks for signs of life of one process, its threads and its children. */
export class VitalSigns {
  readonly #pid: number;
  readonly #read: ReadProc;
  #ticks = NaN;
  #switches = "";

  /**
   * @param pid The process.
   * @param read Reads what the kernel says.
   */
  constructor(pid: number, read: ReadProc = readProc) {
    this.#pid = pid;
    this.#read = read;
  }

  /**
   * @returns What was found; undefined where the kernel says nothing, as it does not everywhere.
   */
  look(): VitalSign | undefined {
    const main = readStat(this.#read(`${this.#pid}/stat`));
    if (!main) return undefined;
    const stopped = main.state === "T" || main.state === "t";
    const [before, ticks] = [this.#ticks, main.ticks];
    this.#ticks = ticks;
    // A tick is 10 ms; a process that is only woken uses less, and to see that takes many files.
    if (ticks !== before || main.state === "R") return { moved: true, stopped };
    const threads = threadsOf(this.#pid, this.#read, 0);
    const switches = threads.map(({ switches }) => switches).join();
    const moved = switches !== this.#switches || threads.some(({ state }) => state === "R");
    this.#switches = switches;
    return { moved, stopped };
  }
}

/** A thread of the process or of a child: its state, and how often it has left a core. */
interface Thread {
  readonly state: string;
  readonly switches: string;
}

function threadsOf(pid: number, read: ReadProc, depth: number): Thread[] {
  const found: Thread[] = [];
  for (const id of read(`${pid}/task`)?.split("\n") ?? []) {
    const status = read(`${pid}/task/${id}/status`);
    if (status === undefined) continue;
    const counts = [...status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s*(\d+)/gm)];
    const [, state = ""] = /^State:\s*(\w)/m.exec(status) ?? [];
    found.push({ state, switches: counts.map(([, count]) => count).join("+") });
    const children = read(`${pid}/task/${id}/children`)?.trim() ?? "";
    if (children === "" || depth === DEPTH_MAX) continue;
    for (const child of children.split(" ")) {
      found.push(...threadsOf(Number(child), read, depth + 1));
    }
  }
  return found;
}

/** State, and the time on a core that all threads and buried children have had, in ticks. */
function readStat(text: string | undefined): { state: string; ticks: number } | undefined {
  if (text === undefined) return undefined;
  // The name, in parentheses, may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { state: fields[0]!, ticks };
}

function readProc(path: string): string | undefined {
  try {
    if (!path.endsWith("/task")) return Deno.readTextFileSync(`/proc/${path}`);
    return [...Deno.readDirSync(`/proc/${path}`)].map(({ name }) => name).join("\n");
  } catch {
    // It has ended meanwhile, or this is no Linux.
    return undefined;
  }
}
