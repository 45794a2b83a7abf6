/**
 * Writes the two kinds of regions, `memregion/shared_region.ts` and
 * `memregion/one_sided_region.ts`, and the arrays, `array/writable_array.ts`,
 * `array/unlocked_arrays.ts`, `array/arrays.ts` and `memregion/span/span_element.ts`, from the text
 * of their methods and the table of element operations: what several have stands there once, and
 * every operation has all its forms.
 *
 *     deno run -A scripts/build_regions.ts           # write the files
 *     deno run -A scripts/build_regions.ts --check   # fail if they are not what they should be
 *
 * @module
 */

import { ONE_SIDED_ONLY, SHARED_ONLY } from "./region_kinds.ts";
import { ARRAY_WRITES, arrayOperations, elementOperations } from "./array_methods.ts";
import { arrayTypes } from "./array_types.ts";
import {
  arrayCollectives,
  arrayCollectivesInPlace,
  collectives,
} from "./region_collective_methods.ts";
import { methods } from "./region_methods.ts";
import { ROOT } from "./tree.ts";

const IMPORTS = `
import type {
  ElementArray,
  ElementType,
  ElementValue,
  BitsValue,
  IntegerValue,
  NumericValue,
} from "../internal/elements.ts";
import { type RmaHandle, settled } from "./transfer/handle.ts";
import { putSignal } from "./transfer/put_signal.ts";
import { getStrided, putStrided } from "./transfer/strided.ts";
import {
  arrayFor,
  type BatchCompareExchangeResult,
  type CompareExchangeResult,
  type GetTarget,
  type IndexSource,
  type BitsSource,
  type IntegerSource,
  type NumericSource,
  MemoryRegion,
  type PutSource,
  type RegionSignal,
} from "./region.ts";
import { type Given, MEMORY } from "./memory/region_memory.ts";
`;

/** What is true of the atomic operations of both kinds. */
const ORDER = ` * Integers wrap, and bitwise operations take integers only. Atomic operations that
 * one PE starts at one other PE take effect in the order in which it starts them, those at several
 * PEs in any order: see \`fence\` of the world. On every lamella an operation is complete once its
 * handle is done.
 *`;

const SHARED = `
/**
 * Memory of which every PE has a part of the same length, made by \`allocSharedMemRegion\`. Any PE
 * can read and write any part; only the atomic operations are synchronised. Operations on a list of
 * elements take indices over all parts: element i of PE p has the index p × \`length\` + i.
 *
${ORDER}
 * The memory is free once every PE has disposed of its handle. A sub-region, or a handle that came
 * in an active message, shares the memory but does not keep it: to dispose of it only closes that
 * handle.
 *
 * @category Memory regions
 */
export class SharedMemoryRegion<E extends ElementType> extends MemoryRegion<E> {`;

const ONE_SIDED = `
/**
 * Memory of one PE, its owner, which makes it by \`allocOneSidedMemRegion\` without the others. Its
 * handle travels in active messages; a PE that has the handle can read and write the memory.
 *
${ORDER}
 * When the owner disposes of it, the memory is free at once, and every later use on any PE throws
 * a \`ClosedError\`. The owner has to make sure that no PE is using it at that moment. To dispose
 * of a sub-region, or of a handle on another PE, only closes that handle.
 *
 * @category Memory regions
 */
export class OneSidedMemoryRegion<E extends ElementType> extends MemoryRegion<E> {`;

const ARRAY_IMPORTS = `
import type {
  BatchCompareExchangeResult,
  BitsSource,
  BitsValue,
  CompareExchangeResult,
  ElementArray,
  AnyElement,
  ElementValue,
  GetTarget,
  IntegerSource,
  IntegerValue,
  NumericSource,
  NumericValue,
  PutSource,
} from "../memregion/mod.ts";
import type { Handle } from "../lamellae/mod.ts";
import type { LamellarArray } from "./base.ts";
import { copyArray, isArray } from "./copies.ts";
import { exchangeAllNear, exchangeNear } from "./epsilon.ts";
import { type ArrayIndices, type ArraySource, ReadableArray } from "./readable_array.ts";
`;

const TYPE_IMPORTS = `
import type { LamellarEnv } from "../am/mod.ts";
import type { DarcHandle } from "../darc/mod.ts";
import type { DistributionKind } from "../internal/distribution.ts";
import type { CollectiveHandle } from "../lamellae/mod.ts";
import type {
  ElementSlice,
  AnyElement,
  ElementTypeLike,
} from "../memregion/mod.ts";
import { type ArrayParts, countedBy, type ReadonlySlice } from "./base.ts";
import type { ArrayReadGuard, ArrayWriteGuard } from "./lock_guards.ts";
import { convertArray } from "./conversion.ts";
import { create } from "./create.ts";
import { AtomicLocalData } from "./local_data.ts";
import { LockableArray } from "./locked_array.ts";
import type { ArrayValues } from "./readable_array.ts";
import { chunksOf, sliceOf } from "./slices.ts";
import { UnlockedArray, UnlockedReadArray } from "./unlocked_arrays.ts";
`;

const UNLOCKED_IMPORTS = `
import type { CollectiveHandle } from "../lamellae/mod.ts";
import type { ElementArray, AnyElement, GetTarget } from "../memregion/mod.ts";
import { keeping } from "./keeping.ts";
import { ReadableArray } from "./readable_array.ts";
import { WritableArray } from "./writable_array.ts";
`;

/** Arrays without locks, with what leaves them as they are, and what changes them. */
const UNLOCKED = `
/**
 * An array that is read without locks. Collectives are over the elements that each PE has, by their
 * places there: element by element, the first ones of all PEs, the second ones, and so on. Ranges
 * that a collective uses belong to it until its handle is done.
 *
 * @category Arrays
 */
export abstract class UnlockedReadArray<E extends AnyElement> extends ReadableArray<E> {
${arrayCollectives()}
}

/**
 * An array that is read and written without locks. Collectives are over the elements that each PE
 * has, as \`UnlockedReadArray\` says.
 *
 * @category Arrays
 */
export abstract class UnlockedArray<E extends AnyElement> extends WritableArray<E> {
${arrayCollectives()}${arrayCollectivesInPlace()}
}
`;

const ELEMENT_IMPORTS = `
import type {
  BitsValue,
  AnyElement,
  ElementValue,
  IntegerValue,
  NumericValue,
} from "../../internal/elements.ts";
import type { RegionMemory } from "../memory/region_memory.ts";
import type { CompareExchangeResult } from "../region.ts";
import { settled } from "../transfer/handle.ts";
import { checkDifference, isWithin } from "./difference.ts";
`;

const ELEMENT = `
/**
 * One element of an array on this PE, which is used atomically. Everything happens at once, without
 * a handle.
 *
 * @category Arrays
 */
export class AtomicElement<E extends AnyElement> {
  readonly #memory: RegionMemory<ElementValue<E>>;
  readonly #part: number;
  #place: number;

  /**
   * Programs get elements from the local data of an array.
   *
   * @ignore
   * @param memory The memory.
   * @param part The part of this PE.
   * @param place Where the element is there.
   */
  constructor(memory: RegionMemory<ElementValue<E>>, part: number, place: number) {
    this.#memory = memory;
    this.#part = part;
    this.#place = place;
  }

  /**
   * Moves it to another element.
   *
   * @ignore
   * @param place Where that is.
   * @returns The same object.
   */
  moveTo(place: number): this {
    this.#place = place;
    return this;
  }

  /**
   * Loads the element.
   *
   * @returns Its value.
   */
  load(): ElementValue<E> {
    return settled(this.#memory.access.load(this.#memory, this.#part, this.#place));
  }

  /**
   * Replaces the element if it is as expected, by its bits.
   *
   * @param expected What it has to be.
   * @param replacement Its new value.
   * @returns What it was, and whether it was replaced.
   */
  compareExchange(
    expected: ElementValue<E>,
    replacement: ElementValue<E>,
  ): CompareExchangeResult<E> {
    const { access } = this.#memory;
    return settled(
      access.compareExchange(this.#memory, this.#part, this.#place, expected, replacement),
    );
  }

  /**
   * Replaces the element if it differs from what is expected by less than \`epsilon\`.
   *
   * @param expected What it has to be near to.
   * @param replacement Its new value.
   * @param epsilon The difference, of at least 0.
   * @returns What it was, and whether it was replaced.
   */
  compareExchangeEpsilon(
    expected: NumericValue<E>,
    replacement: NumericValue<E>,
    epsilon: NumericValue<E>,
  ): CompareExchangeResult<E> {
    checkDifference(this.#memory, "compareExchangeEpsilon", epsilon, [expected, replacement]);
    for (;;) {
      const value = this.load();
      if (!isWithin(value, expected, epsilon)) return { ok: false, value };
      const result = this.compareExchange(value, replacement);
      if (result.ok) return result;
    }
  }
`;

const WRITABLE = `
/**
 * An array whose elements can be read and written. The types of arrays say what may happen at the
 * same time. Integers wrap. Operations of one PE on different elements take effect in any order.
 *
 * @category Arrays
 */
export abstract class WritableArray<E extends AnyElement> extends ReadableArray<E> {`;

/** Makes the text of one kind of what both have. */
function textFor(kind: "shared" | "oneSided", text: string): string {
  const chosen = text.replace(
    /\{\{(.*?)\|(.*?)\}\}/gs,
    (_all, shared: string, oneSided: string) => kind === "shared" ? shared : oneSided,
  );
  if (kind === "shared") return chosen;
  return chosen
    .replace(/^ *\* @param pe The PE\.\n/gm, "")
    .replace(/\bpe: number,\s*/g, "")
    // What is passed on is the part, and there is one.
    .replace(/(\bmemory|this\[MEMORY\]|\btrue|\bfalse), pe,/g, "$1, 0,")
    .replace(/("(?:put|get)Indexed"), pe,/g, "$1, 0,")
    .replace(/\(pe, /g, "(");
}

async function formatted(text: string): Promise<string> {
  const fmt = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "-"],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = fmt.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { code, stdout } = await fmt.output();
  if (code !== 0) throw new Error("Cannot format what was made: deno fmt failed");
  return new TextDecoder().decode(stdout);
}

function file(
  what: string,
  head: string,
  text: string,
  imports = IMPORTS,
  source = "region_methods.ts",
): Promise<string> {
  return formatted(
    `// Generated by scripts/build_regions.ts from scripts/${source}: do not edit.

/**
 * ${what}
 *
 * @module
 */
${imports}${head}
${text}
`,
  );
}

const FILES: Readonly<Record<string, Promise<string>>> = {
  "memregion/shared_region.ts": file(
    "Shared regions: memory that every PE has a part of.",
    SHARED,
    SHARED_ONLY + textFor("shared", methods()) + collectives() + "}",
    IMPORTS.replace(
      "import { type RmaHandle",
      'import type { CollectiveHandle } from "../lamellae/mod.ts";\nimport { type RmaHandle',
    ).replace(
      "import { putSignal }",
      `import { putAll } from "./transfer/put_all.ts";\nimport { putSignal }`,
    ),
  ),
  "memregion/one_sided_region.ts": file(
    "One-sided regions: memory of one PE that others reach by its handle.",
    ONE_SIDED,
    ONE_SIDED_ONLY + textFor("oneSided", methods()) + "}",
  ),
  "memregion/span/span_element.ts": file(
    "One element of a span on this PE.",
    ELEMENT,
    elementOperations() + "}",
    ELEMENT_IMPORTS,
    "array_methods.ts",
  ),
  "array/arrays.ts": file("The types of arrays.", "", arrayTypes(), TYPE_IMPORTS, "array_types.ts"),
  "array/unlocked_arrays.ts": file(
    "The collectives of arrays.",
    "",
    UNLOCKED,
    UNLOCKED_IMPORTS,
    "region_collective_methods.ts",
  ),
  "array/writable_array.ts": file(
    "What can be written of arrays.",
    WRITABLE,
    ARRAY_WRITES + arrayOperations() + "}",
    ARRAY_IMPORTS,
    "array_methods.ts",
  ),
};

for (const [path, text] of Object.entries(FILES)) {
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(ROOT + path, await text);
  } else if (await text !== await Deno.readTextFile(ROOT + path)) {
    console.error(`${path} differs from its source: run scripts/build_regions.ts`);
    Deno.exitCode = 1;
  }
}
