/**
 * Source text of generated codecs in the making. What a schema brings in is quoted with
 * `JSON.stringify` or handed over as a value, so no name can become code.
 *
 * In generated code `m` are the views, `b0`, `b1`, … byte addresses of sections, `b0_4` an address
 * as an index of 4-byte elements, `c` the address of the next part of variable size, `end` the end
 * of the payload.
 *
 * @module
 */

import type { Plan, Width } from "./layout.ts";

/** What generated code refers to by number. */
export interface Names {
  /** The fields that errors are about. */
  readonly fields: { readonly path: string; readonly wants: string }[];
  /** Values that source text cannot hold: extensions and maps. */
  readonly values: unknown[];
}

/** Typed arrays up to this length are copied by a loop, which is faster than a call there. */
export const COPY_LOOP_MAX = 16;
/** Moves the cursor to the next multiple of 8. */
export const ALIGN_CURSOR = "c += -c & 7;";

/** Source text in the making. */
export class Source {
  /** Collects what the source refers to by number. */
  readonly names: Names;
  /** The lines so far. */
  readonly lines: string[] = [];
  /** Loop variables in force, outermost first: the indices of the `[]` in paths. */
  readonly indices: string[] = [];
  #bases: { readonly name: string; readonly widths: Set<Width>; readonly line: number }[] = [];
  #count = 0;

  /**
   * Starts an empty source text.
   *
   * @param names Collects what the source refers to by number.
   */
  constructor(names: Names) {
    this.names = names;
  }

  /** Adds lines. */
  emit(...lines: string[]): void {
    this.lines.push(...lines);
  }

  /** A variable name that is not in use. */
  fresh(prefix: string): string {
    return `${prefix}${this.#count++}`;
  }

  /** Runs `body` for a section whose byte address is the variable `name`. */
  section(name: string, body: () => void): void {
    this.#bases.push({ name, widths: new Set(), line: this.lines.length });
    this.emit("");
    body();
    const { widths, line } = this.#bases.pop()!;
    this.lines[line] = [...widths].map((w) => `const ${name}_${w} = ${name} / ${w};`).join(" ");
  }

  /** Byte address of something in the section at hand. */
  address(offset: number): string {
    const { name } = this.#bases.at(-1)!;
    return offset === 0 ? name : `${name} + ${offset}`;
  }

  /** The element of a view at a byte offset of the section at hand. */
  cell(view: string, width: Width, offset: number): string {
    if (width === 1) return `m.${view}[${this.address(offset)}]`;
    const { name, widths } = this.#bases.at(-1)!;
    widths.add(width);
    const index = `${name}_${width}`;
    return `m.${view}[${offset === 0 ? index : `${index} + ${offset / width}`}]`;
  }

  /** Text of the arguments that name a field in an error. */
  field(plan: Plan, wants: string, ...values: string[]): string {
    const index = this.names.fields.push({ path: plan.path, wants }) - 1;
    return [index, ...values, ...this.indices].join(", ");
  }

  /** The name of a value that source text cannot hold. */
  value(value: unknown): string {
    return `x${this.names.values.push(value) - 1}`;
  }

  /** Runs `body` inside a loop whose index error messages will name. */
  loop(count: string, body: (index: string) => void): void {
    const i = this.fresh("i");
    this.emit(`for (let ${i} = 0; ${i} < ${count}; ${i}++) {`);
    this.indices.push(i);
    body(i);
    this.indices.pop();
    this.emit("}");
  }

  /** Adds a check that throws if `condition` holds. */
  refuse(condition: string, plan: Plan, wants: string, value: string): void {
    this.emit(`if (${condition}) throw bad(${this.field(plan, wants, value)});`);
  }
}

/**
 * Source that moves the cursor to a multiple of a width.
 *
 * @param width The width.
 * @returns A statement, or nothing where none is needed.
 */
export function align(width: Width): string {
  return width === 1 ? "" : `c += -c & ${width - 1};`;
}
