/**
 * Writes the source of the `size` and `write` functions of a schema's codec.
 *
 * @module
 */

import { PAYLOAD_BYTES_MAX } from "./codec.ts";
import {
  ARRAY_CLASSES,
  hasTail,
  type Plan,
  type PlannedObject,
  type PlannedTuple,
  SCALARS,
  type Section,
} from "./schema_layout.ts";
import { align, ALIGN_CURSOR, COPY_LOOP_MAX, type Names, Source } from "./schema_source.ts";

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
  to.emit("function write(v, m, b0) {");
  if (section.variable) to.emit(`let c = b0 + ${section.fixedBytes};`);
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
      to.emit(ALIGN_CURSOR, `c += ${value}.byteLength;`);
      break;
    case "array": {
      const { item } = plan;
      to.refuse(`!Array.isArray(${value})`, plan, "an array", value);
      if (!item.variable) {
        to.emit(align(item.align), `c += ${value}.length * ${item.stride};`);
        break;
      }
      to.loop(`${value}.length`, (i) => {
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
      to.emit(`const ${bytes} = writeText(${value}, m.u8, c);`);
      to.emit(`${to.cell("u32", 4, plan.offset)} = ${bytes}; c += ${bytes};`);
      break;
    }
    case "typed": {
      const { view, width } = SCALARS[plan.element];
      const [n, k] = [to.fresh("n"), to.fresh("k")];
      refuseOtherArray(to, plan, value);
      to.emit(
        `const ${n} = ${value}.length; ${to.cell("u32", 4, plan.offset)} = ${n};`,
        `${ALIGN_CURSOR} const ${k} = ${width === 1 ? "c" : `c / ${width}`};`,
        `if (${n} > ${COPY_LOOP_MAX}) m.${view}.set(${value}, ${k});`,
        `else for (let i = 0; i < ${n}; i++) m.${view}[${k} + i] = ${value}[i];`,
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
      break;
    }
    default:
      forMembers(to, plan, value, () => true, (member, text) => writeOf(to, member, text));
  }
}

function writeScalar(to: Source, plan: Plan & { kind: "scalar" }, value: string): void {
  const { scalar, offset } = plan;
  const { width, view, wants } = SCALARS[scalar];
  to.refuse(refusal(scalar, value), plan, wants, value);
  if (scalar === "u64" || scalar === "i64") {
    const low = to.fresh("k");
    to.emit(
      `const ${low} = ${value} >>> 0; ${to.cell("u32", 4, offset)} = ${low};`,
      `${to.cell(view, 4, offset + 4)} = (${value} - ${low}) / 4294967296;`,
    );
  } else {
    const stored = scalar === "bool" ? `${value} ? 1 : 0` : value;
    to.emit(`${to.cell(view, width, offset)} = ${stored};`);
  }
}

function refusal(scalar: string, v: string): string {
  switch (scalar) {
    case "u8":
      return `typeof ${v} !== "number" || ${v} !== (${v} & 255)`;
    case "u16":
      return `typeof ${v} !== "number" || ${v} !== (${v} & 65535)`;
    case "u32":
      return `typeof ${v} !== "number" || ${v} !== (${v} >>> 0)`;
    case "i8":
      return `typeof ${v} !== "number" || ${v} !== (${v} << 24 >> 24)`;
    case "i16":
      return `typeof ${v} !== "number" || ${v} !== (${v} << 16 >> 16)`;
    case "i32":
      return `typeof ${v} !== "number" || ${v} !== (${v} | 0)`;
    case "u64":
      return `!Number.isSafeInteger(${v}) || ${v} < 0`;
    case "i64":
      return `!Number.isSafeInteger(${v})`;
    case "bigu64":
      return `typeof ${v} !== "bigint" || ${v} !== BigInt.asUintN(64, ${v})`;
    case "bigi64":
      return `typeof ${v} !== "bigint" || ${v} !== BigInt.asIntN(64, ${v})`;
    case "bool":
      return `${v} !== true && ${v} !== false`;
    default:
      return `typeof ${v} !== "number"`;
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
  to.emit(`const ${n} = ${value}.length; ${to.cell("u32", 4, plan.offset)} = ${n};`);
  if (!item.variable) to.emit(align(item.align));
  to.loop(n, (i) => {
    const advance = item.variable ? item.fixedBytes : item.stride;
    if (item.variable) to.emit(ALIGN_CURSOR);
    to.emit(`const ${base} = c; c += ${advance};`, `const ${one} = ${value}[${i}];`);
    to.section(base, () => writeOf(to, item.root, one));
  });
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
  const name = ARRAY_CLASSES[plan.element];
  to.refuse(`!(${value} instanceof ${name})`, plan, `a ${name}`, value);
}
