/**
 * Where the parts of a payload are. Every value has a fixed section, in which all that has a
 * constant size stands at a constant offset, the widest parts first so that each is aligned without
 * gaps, and after it the parts of variable size, in the order of the schema. Fields of nested
 * objects, tuples and optionals lie in the fixed section of what holds them; an element of an array
 * has a section of its own.
 *
 * @module
 */

import { elementInfo, type ElementType } from "../../internal/elements.ts";
import type { ArrayType, SchemaExtension, SchemaNode } from "./schema.ts";

/** Bytes of something that is at a multiple of its own size. */
export type Width = 1 | 2 | 4 | 8;

/** The place of something. */
export interface Placed {
  /** Byte offset in the fixed section: of the value, the length, or the presence byte. */
  readonly offset: number;
  /** The field's name for error messages, with `[]` for each array index. */
  readonly path: string;
}

/** A schema node with the place of its fixed part. */
export type Plan =
  | (Placed & { readonly kind: "scalar"; readonly scalar: ElementType })
  | (Placed & { readonly kind: "oneOf"; readonly names: readonly string[]; readonly width: 1 | 2 })
  | (Placed & { readonly kind: "str" })
  | (Placed & { readonly kind: "typed"; readonly element: ArrayType })
  | (Placed & { readonly kind: "array"; readonly item: Section })
  | (Placed & { readonly kind: "optional"; readonly item: Plan })
  | (Placed & { readonly kind: "extension"; readonly extension: SchemaExtension<unknown> })
  | PlannedTuple
  | PlannedObject;

/** A tuple, which has no place of its own. */
export interface PlannedTuple {
  /** Tells it from other plans. */
  readonly kind: "tuple";
  /** Its name for error messages. */
  readonly path: string;
  /** Its elements. */
  readonly items: readonly Plan[];
}

/** An object, which has no place of its own. */
export interface PlannedObject {
  /** Tells it from other plans. */
  readonly kind: "object";
  /** Its name for error messages. */
  readonly path: string;
  /** Its fields. */
  readonly fields: readonly PlannedField[];
}

/** A field of an object with its place. */
export interface PlannedField {
  /** The name of the property. */
  readonly name: string;
  /** What it holds and where. */
  readonly plan: Plan;
}

/** A value with a fixed section of its own: the payload, or an element of an array. */
export interface Section {
  /** What it holds. */
  readonly root: Plan;
  /** Bytes of the fixed section. */
  readonly fixedBytes: number;
  /** A section starts at a multiple of this many bytes. */
  readonly align: Width;
  /** Distance of one element to the next in an array of sections without variable parts. */
  readonly stride: number;
  /** Whether parts of variable size follow the fixed section. */
  readonly variable: boolean;
}

interface Slot {
  readonly width: Width;
  readonly bytes: number;
  offset: number;
}

/**
 * Places all parts of a payload.
 *
 * @param node What the payload is.
 * @param path How error messages call it; empty for a whole payload.
 * @returns Its section.
 */
export function planSection(node: SchemaNode, path = ""): Section {
  const slots: Slot[] = [];
  const draft = collect(node, path, slots);
  const widest = slots.reduce<Width>((most, { width }) => width > most ? width : most, 1);
  let offset = 0;
  for (const width of [8, 4, 2, 1]) {
    for (const slot of slots) {
      if (slot.width !== width) continue;
      slot.offset = offset;
      offset += slot.bytes;
    }
  }
  const root = draft();
  const variable = hasTail(root);
  const align = variable ? 8 : widest;
  const stride = Math.max(1, Math.ceil(offset / align) * align);
  return { root, fixedBytes: offset, align, stride, variable };
}

// The offsets are known only when all slots are: what is returned builds the plan then.
function collect(node: SchemaNode, path: string, slots: Slot[]): () => Plan {
  const take = (width: Width, bytes: number = width): Slot => {
    const slot = { width, bytes, offset: 0 };
    slots.push(slot);
    return slot;
  };
  switch (node.kind) {
    case "scalar": {
      const slot = take(elementInfo(node.scalar).bytes as Width);
      return () => ({ ...node, path, offset: slot.offset });
    }
    case "oneOf": {
      const width = node.names.length > 256 ? 2 : 1;
      const slot = take(width);
      return () => ({ ...node, path, width, offset: slot.offset });
    }
    case "str":
    case "typed": {
      const slot = take(4);
      return () => ({ ...node, path, offset: slot.offset });
    }
    case "array": {
      const slot = take(4);
      const item = planSection(node.item, `${path}[]`);
      return () => ({ kind: "array", path, item, offset: slot.offset });
    }
    case "optional": {
      const slot = take(1);
      const item = collect(node.item, path, slots);
      return () => ({ kind: "optional", path, item: item(), offset: slot.offset });
    }
    case "extension": {
      const slot = take(8, Math.ceil(node.extension.fixedBytes / 8) * 8);
      return () => ({ ...node, path, offset: slot.offset });
    }
    case "tuple": {
      const items = node.items.map((item, i) => collect(item, `${path}[${i}]`, slots));
      return () => ({ kind: "tuple", path, items: items.map((item) => item()) });
    }
    case "object": {
      const fields = node.fields.map(({ name, node }) => ({
        name,
        plan: collect(node, path === "" ? name : `${path}.${name}`, slots),
      }));
      return () => ({
        kind: "object",
        path,
        fields: fields.map(({ name, plan }) => ({ name, plan: plan() })),
      });
    }
  }
}

/**
 * Says whether a part of a value has no constant size.
 *
 * @param plan What the value is.
 * @returns Whether bytes follow the fixed section because of it.
 */
export function hasTail(plan: Plan): boolean {
  switch (plan.kind) {
    case "str":
    case "typed":
    case "array":
      return true;
    case "optional":
      return hasTail(plan.item);
    case "tuple":
      return plan.items.some(hasTail);
    case "object":
      return plan.fields.some((field) => hasTail(field.plan));
    default:
      return false;
  }
}

/**
 * Writes a schema down, so that two PEs can compare theirs.
 *
 * @param node A schema.
 * @returns Its text, such as `{from:u32,at:{x:f64,y:f64}}`; different layouts have different texts.
 */
export function layoutText(node: SchemaNode): string {
  switch (node.kind) {
    case "scalar":
      return node.scalar;
    case "oneOf":
      return `oneOf(${node.names.map((name) => JSON.stringify(name)).join(",")})`;
    case "str":
      return "str";
    case "typed":
      return `${node.element}Array`;
    case "array":
      return `array(${layoutText(node.item)})`;
    case "optional":
      return `optional(${layoutText(node.item)})`;
    case "tuple":
      return `tuple(${node.items.map(layoutText).join(",")})`;
    case "object":
      return `{${
        node.fields.map(({ name, node }) => `${key(name)}:${layoutText(node)}`).join(",")
      }}`;
    case "extension": {
      const { name, fixedBytes } = node.extension;
      return `extension(${JSON.stringify(name)},${fixedBytes})`;
    }
  }
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
