/**
 * How Darcs travel in active messages: as fields of a schema, and inside any MessagePack payload,
 * captures of closures and results included.
 *
 * @module
 */

import { CLIENT_NAME } from "../internal/node_names.ts";
import { extension, registerExtension, type Schema } from "../am/mod.ts";
import { ProtocolError } from "../internal/errors.ts";
import { WORLD_ID } from "../lamellae/mod.ts";
import { addToWorld, IdError, type WorldCore } from "../world/mod.ts";
import { DarcBase, referenceOf, spaceOf } from "./base.ts";
import { Darc, GlobalRwDarc, LocalRwDarc } from "./darcs.ts";
import type { Cell, DarcKind, Reference } from "./record.ts";
import type { DarcSpace } from "./space.ts";
import { arrive, sentTo } from "./travel.ts";

/** Extension type in MessagePack. */
const TYPE_DARC = 36;
/** The id of the team, the number of the Darc, its kind, and the PE that sends it. */
const NUMBERS = 4;
const NUMBER_BYTES = 8;

/** What the decoder of a Darc has to know of its world. */
interface DarcContext {
  darcs: DarcSpace;
}

/** The classes of handles. */
const KINDS: readonly {
  readonly kind: DarcKind;
  readonly class: new (reference: Reference) => DarcBase;
}[] = [
  { kind: "Darc", class: Darc },
  { kind: "LocalRwDarc", class: LocalRwDarc },
  { kind: "GlobalRwDarc", class: GlobalRwDarc },
];

/** Their names. */
export const DARC_KINDS: readonly DarcKind[] = KINDS.map(({ kind }) => kind);

/**
 * @param kind The name of a kind of Darcs.
 * @returns The class of that name; all of them are created alike.
 */
export function darcClassOf(kind: DarcKind): typeof Darc {
  return KINDS[DARC_KINDS.indexOf(kind)]!.class as unknown as typeof Darc;
}

addToWorld((core: WorldCore) => {
  (core.engine.decodeContext as DarcContext).darcs = spaceOf(core);
});

function encode(darc: DarcBase): number[] {
  const { kind, number, pe, teamId } = referenceOf(darc).check("send");
  return [teamId, number, KINDS.findIndex((one) => one.kind === kind), pe];
}

function decode(numbers: Float64Array, context: DarcContext): DarcBase {
  const [teamId = -1, number = -1, code = -1, from = -1] = numbers;
  const found = KINDS[code];
  if (numbers.length !== NUMBERS || found === undefined) throw unreadable(numbers);
  const { darcs: space } = context;
  const reference = arrive(space, { teamId, number, kind: found.kind, from }, {
    guest: () => {
      // Of a team, a client does not know the PEs.
      return teamId === WORLD_ID ? { pes: space.core.root, cell: new NoInstance() } : undefined;
    },
  });
  if (reference === "mismatch") throw unreadable(numbers);
  // Whoever sent it to a PE that is no member is told.
  return reference === undefined
    ? Object.create(found.class.prototype)
    : new found.class(reference);
}

/** Where a client would have its instance. */
class NoInstance implements Cell {
  get value(): never {
    throw new IdError(
      `Cannot use the instance of a Darc in ${CLIENT_NAME}: only PEs have one; ` +
        "run a closure or an AM there",
      -1,
    );
  }
}

function unreadable(numbers: Float64Array): ProtocolError {
  return new ProtocolError(
    `Cannot read the handle of a Darc: ${Array.from(numbers).join(", ")} do not describe one`,
  );
}

registerExtension({
  type: TYPE_DARC,
  match: (value) => value instanceof DarcBase,
  encode: (value) => new Uint8Array(new Float64Array(encode(value as DarcBase)).buffer),
  sentTo: (value, pe, session) => sentTo(referenceOf(value as DarcBase), pe, session),
  decode: (bytes, context) => {
    if (bytes.length !== NUMBERS * NUMBER_BYTES) {
      throw new ProtocolError(`Cannot decode MessagePack: ${bytes.length} bytes are not a Darc`);
    }
    return decode(new Float64Array(bytes.buffer), context as DarcContext);
  },
});

function schemaOf<D extends DarcBase>(
  name: string,
  kind: new (reference: Reference) => D,
): Schema<D> {
  return extension<D>({
    name,
    fixedBytes: NUMBERS * NUMBER_BYTES,
    match: (value) => value instanceof kind,
    write: (value, views, at) => views.f64.set(encode(value), at / NUMBER_BYTES),
    sentTo: (value, pe, session) => sentTo(referenceOf(value), pe, session),
    read: (views, at, context) => {
      const from = at / NUMBER_BYTES;
      const numbers = views.f64.slice(from, from + NUMBERS);
      const value = decode(numbers, context as DarcContext);
      if (value instanceof kind) return value;
      throw new ProtocolError(`Cannot read a payload: ${name} holds another kind of Darc`);
    },
  });
}

const DARC: Schema<Darc<unknown>> = schemaOf("darc", Darc<unknown>);
const LOCAL: Schema<LocalRwDarc<unknown>> = schemaOf("localRwDarc", LocalRwDarc<unknown>);
const GLOBAL: Schema<GlobalRwDarc<unknown>> = schemaOf("globalRwDarc", GlobalRwDarc<unknown>);

/**
 * Describes a Darc in the payload of an active message. The handler gets a handle of its own PE,
 * which is given back when the handler is over, its async part included; a clone lasts longer.
 *
 * @category Schemas
 * @returns The schema.
 * @example
 * ```ts
 * import { am, Darc, darc, LamellarWorldBuilder } from "../mod.ts";
 *
 * const Sum = am("Sum", { numbers: darc<number[]>() }, (self) => {
 *   return self.numbers.value.reduce((sum, n) => sum + n, 0);
 * });
 *
 * await using world = await new LamellarWorldBuilder().build();
 * using numbers = await Darc.create(world, [world.myPe, 1]);
 * console.log(await world.execAmPe(0, Sum({ numbers }))); // 1
 * ```
 */
export function darc<T>(): Schema<Darc<T>> {
  return DARC as unknown as Schema<Darc<T>>;
}

/**
 * Describes a `LocalRwDarc` in the payload of an active message, as `darc` does.
 *
 * @category Schemas
 * @returns The schema.
 */
export function localRwDarc<T>(): Schema<LocalRwDarc<T>> {
  return LOCAL as unknown as Schema<LocalRwDarc<T>>;
}

/**
 * Describes a `GlobalRwDarc` in the payload of an active message, as `darc` does.
 *
 * @category Schemas
 * @returns The schema.
 */
export function globalRwDarc<T>(): Schema<GlobalRwDarc<T>> {
  return GLOBAL as unknown as Schema<GlobalRwDarc<T>>;
}
