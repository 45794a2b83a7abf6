/**
 * Checked slices: typed arrays over memory that refuse to be used once the memory is not theirs any
 * more. A slice is a proxy, because nothing takes shared memory away from a typed array; whatever
 * the library is given, it uses the array behind it.
 *
 * @module
 */

import type { TypedArrayLike } from "./elements.ts";

/** Throws if a slice cannot be used any more; gets what is done with it, to follow "Cannot". */
type Check = (wanted: string) => void;

/** What is behind a checked slice. */
interface Behind {
  readonly array: object;
  readonly check: Check;
}

/** What is behind all checked slices; undefined as long as there are none. */
let slices: WeakMap<object, Behind> | undefined;

/**
 * Makes a slice that is checked.
 *
 * @param array A typed array.
 * @param check Throws if it cannot be used any more.
 * @returns An object that is used as the array is.
 */
export function checkedSlice<A extends TypedArrayLike<never>>(array: A, check: Check): A {
  const slice = new Proxy<A>(array, {
    get(_target, key): unknown {
      check(`use ${described(key)} of a slice of`);
      const value: unknown = Reflect.get(array, key, array);
      return typeof value === "function" && key !== "constructor"
        ? methodOf({ array, check, slice }, value as Method, key)
        : value;
    },
    set(_target, key, value): boolean {
      check(`set ${described(key)} of a slice of`);
      return Reflect.set(array, key, value, array);
    },
  });
  slices ??= new WeakMap();
  slices.set(slice, { array, check });
  return slice;
}

/**
 * @param given What a user gave.
 * @returns The typed array behind it, if it is a checked slice; else the same.
 * @throws {ClosedError} If the slice cannot be used any more.
 */
export function unchecked<T>(given: T): T {
  if (slices === undefined || typeof given !== "object" || given === null) return given;
  const behind = slices.get(given);
  if (behind === undefined) return given;
  behind.check("use a slice of");
  return behind.array as T;
}

type Method = (...args: unknown[]) => unknown;

interface Whole extends Behind {
  readonly slice: object;
}

/** A method of the array, to be called on the slice. */
function methodOf({ array, check, slice }: Whole, method: Method, key: PropertyKey): Method {
  const outside = (value: unknown): unknown => value === array ? slice : value;
  return (...args) => {
    check(`call ${described(key)} of a slice of`);
    // Callbacks get the slice, not what is behind it.
    const given = args.map((arg) =>
      typeof arg === "function"
        ? (...some: unknown[]) => (arg as Method)(...some.map(outside))
        : unchecked(arg)
    );
    const result = method.apply(array, given);
    if (key === "subarray") return checkedSlice(result as TypedArrayLike<never>, check);
    return isIterator(result) ? checkedIterator(result, check) : outside(result);
  };
}

function isIterator(value: unknown): value is IterableIterator<unknown> {
  return typeof value === "object" && value !== null && value instanceof Iterator;
}

function* checkedIterator(
  iterator: IterableIterator<unknown>,
  check: Check,
): IterableIterator<unknown> {
  for (const value of iterator) {
    check("go through a slice of");
    yield value;
  }
}

function described(key: PropertyKey): string {
  return typeof key === "string" && /^\d+$/.test(key) ? `element ${key}` : String(key);
}
