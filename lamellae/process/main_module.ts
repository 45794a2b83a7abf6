/**
 * Makes `import.meta.main` true in the program, as it is where Deno runs it: a Worker gives that to
 * its own first module only, and this is the runtime's, so that console, exit and input are those
 * of a PE before anything of the program runs.
 *
 * @module
 */

/** Goes before the program's own code; one line, so that lines keep their numbers. */
const PROLOGUE = "import.meta.main=true;";
const HASHBANG = /^#!.*\n/;

/** The part of `node:module` that is used here; another version of Deno may lack it. */
interface NodeModule {
  registerHooks?(hooks: { load: LoadHook }): { deregister(): void };
  stripTypeScriptTypes?(text: string, options: object): string;
}

/** What loading a module gives: of a file JavaScript with a source map, of others nothing. */
interface Loaded {
  readonly source?: string | Uint8Array | null;
}

type LoadHook = (
  url: string,
  context: unknown,
  nextLoad: (url: string, context: unknown) => Loaded,
) => Loaded;

/**
 * Sees to it that the program, once it is imported, finds `import.meta.main` true. A Deno that has
 * no hooks for modules leaves it false.
 *
 * @param program Its URL.
 */
export async function actAsMain(program: string): Promise<void> {
  const text = await textOf(program);
  if (!mayAsk(text)) return;
  const node = await import("node:module") as unknown as NodeModule;
  let over = (): void => {};
  const hooks = node.registerHooks?.({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== program) return loaded;
      over();
      const source = codeOf(loaded) ?? (text && compiled(node, program, text));
      return source === undefined ? loaded : { ...loaded, source: withPrologue(source) };
    },
  });
  over = () => hooks?.deregister();
}

/** Whether a program may ask for it: hooks take some 10 ms, and most programs do not. */
function mayAsk(text: string | undefined): boolean {
  return text === undefined || (/\bmeta\b/.test(text) && /\bmain\b/.test(text));
}

/** The text of the program; undefined if it is not available, which its import will report. */
async function textOf(program: string): Promise<string | undefined> {
  try {
    const url = new URL(program);
    if (url.protocol === "file:") return Deno.readTextFileSync(url);
    const module: { default: string } = await import(program, { with: { type: "text" } });
    return module.default;
  } catch {
    return undefined;
  }
}

function codeOf({ source }: Loaded): string | undefined {
  if (source === undefined || source === null) return undefined;
  return typeof source === "string" ? source : new TextDecoder().decode(source);
}

/** What Deno would make of it; undefined if this is not what it seems, which Deno will report. */
function compiled(node: NodeModule, program: string, text: string): string | undefined {
  if (/\.m?js$/.test(new URL(program).pathname)) return text;
  try {
    const options = { mode: "transform", sourceMap: true };
    const code = node.stripTypeScriptTypes?.(text, options);
    return code?.replace(
      /(?<=^\/\/# sourceMappingURL=data:application\/json;base64,).*$/m,
      (map) => {
        const decoded = new TextDecoder().decode(Uint8Array.fromBase64(map));
        const named = JSON.stringify({ ...JSON.parse(decoded), sources: [program] });
        return new TextEncoder().encode(named).toBase64();
      },
    );
  } catch {
    return undefined;
  }
}

function withPrologue(code: string): string {
  const head = HASHBANG.exec(code)?.[0] ?? "";
  return head + PROLOGUE + code.slice(head.length);
}
