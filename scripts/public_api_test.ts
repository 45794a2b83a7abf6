import { assertEquals } from "@std/assert";
import { runChild } from "./child.ts";
import { ROOT } from "./tree.ts";

const CATEGORIES = [
  "World",
  "Sessions",
  "Teams",
  "Active messages",
  "Closures",
  "Schemas",
  "Groups",
  "Collectives",
  "Darcs",
  "Arrays",
  "Memory regions",
  "Errors",
];

/** Classes that users make themselves; errors are the others. */
const MADE_BY_USERS = [
  "LamellarWorldBuilder",
  "BlockedArch",
  "StridedArch",
  "AmGroup",
  "LamellarTaskGroup",
];

/** Symbols by which users reach members. */
const SYMBOLS = ["[Symbol.dispose]", "[Symbol.asyncDispose]", "[Symbol.iterator]"];

/** Members that are only for the runtime. */
const BUTTONS = [
  "checkOpen",
  "core",
  "definition",
  "error",
  "join",
  "limit",
  "needsEventLoop",
  "observed",
  "reject",
  "resolve",
  "self",
  "services",
  "target",
  "work",
];

interface Member {
  readonly name: string;
  readonly accessibility?: string;
}

interface Declaration {
  readonly kind: string;
  readonly declarationKind: string;
  readonly jsDoc?: { readonly tags?: readonly { kind: string; doc?: string }[] };
  readonly def: Partial<Record<"constructors" | "methods" | "properties", readonly Member[]>>;
}

/** What the documentation shows: every declaration that users can import, by its name. */
async function documented(): Promise<[name: string, Declaration][]> {
  const config = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  const command = [Deno.execPath(), "doc", "--json", ...Object.values<string>(config.exports)];
  const { code, output } = await runChild(command, { limitSeconds: 60, cwd: ROOT });
  assertEquals(code, 0, output);
  const modules = Object.values<{ symbols: { name: string; declarations: Declaration[] }[] }>(
    JSON.parse(output.slice(output.indexOf("{"))).nodes,
  );
  const all = modules.flatMap(({ symbols }) =>
    symbols.flatMap(({ name, declarations }) =>
      declarations.map((one): [string, Declaration] => [name, one])
    )
  );
  return all.filter(([, { declarationKind }]) => declarationKind === "export");
}

Deno.test("every export has a category and shows nothing that is the runtime's", async () => {
  const all = await documented();
  assertEquals(all.length > 100, true);
  const wrong = new Set<string>();
  for (const [name, { def, jsDoc, kind }] of all) {
    const category = jsDoc?.tags?.find((tag) => tag.kind === "category")?.doc;
    if (!CATEGORIES.includes(category ?? "")) wrong.add(`${name}: category ${category}`);
    if (kind !== "class") continue;
    const members = [...def.methods ?? [], ...def.properties ?? []];
    for (const member of members) {
      const hidden = BUTTONS.includes(member.name) || member.accessibility === "protected" ||
        member.name.startsWith("[") && !SYMBOLS.includes(member.name);
      if (hidden) wrong.add(`${name}.${member.name}`);
    }
    const made = name.endsWith("Error") || MADE_BY_USERS.includes(name);
    if ((def.constructors ?? []).length > 0 && !made) wrong.add(`new ${name}`);
  }
  assertEquals([...wrong], []);
});
