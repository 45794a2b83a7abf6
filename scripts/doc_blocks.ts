/**
 * The examples in documents and doc comments, as programs.
 *
 * @module
 */

import { findImports, maskSource } from "./source_scan.ts";

/** An example. */
export interface DocBlock {
  /** The file it stands in. */
  readonly path: string;
  /** The line of its first line of code, from 1. */
  readonly line: number;
  /** Its code. */
  readonly code: string;
  /** Whether it asks not to be run. */
  readonly ignored: boolean;
}

/**
 * Finds the blocks fenced as `ts` in a Markdown document, or in the doc comments of a source file.
 *
 * @param path The file; a name that ends in `.md` is a document
 * @param text Its text
 * @returns The blocks in order
 */
export function findBlocks(path: string, text: string): DocBlock[] {
  const blocks: DocBlock[] = [];
  let open: { line: number; code: string[]; ignored: boolean; margin: number } | undefined;
  docLines(path, text).forEach((line, index) => {
    const fence = line === undefined ? null : /^(\s*)```(.*)$/.exec(line);
    if (open !== undefined && (line === undefined || fence !== null)) {
      const { code, ignored, line: first } = open;
      blocks.push({ path, line: first, code: `${code.join("\n")}\n`, ignored });
      open = undefined;
    } else if (open !== undefined) {
      open.code.push(line!.slice(Math.min(open.margin, line!.search(/\S|$/))));
    } else if (fence !== null) {
      const [language, ...words] = fence[2]!.trim().split(/[\s,]+/);
      if (language !== "ts" && language !== "typescript") return;
      open = {
        line: index + 2,
        code: [],
        ignored: words.includes("ignore"),
        margin: fence[1]!.length,
      };
    }
  });
  return blocks;
}

/** The lines that are prose: all of a document, the doc comments of a source file. */
function docLines(path: string, text: string): (string | undefined)[] {
  const lines = text.split("\n");
  if (path.endsWith(".md")) return lines;
  let inside = false;
  return lines.map((line) => {
    if (/^\s*\/\*\*/.test(line)) inside = true;
    const prose = inside ? /^\s*\*(?!\/) ?(.*)$/.exec(line)?.[1] : undefined;
    if (line.includes("*/")) inside = false;
    return prose;
  });
}

/**
 * Writes the relative imports of an example out in full, so that it runs from any folder.
 *
 * @param code The example
 * @param url The file that the imports are relative to
 * @returns The example with absolute imports
 */
export function absoluteImports(code: string, url: string): string {
  let result = code;
  for (const { specifier } of findImports(code)) {
    if (!/^\.{1,2}\//.test(specifier)) continue;
    result = result.replaceAll(
      new RegExp(`(\\bfrom|\\bimport|\\bimport\\s*\\()(\\s*)"${escape(specifier)}"`, "g"),
      (_, keyword, space) => `${keyword}${space}${JSON.stringify(new URL(specifier, url).href)}`,
    );
  }
  return result;
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * The import that an example in a doc comment may leave out: that of the names which its own module
 * exports, as the documentation generator has it.
 *
 * @param code The example
 * @param source The module it stands in
 * @param url The module's address
 * @returns An import declaration, or nothing if the example needs none
 */
export function impliedImport(code: string, source: string, url: string): string {
  const names = new Set<string>();
  const exported =
    /^export (?:declare |abstract |async )*(?:function\*?|class|const|let|interface|type) (\w+)/gm;
  const masked = maskSource(code);
  for (const [, name] of maskSource(source).matchAll(exported)) {
    const declared = new RegExp(
      `\\b(?:const|let|var|function|class)\\s+${name}\\b` +
        `|\\b(?:const|let)\\s*[{[][^=]*\\b${name}\\b|\\bimport\\b[^;]*\\b${name}\\b`,
    );
    if (new RegExp(`\\b${name}\\b`).test(masked) && !declared.test(masked)) names.add(name!);
  }
  return names.size === 0 ? "" : `import { ${[...names].join(", ")} } from "${url}";\n`;
}
