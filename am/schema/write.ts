/**
 * Writes the source of the `size` and `write` functions of a schema's codec.
 *
 * @module
 */

import { elementInfo } from "../../internal/elements.ts";
import { PAYLOAD_BYTES_MAX } from "../codec.ts";
import {
  hasTail,
  type Plan,
  type PlannedObject,
  type PlannedTuple,
  type Section,
} from "./layout.ts";
import { cellOf, refusalOf, viewOfHigh, wantedOf } from "./scalars.ts";
import { align, ALIGN_CURSOR, COPY_LOOP_MAX, type Names, Source } from "./source.ts";

// Beyond this many names a map finds the number faster than a chain of comparisons.
const CHAIN_MAX = 8;

/**
 * Writes the source of `size`.
 *
 * @param section The payload.
 * @param names Collects what the source refers to.
 * @returns A function expression.
 */
export function generateSize(section: Section, names: Names): string {
  if (!section.variable) return `function size(v) { return ${section.fixedBytes}; }`;
  const to = new Source(names);
  to.emit("function size(v) {", `let c = ${section.fixedBytes};`);
  sizeOf(to, section.root, "v");
  to.emit(`if (c > ${PAYLOAD_BYTES_MAX}) throw tooLarge(c);`, "return c;", "}");
  return to.lines.join("\n");
}

/**
 * Writes the source of `write`.
 *
 * @param section The payload.
 * @param names Collects what the source refers to.
 * @returns A function expression.
 */
export function generateWrite(section: Section, names: Names): string {
  const to = new Source(names);
  to.emit("function write(v, m, b0, room, found) {");
  if (section.variable) to.emit(`let c = b0 + ${section.fixedBytes}; const end = b0 + room;`);
  to.section("b0", () => writeOf(to, section.root, "v"));
  to.emit(section.variable ? "return c - b0;" : `return ${section.fixedBytes};`, "}");
  return to.lines.join("\n");
}

function sizeOf(to: Source, plan: Plan, value: string): void {
  if (!hasTail(plan)) return;
  switch (plan.kind) {
    case "str":
      to.refuse(`typeof ${value} !== "string"`, plan, "a string", value);
      to.emit(`c += textBytes(${value});`);
      break;
    case "typed":
      refuseOtherArray(to, plan, value);
      to.emit(
        ALIGN_CURSOR,
        `c += lengthGetter.call(unchecked(${value})) * ${elementInfo(plan.element).bytes};`,
      );
      break;
    case "array": {
      const { item } = plan;
      to.refuse(`!Array.isArray(${value})`, plan, "an array", value);
      const n = to.fresh("n");
      to.emit(`const ${n} = ${lengthOfArray(value)};`);
      if (!item.variable) {
        to.emit(align(item.align), `c += ${n} * ${item.stride};`);
        break;
      }
      to.loop(n, (i) => {
        const one = to.fresh("v");
        to.emit(`${ALIGN_CURSOR} c += ${item.fixedBytes};`, `const ${one} = ${value}[${i}];`);
        sizeOf(to, item.root, one);
      });
      break;
    }
    case "optional":
      to.emit(`if (${value} !== undefined) {`);
      sizeOf(to, plan.item, value);
      to.emit("}");
      break;
    case "tuple":
    case "object":
      forMembers(to, plan, value, hasTail, (member, text) => sizeOf(to, member, text));
  }
}

function writeOf(to: Source, plan: Plan, value: string): void {
  switch (plan.kind) {
    case "scalar":
      writeScalar(to, plan, value);
      break;
    case "oneOf": {
      const number = to.fresh("k");
      const wants = `one of ${plan.names.map((name) => JSON.stringify(name)).join(", ")}`;
      to.emit(`const ${number} = ${numberOf(to, plan.names, value)};`);
      to.refuse(`${number} < 0`, plan, wants, value);
      to.emit(`${to.cell(plan.width === 1 ? "u8" : "u16", plan.width, plan.offset)} = ${number};`);
      break;
    }
    case "str": {
      const bytes = to.fresh("n");
      to.refuse(`typeof ${value} !== "string"`, plan, "a string", value);
      to.emit(`const ${bytes} = writeText(${value}, m.u8, c, end);`);
      to.emit(`if (${bytes} < 0) throw payloadChanged();`);
      to.emit(`${to.cell("u32", 4, plan.offset)} = ${bytes}; c += ${bytes};`);
      break;
    }
    case "typed": {
      const { bytes: width, memory } = elementInfo(plan.element);
      const [n, k, v] = [to.fresh("n"), to.fresh("k"), to.fresh("v")];
      refuseOtherArray(to, plan, value);
      to.emit(
        `const ${v} = unchecked(${value}), ${n} = lengthGetter.call(${v});`,
        `${to.cell("u32", 4, plan.offset)} = ${n};`,
        `if (${n} === 0 && isGone(${v})) throw gone(${to.field(plan, arrayWanted(plan))});`,
        `${ALIGN_CURSOR} const ${k} = ${width === 1 ? "c" : `c / ${width}`};`,
        refuseBeyond(`${n} * ${width}`),
        `if (${n} > ${COPY_LOOP_MAX}) m.${memory}.set(${v}, ${k});`,
        `else for (let i = 0; i < ${n}; i++) m.${memory}[${k} + i] = ${v}[i];`,
        `c += ${n} * ${width};`,
      );
      break;
    }
    case "array":
      writeArray(to, plan, value);
      break;
    case "optional":
      to.emit(`if (${value} === undefined) ${to.cell("u8", 1, plan.offset)} = 0; else {`);
      to.emit(`${to.cell("u8", 1, plan.offset)} = 1;`);
      writeOf(to, plan.item, value);
      to.emit("}");
      break;
    case "extension": {
      const { extension } = plan;
      const x = to.value(extension);
      if (extension.match !== undefined) {
        to.refuse(`!${x}.match(${value})`, plan, `a ${extension.name}`, value);
      }
      to.emit(`${x}.write(${value}, m, ${to.address(plan.offset)});`);
      if (extension.sentTo !== undefined) {
        to.emit(`if (found !== undefined) found.push({ handle: ${value}, kind: ${x} });`);
      }
      break;
    }
    default:
      forMembers(to, plan, value, () => true, (member, text) => writeOf(to, member, text));
  }
}

function writeScalar(to: Source, plan: Plan & { kind: "scalar" }, value: string): void {
  const info = elementInfo(plan.scalar);
  const { offset } = plan;
  to.refuse(refusalOf(info, value), plan, wantedOf(info), value);
  if (info.kind === "exact") {
    const low = to.fresh("k");
    to.emit(
      `const ${low} = ${value} >>> 0; ${to.cell("u32", 4, offset)} = ${low};`,
      `${to.cell(viewOfHigh(info), 4, offset + 4)} = (${value} - ${low}) / 4294967296;`,
    );
  } else {
    const stored = info.kind === "boolean" ? `${value} ? 1 : 0` : value;
    to.emit(`${cellOf(to, info, offset)} = ${stored};`);
  }
}

function numberOf(to: Source, names: readonly string[], value: string): string {
  if (names.length > CHAIN_MAX) {
    return `${to.value(new Map(names.map((name, i) => [name, i])))}.get(${value}) ?? -1`;
  }
  return names.map((name, i) => `${value} === ${JSON.stringify(name)} ? ${i} : `).join("") + "-1";
}

function writeArray(to: Source, plan: Plan & { kind: "array" }, value: string): void {
  const { item } = plan;
  const [n, base, one] = [to.fresh("n"), to.fresh("b"), to.fresh("v")];
  to.refuse(`!Array.isArray(${value})`, plan, "an array", value);
  to.emit(`const ${n} = ${lengthOfArray(value)}; ${to.cell("u32", 4, plan.offset)} = ${n};`);
  if (!item.variable) to.emit(align(item.align), refuseBeyond(`${n} * ${item.stride}`));
  to.loop(n, (i) => {
    const advance = item.variable ? item.fixedBytes : item.stride;
    if (item.variable) to.emit(ALIGN_CURSOR, refuseBeyond(`${advance}`));
    to.emit(`const ${base} = c; c += ${advance};`, `const ${one} = ${value}[${i}];`);
    to.section(base, () => writeOf(to, item.root, one));
  });
}

/** What has an array's length may be a Proxy that gives anything. */
function lengthOfArray(value: string): string {
  return `${value}.length >>> 0`;
}

/** A value may be longer than `size` saw it: it gets no more room than was reserved. */
function refuseBeyond(bytes: string): string {
  return `if (${bytes} > end - c) throw payloadChanged();`;
}

function forMembers(
  to: Source,
  plan: PlannedTuple | PlannedObject,
  value: string,
  needed: (member: Plan) => boolean,
  body: (member: Plan, value: string) => void,
): void {
  if (plan.kind === "tuple") {
    const length = plan.items.length;
    const wants = `an array of length ${length}`;
    to.refuse(`!Array.isArray(${value}) || ${value}.length !== ${length}`, plan, wants, value);
  } else {
    to.refuse(`typeof ${value} !== "object" || ${value} === null`, plan, "an object", value);
  }
  const members: (readonly [string, Plan])[] = plan.kind === "tuple"
    ? plan.items.map((item, i) => [`${i}`, item])
    : plan.fields.map(({ name, plan }) => [JSON.stringify(name), plan]);
  for (const [key, member] of members) {
    if (!needed(member)) continue;
    const one = to.fresh("v");
    to.emit(`const ${one} = ${value}[${key}];`);
    body(member, one);
  }
}

function refuseOtherArray(to: Source, plan: Plan & { kind: "typed" }, value: string): void {
  const { name } = elementInfo(plan.element).arrayClass;
  to.refuse(`!(${value} instanceof ${name})`, plan, arrayWanted(plan), value);
}

function arrayWanted(plan: Plan & { kind: "typed" }): string {
  return `a ${elementInfo(plan.element).arrayClass.name}`;
}
