/**
 * Values of a fixed size, which can stay where they were written.
 *
 * @module
 */

import { planSection } from "./layout.ts";
import { type SchemaLike, type SchemaNode, schemaNode } from "./schema.ts";

/**
 * @param like A description of a value.
 * @returns Bytes of the value, if all values have as many and hold no handle.
 * @throws {TypeError} If a part of it is not a schema.
 */
export function fixedBytesOf(like: SchemaLike): number | undefined {
  const node = schemaNode(like);
  const { fixedBytes, variable } = planSection(node);
  return variable || hasHandle(node) ? undefined : Math.max(1, fixedBytes);
}

function hasHandle(node: SchemaNode): boolean {
  switch (node.kind) {
    case "extension":
      return true;
    case "array":
    case "optional":
      return hasHandle(node.item);
    case "tuple":
      return node.items.some(hasHandle);
    case "object":
      return node.fields.some((field) => hasHandle(field.node));
    default:
      return false;
  }
}
