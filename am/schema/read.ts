/**
 * Writes the source of the `read` function of a schema's codec. It checks every length against the
 * bytes that are left before it uses it, so that no message can make it reserve more than it
 * brought.
 *
 * @module
 */

import { elementInfo } from "../../internal/elements.ts";
import type { Plan, Section } from "./layout.ts";
import { cellOf, viewOfHigh, wantedOf } from "./scalars.ts";
import { SMALL_BYTES_MAX } from "./small_arrays.ts";
import { align, ALIGN_CURSOR, COPY_LOOP_MAX, type Names, Source } from "./source.ts";

/**
 * Writes the source of `read`.
 *
 * @param section The payload.
 * @param names Collects what the source refers to.
 * @returns A function expression.
 */
export function generateRead(section: Section, names: Names): string {
  const to = new Source(names);
  const { fixedBytes, variable } = section;
  to.emit("function read(m, b0, bytes, context) {");
  const wrong = variable ? "<" : "!==";
  to.emit(`if (bytes ${wrong} ${fixedBytes}) throw misfit(bytes, ${fixedBytes});`);
  if (variable) to.emit(`let c = b0 + ${fixedBytes}; const end = b0 + bytes;`);
  to.section("b0", () => {
    const value = readOf(to, section.root);
    if (variable) to.emit("if (c !== end) throw misfit(bytes, c - b0);");
    to.emit(`return ${value};`);
  });
  to.emit("}");
  return to.lines.join("\n");
}

/** Emits what reads the parts and returns the expression of the value. */
function readOf(to: Source, plan: Plan): string {
  switch (plan.kind) {
    case "scalar":
      return readScalar(to, plan);
    case "oneOf": {
      const number = to.fresh("k");
      const cell = to.cell(plan.width === 1 ? "u8" : "u16", plan.width, plan.offset);
      to.emit(`const ${number} = ${cell};`);
      const wants = `one of ${plan.names.length} names`;
      const field = to.field(plan, wants, number);
      to.emit(`if (${number} >= ${plan.names.length}) throw corrupt(${field});`);
      return `${to.value(plan.names)}[${number}]`;
    }
    case "str": {
      const [n, text] = [countOf(to, plan, 1), to.fresh("r")];
      to.emit(`const ${text} = readText(m.u8, c, ${n}); c += ${n};`);
      return text;
    }
    case "typed": {
      const { arrayClass, bytes: width, memory } = elementInfo(plan.element);
      to.emit(ALIGN_CURSOR);
      const [n, k, r] = [countOf(to, plan, width), to.fresh("k"), to.fresh("r")];
      // Bytes have a buffer of their own: of other arrays it is seldom looked at.
      const [most, made] = width === 1
        ? [COPY_LOOP_MAX, `${n}`]
        : [SMALL_BYTES_MAX / width, `small.take(${n} * ${width}), small.last, ${n}`];
      to.emit(
        `let ${r}; const ${k} = ${width === 1 ? "c" : `c / ${width}`};`,
        `if (${n} > ${most}) ${r} = m.${memory}.slice(${k}, ${k} + ${n}); else {`,
        `${r} = new ${arrayClass.name}(${made});`,
        `if (${n} > ${COPY_LOOP_MAX}) ${r}.set(m.${memory}.subarray(${k}, ${k} + ${n}));`,
        `else for (let i = 0; i < ${n}; i++) ${r}[i] = m.${memory}[${k} + i];`,
        `} c += ${n} * ${width};`,
      );
      return r;
    }
    case "array":
      return readArray(to, plan);
    case "optional": {
      const [flag, r] = [to.fresh("k"), to.fresh("r")];
      to.emit(`let ${r}; const ${flag} = ${to.cell("u8", 1, plan.offset)};`);
      to.emit(`if (${flag} === 1) {`);
      to.emit(`${r} = ${readOf(to, plan.item)};`);
      const field = to.field(plan, "0 or 1 as mark of presence", flag);
      to.emit(`} else if (${flag} !== 0) throw corrupt(${field});`);
      return r;
    }
    case "extension": {
      const r = to.fresh("r");
      const x = to.value(plan.extension);
      to.emit(`const ${r} = ${x}.read(m, ${to.address(plan.offset)}, context);`);
      return r;
    }
    case "tuple":
      return `[${plan.items.map((item) => readOf(to, item)).join(", ")}]`;
    case "object": {
      const pairs = plan.fields.map(({ name, plan }) =>
        `${JSON.stringify(name)}: ${readOf(to, plan)}`
      );
      return `{ ${pairs.join(", ")} }`;
    }
  }
}

function readScalar(to: Source, plan: Plan & { kind: "scalar" }): string {
  const info = elementInfo(plan.scalar);
  const { offset } = plan;
  const r = to.fresh("r");
  if (info.kind === "exact") {
    const high = to.cell(viewOfHigh(info), 4, offset + 4);
    to.emit(`const ${r} = ${high} * 4294967296 + ${to.cell("u32", 4, offset)};`);
    const field = to.field(plan, wantedOf(info), r);
    to.emit(`if (!Number.isSafeInteger(${r})) throw corrupt(${field});`);
    return r;
  }
  to.emit(`const ${r} = ${cellOf(to, info, offset)};`);
  if (info.kind !== "boolean") return r;
  to.emit(`if (${r} > 1) throw corrupt(${to.field(plan, "0 or 1 as a bool", r)});`);
  return `${r} === 1`;
}

/** Reads the number of elements and checks that so many of `bytes` each can follow the cursor. */
function countOf(to: Source, plan: Plan & { offset: number }, bytes: number): string {
  const n = to.fresh("n");
  const room = bytes === 1 ? "end - c" : `(end - c) / ${bytes}`;
  to.emit(`const ${n} = ${to.cell("u32", 4, plan.offset)};`);
  to.emit(`if (${n} > ${room}) throw cut(${to.field(plan, "", n, "end - c")});`);
  return n;
}

function readArray(to: Source, plan: Plan & { kind: "array" }): string {
  const { item } = plan;
  const { fixedBytes, stride, variable } = item;
  if (!variable) to.emit(align(item.align));
  const n = countOf(to, plan, variable ? fixedBytes : stride);
  const [r, base] = [to.fresh("r"), to.fresh("b")];
  to.emit(`const ${r} = new Array(${n});`);
  to.loop(n, (i) => {
    if (variable) {
      to.emit(ALIGN_CURSOR);
      to.emit(`if (end - c < ${fixedBytes}) throw cut(${to.field(plan, "", n, "end - c")});`);
    }
    to.emit(`const ${base} = c; c += ${variable ? fixedBytes : stride};`);
    to.section(base, () => to.emit(`${r}[${i}] = ${readOf(to, item.root)};`));
  });
  return r;
}
