/**
 * The types of arrays, as text: what each is and has of its own, and what all have alike, which is
 * how they are made and turned into each other.
 *
 * @module
 */

/** A type of array. */
interface ArrayType {
  readonly name: string;
  /** The class that it extends. */
  readonly base: string;
  /** What turns others into it. */
  readonly op: string;
  /** What it is, to continue "an array". */
  readonly what: string;
  readonly doc: string;
  /** The methods that no other type has. */
  readonly own: string;
}

const TYPES: readonly ArrayType[] = [
  {
    name: "UnsafeArray",
    base: "UnlockedArray",
    op: "intoUnsafe",
    what: "that nothing protects",
    doc: `
/**
 * An array that nothing protects: what one PE writes while others use the same elements is for the
 * program to order, with barriers. Operations on one element are atomic among each other all the
 * same; what is written to \`localAsMutSlice()\` is not.
 *
 * @category Arrays
 */`,
    own: `
  /**
   * The elements that this PE has, as a live view in the order of their indices.
   *
   * @returns A typed array over the memory. Do not use it after the array was disposed of or
   * converted.
   */
  localAsSlice(): ElementSlice<E> {
    return sliceOf(this, "localAsSlice");
  }

  /**
   * The same as \`localAsSlice\`.
   *
   * @returns A typed array over the memory.
   */
  localAsMutSlice(): ElementSlice<E> {
    return sliceOf(this, "localAsMutSlice");
  }

  /**
   * The elements that this PE has, in chunks of neighbours.
   *
   * @param size Elements of each chunk; the last may have fewer.
   * @returns Typed arrays over the memory, as \`localAsSlice\` gives one.
   * @throws {RangeError} If the size is not an integer of at least 1.
   */
  localChunks(size: number): ElementSlice<E>[] {
    return chunksOf("localChunks", size, () => sliceOf(this, "localChunks"));
  }
`,
  },
  {
    name: "ReadOnlyArray",
    base: "UnlockedReadArray",
    op: "intoReadOnly",
    what: "that is only read",
    doc: `
/**
 * An array that nobody changes as long as it is one. It is made by a conversion, or is all 0.
 *
 * @category Arrays
 */`,
    own: `
  /**
   * The elements that this PE has, as a live view in the order of their indices.
   *
   * @returns A typed array over the memory, which TypeScript does not let write. Do not use it
   * after the array was disposed of or converted.
   */
  localAsSlice(): ReadonlySlice<E> {
    return sliceOf(this, "localAsSlice") as unknown as ReadonlySlice<E>;
  }

  /**
   * The elements that this PE has, in chunks of neighbours, to be read only.
   *
   * @param size Elements of each chunk; the last may have fewer.
   * @returns Typed arrays over the memory, as \`localAsSlice\` gives one.
   * @throws {RangeError} If the size is not an integer of at least 1.
   */
  localChunks(size: number): ReadonlySlice<E>[] {
    const chunks = chunksOf("localChunks", size, () => sliceOf(this, "localChunks"));
    return chunks as unknown as ReadonlySlice<E>[];
  }
`,
  },
  {
    name: "AtomicArray",
    base: "UnlockedArray",
    op: "intoAtomic",
    what: "whose elements are used atomically",
    doc: `
/**
 * An array whose elements are used atomically: an operation on an element happens at once, whatever
 * other PEs do there. Floats too are atomic. Elements that are next to each other are independent.
 *
 * \`\`\`ts
 * import { AtomicArray, LamellarWorldBuilder } from "../mod.ts";
 *
 * await using world = await new LamellarWorldBuilder().build();
 * using histogram = await AtomicArray.create(world, "u64", 100, "block");
 * await histogram.batchAdd([7, 7, 42], 1);
 * await world.asyncBarrier();
 * console.log(histogram.at(7) === 2 * world.numPes);
 * \`\`\`
 *
 * @category Arrays
 */`,
    own: `
  /**
   * The elements that this PE has, to use them one by one and atomically, without handles.
   *
   * @returns They, in the order of their indices.
   */
  localData(): AtomicLocalData<E> {
    const span = this.ownSpan("localData");
    return new AtomicLocalData(span, () => countedBy(this), 0, this.numElemsLocal);
  }
`,
  },
  {
    name: "LocalLockArray",
    base: "LockableArray",
    op: "intoLocalLock",
    what: "with a lock for the elements of each PE",
    doc: `
/**
 * An array with a lock for the elements of each PE: a reader shares it with others, a writer has it
 * alone. Every operation holds the lock of the PE whose elements it uses, one PE after the other
 * where there are several; inside, nothing is atomic, which is faster for many elements of one PE.
 * PEs that share memory take each other's locks without a message.
 *
 * \`\`\`ts
 * import { LamellarWorldBuilder, LocalLockArray } from "../mod.ts";
 *
 * await using world = await new LamellarWorldBuilder().build();
 * using sums = await LocalLockArray.create(world, "f64", 100, "block");
 * await sums.batchAdd([7, 7, 42], 0.5);
 * {
 *   using guard = await sums.writeLock(); // nobody else uses the elements of this PE
 *   const mine = guard.localData();
 *   mine.forEach((value, i) => mine[i] = 2 * value);
 * }
 * await world.asyncBarrier();
 * console.log(sums.length === 100);
 * \`\`\`
 *
 * @category Arrays
 */`,
    own: `
  /**
   * Programs get arrays from \`create\`, from conversions, and in payloads.
   *
   * @ignore
   * @param parts What it is made of.
   */
  constructor(parts: ArrayParts<E>) {
    super(parts, "part", ReadOnlyArray, UnsafeArray);
  }

  /**
   * Takes the lock of this PE's elements to read, if it is free and nobody waits for it.
   *
   * @returns The guard, or undefined.
   */
  tryReadLock(): ArrayReadGuard<E> | undefined {
    return this.takeToRead();
  }

  /**
   * Takes the lock of this PE's elements to write, if it is free.
   *
   * @returns The guard, or undefined.
   */
  tryWriteLock(): ArrayWriteGuard<E> | undefined {
    return this.takeToWrite();
  }
`,
  },
  {
    name: "GlobalLockArray",
    base: "LockableArray",
    op: "intoGlobalLock",
    what: "with one lock for all elements",
    doc: `
/**
 * An array with one lock for all of its elements, wherever they are: many PEs can read, or one can
 * write.
 *
 * \`\`\`ts
 * import { GlobalLockArray, LamellarWorldBuilder } from "../mod.ts";
 *
 * await using world = await new LamellarWorldBuilder().build();
 * using table = await GlobalLockArray.create(world, "u32", 10, "cyclic");
 * {
 *   using guard = await table.writeLock(); // no other PE uses any of the elements
 *   const next = 1 + await guard.array.load(9);
 *   await guard.array.fill(next);
 * }
 * await world.asyncBarrier();
 * console.log(table.at(0) === world.numPes);
 * \`\`\`
 *
 * @category Arrays
 */`,
    own: `
  /**
   * Programs get arrays from \`create\`, from conversions, and in payloads.
   *
   * @ignore
   * @param parts What it is made of.
   */
  constructor(parts: ArrayParts<E>) {
    super(parts, "whole", ReadOnlyArray, UnsafeArray);
  }

  /**
   * Takes the lock for all PEs of the array's team together: each gets the elements that it has, to
   * write. Collective: all PEs of the team call it. The lock is free for others once all PEs have
   * given it back.
   *
   * @returns A handle for the guard: await it, or block on it outside of handlers.
   * @throws {ClosedError} If the array was disposed of or converted.
   */
  collectiveWriteLock(): DarcHandle<ArrayWriteGuard<E>> {
    return this.takeTogether();
  }
`,
  },
];

/** The first of them explains what all do. */
const FIRST = TYPES[0]!.name;

function create({ name }: ArrayType): string {
  const doc = name === FIRST
    ? `
   * Makes an array. Collective: all PEs of the world or of the team call it alike.
   *
   * @param team The world, a team, or what belongs to one, such as another array.
   * @param type The element type, such as \`"f64"\`.
   * @param length Number of elements on all PEs together, all 0 at first; it may be 0.
   * @param distribution \`"block"\`: each PE has its share of neighbours; the first have one more
   * if the length does not divide. \`"cyclic"\`: element i is on PE i mod P.
   * @returns A handle for the array. It fails on every PE with an \`OutOfMemoryError\` if one of
   * them has no room.
   * @throws {IdError} If this PE is not a member of the team.`
    : `
   * Makes an array of zeros, as \`${FIRST}.create\` does.
   *
   * @param team The world, a team, or what belongs to one, such as another array.
   * @param type The element type, such as \`"f64"\`.
   * @param length Number of elements on all PEs together.
   * @param distribution \`"block"\` or \`"cyclic"\`.
   * @returns A handle for the array.`;
  return `
  /**${doc}
   */
  static create<E extends AnyElement>(
    team: LamellarEnv,
    type: ElementTypeLike<E>,
    length: number,
    distribution: DistributionKind = "block",
  ): CollectiveHandle<${name}<E>> {
    const wanted = { type, length, distribution };
    return create(team, "${name}", wanted, (parts) => new ${name}(parts));
  }
`;
}

function from({ name }: ArrayType): string {
  const doc = name === FIRST
    ? `
   * Makes an array of values that PEs give: those of PE 0 come first, then those of PE 1, and so
   * on. Collective: all PEs of the world or of the team call it; a PE may give none. Until the
   * handle is done, what was given must not change.
   *
   * @param team The world, a team, or what belongs to one, such as another array.
   * @param type The element type, such as \`"f64"\`.
   * @param values What this PE gives: a typed array of the element type, a list or an iterable of
   * values, or a region, whose part on this PE it is.
   * @param distribution \`"block"\` or \`"cyclic"\`: how the array is distributed, whoever gave an
   * element.
   * @returns A handle for the array. It fails on every PE with an \`OutOfMemoryError\` if one of
   * them has no room.
   * @throws {TypeError} If values are of another type.
   * @throws {RangeError} If a value is out of range.
   * @throws {IdError} If this PE is not a member of the team.`
    : `
   * Makes an array of values that PEs give, as \`${FIRST}.from\` does.
   *
   * @param team The world, a team, or what belongs to one, such as another array.
   * @param type The element type, such as \`"f64"\`.
   * @param values What this PE gives.
   * @param distribution \`"block"\` or \`"cyclic"\`.
   * @returns A handle for the array.`;
  return `
  /**${doc}
   */
  static from<E extends AnyElement>(
    team: LamellarEnv,
    type: ElementTypeLike<E>,
    values: ArrayValues<E>,
    distribution: DistributionKind = "block",
  ): CollectiveHandle<${name}<E>> {
    const wanted = { type, values, distribution };
    return create(team, "${name}", wanted, (parts) => new ${name}(parts));
  }
`;
}

function conversions(from: ArrayType): string {
  return TYPES.filter((to) => to !== from).map(({ name, op, what }, i) => `
  /**${from.name === FIRST && i === 0 ? explained(what) : brief(what)}
   */
  ${op}(): DarcHandle<${name}<E>> {
    return convertArray(this, "${op}", "${name}", (parts) => new ${name}(parts));
  }
`).join("");
}

function explained(what: string): string {
  return `
   * Turns it into an array ${what}. Collective: all PEs of its team call it, for the same
   * elements. It waits until no PE has a \`clone\`, a guard, an operation under way or a payload
   * with the array; after the time of \`LAMELLAR_DEADLOCK_WARNING_TIMEOUT\` it reports which PE
   * has what.
   *
   * @returns A handle for the new array, with the same elements in the same memory. This one and
   * its sub-arrays cannot be used any more.`;
}

function brief(what: string): string {
  return `
   * Turns it into an array ${what}, as
   * \`UnsafeArray.intoReadOnly\` does.
   *
   * @returns A handle for the new array.`;
}

/** The classes of arrays. */
export function arrayTypes(): string {
  return TYPES.map((type) =>
    `${type.doc}
export class ${type.name}<E extends AnyElement> extends ${type.base}<E> {
${create(type)}${from(type)}${type.own}${conversions(type)}}
`
  ).join("\n");
}
