/**
 * Conversions: the instances of a Darc go on as another kind of Darc, once nobody holds the first.
 *
 * @module
 */

import { nodeName } from "../internal/node_names.ts";
import { shownNumber } from "../internal/session_numbers.ts";
import { LamellarError } from "../internal/errors.ts";
import { type Collective, type CollectiveKind, WAIT_FOR } from "../lamellae/mod.ts";
import { insideOf } from "../world/mod.ts";
import { control, DarcHandle, type PendingWork } from "./pending.ts";
import type { DarcRecord, Reference } from "./record.ts";
import type { DarcSpace, Watched } from "./space.ts";

/** What another PE holds, as it said. */
interface Held {
  readonly count: number;
  readonly origins: string;
}

/** A conversion that is under way on this PE. */
class Conversion implements PendingWork, Watched {
  readonly op: string;
  readonly waitKind = WAIT_FOR.references;
  readonly needsEventLoop: boolean = false;
  readonly #space: DarcSpace;
  readonly #record: DarcRecord;
  readonly #collective: Collective;
  readonly #began = performance.now();
  readonly #held = new Map<number, Held>();
  #over: (error?: Error) => void = () => {};
  #isReported = false;

  constructor(space: DarcSpace, record: DarcRecord, collective: Collective, op: string) {
    this.#space = space;
    this.#record = record;
    this.#collective = collective;
    this.op = op;
  }

  /** Says what to do at the end. */
  onOver(over: (error?: Error) => void): void {
    this.#over = over;
  }

  look(): boolean {
    const { done, error } = this.#collective;
    if (error) this.#over(error);
    else if (!done || !this.#record.freed) {
      this.#report();
      return false;
    } else this.#over();
    return true;
  }

  held(record: DarcRecord, pe: number, count: number, origins: string): void {
    if (record === this.#record) this.#held.set(pe, { count, origins });
  }

  inquire(): void {
    const { numNodes, numPes, pe } = this.#space.core.lamella;
    const clients = Array.from({ length: numNodes - numPes }, (_, i) => numPes + i);
    for (const other of [...this.#record.pes, ...clients]) {
      if (other !== pe) this.#space.post(this.#record, other, { kind: "askHeld" });
    }
  }

  /** A conversion is collective: it goes on. */
  withdraw(): void {}

  pe(): number {
    for (const [pe, { count }] of this.#known()) if (count > 0) return pe;
    return -1;
  }

  text(): string {
    const { name } = this.#record;
    if (!this.#collective.done) return `all PEs to call ${this.op} of ${name}`;
    const known = this.#known().filter(([, { count }]) => count > 0)
      .map(([pe, { count, origins }]) =>
        `${nodeName(pe, this.#space.core.lamella.numPes)} has ${count}${origins && ` (${origins})`}`
      );
    const list = known.length > 0 ? `: ${known.join(", ")}` : "";
    return `the last other references to ${name}${list}`;
  }

  #known(): [number, Held][] {
    const { pe, originsText, references } = this.#record;
    const own = { count: references.state.held, origins: originsText };
    return [...this.#held, [pe, own] as [number, Held]].sort(([a], [b]) => a - b);
  }

  /** One PE says it for all, even if other things go on in the job. */
  #report(): void {
    const { core } = this.#space;
    const { deadlockWarningMs } = core.config;
    const waitedMs = performance.now() - this.#began;
    if (this.#isReported || deadlockWarningMs === 0 || waitedMs < deadlockWarningMs) return;
    this.#isReported = true;
    if (core.lamella.pe !== this.#record.home || !this.#collective.done) return;
    const seconds = Math.round(waitedMs / 100) / 10;
    console.error(`lamellar: ${this.op} has been waiting for ${seconds} s for ${this.text()}`);
  }
}

/** What is converted into what. */
export interface Wanted {
  /** What the user called. */
  readonly op: CollectiveKind;
  /** What it becomes. */
  readonly kind: string;
  /** What else all PEs have to agree about, as text. */
  readonly args: string;
}

/**
 * Converts a Darc, or what a layer above counts as one. Collective over its team.
 *
 * @param space The Darcs of this PE.
 * @param reference The handle that is converted; it is given back.
 * @param wanted What it becomes.
 * @param make Makes the new handle of its reference.
 * @returns A handle for the new Darc.
 * @throws {ClosedError} If the handle was given back.
 */
export function convert<D>(
  space: DarcSpace,
  reference: Reference,
  { args, kind, op }: Wanted,
  make: (reference: Reference) => D,
): DarcHandle<D> {
  const record = reference.check(op, `call ${op} of`);
  const { name, pe, team } = record;
  if (record.isConverted) {
    throw new LamellarError(
      "ERR_CONVERTED",
      `Cannot call ${op} on PE ${pe}: ${name} is being converted by another handle`,
      { pe, op },
    );
  }
  const inside = insideOf(team);
  const group = inside.group(op);
  space.progress.checkFailure();
  const converted = space.add(kind, team, inside, record.cell);
  const collective = group.call(op, {
    args: `${shownNumber(record.number)} to ${shownNumber(converted.number)}${args && `, ${args}`}`,
  });
  record.isConverted = true;
  const darc = make(space.reference(converted, kind));
  reference.giveBack("it was converted");
  const conversion = new Conversion(space, record, collective, op);
  const handle = new DarcHandle<D>(space, conversion);
  conversion.onOver((error) => {
    if (error) control.reject(handle, error);
    else control.resolve(handle, darc);
  });
  DarcHandle.wait(handle, undefined);
  space.look(conversion);
  return handle;
}
