/**
 * Values as text that differs where they do.
 *
 * @module
 */

// deno-lint-ignore no-explicit-any -- whatever an operation takes or gives
type Any = any;

/**
 * Shows a value.
 *
 * @param value Anything.
 * @returns Its text: unlike `JSON`, it tells -0 from 0, BigInts from numbers, and arrays by class.
 */
export function show(value: Any): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value);
  if (Object.is(value, -0)) return "-0";
  if (typeof value !== "object" || value === null) return String(value);
  const list = (values: Any): string => Array.from(values, (one) => show(one)).join(", ");
  if (Array.isArray(value)) return `[${list(value)}]`;
  if (typeof value.asSlice === "function") {
    try {
      return `region [${list(value.asSlice())}]`;
    } catch {
      return `a region, ${value.disposed ? "disposed" : "elsewhere or here"}`;
    }
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    try {
      return `${value.constructor.name} [${list(value)}]`;
    } catch {
      return `${value.constructor.name} that is gone`;
    }
  }
  if (value.constructor !== Object) return `a ${value.constructor.name}`;
  return `{ ${Object.entries(value).map(([key, one]) => `${key}: ${show(one)}`).join(", ")} }`;
}
