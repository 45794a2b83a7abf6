/**
 * A small scanner of TypeScript source: it blanks comments, text and regular expressions, so that
 * what is left can be searched for names and imports without being misled by prose.
 *
 * @module
 */

/** An import or re-export found in a file. */
export interface Import {
  /** The specifier as written. */
  readonly specifier: string;
  /** The line it stands on, from 1. */
  readonly line: number;
}

/** After one of these, a slash begins a regular expression; after anything else it divides. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|await|void))\s*$/;

/**
 * Blanks comments, the insides of texts, and regular expressions; what stands in `${…}` stays.
 * Every character keeps its place.
 *
 * @param source The text of a file
 * @returns A text of the same length with only the code in it
 */
export function maskSource(source: string): string {
  return new Masker(source).run();
}

/**
 * Finds the static and dynamic imports and re-exports of a file.
 *
 * @param source The text of the file
 * @returns The specifiers in the order of the text; a dynamic import of a computed name has none
 */
export function findImports(source: string): Import[] {
  const code = maskSource(source);
  const imports: Import[] = [];
  const pattern = /(?:\bfrom|\bimport|\bimport\s*\()\s*(["'])( *)\1/g;
  for (const match of code.matchAll(pattern)) {
    const end = match.index + match[0].length - 1;
    imports.push({
      specifier: source.slice(end - match[2]!.length, end),
      line: source.slice(0, match.index).split("\n").length,
    });
  }
  return imports;
}

class Masker {
  readonly #source: string;
  #out = "";
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  run(): string {
    while (this.#at < this.#source.length) this.#step();
    return this.#out;
  }

  #keep(count = 1): void {
    this.#out += this.#source.slice(this.#at, this.#at + count);
    this.#at += count;
  }

  #blankTo(end: number): void {
    const stop = Math.min(end, this.#source.length);
    this.#out += this.#source.slice(this.#at, stop).replace(/[^\n]/g, " ");
    this.#at = stop;
  }

  #endOf(text: string): number {
    const found = this.#source.indexOf(text, this.#at + 2);
    return found < 0 ? this.#source.length : found;
  }

  #step(): void {
    const here = this.#source[this.#at]!;
    const next = this.#source[this.#at + 1];
    if (here === "/" && next === "/") this.#blankTo(this.#endOf("\n"));
    else if (here === "/" && next === "*") this.#blankTo(this.#endOf("*/") + 2);
    else if (here === "/" && BEFORE_REGEX.test(this.#out.slice(-200))) this.#regex();
    else if (here === '"' || here === "'") this.#text(here);
    else if (here === "`") this.#template();
    else this.#keep();
  }

  #text(quote: string): void {
    let end = this.#at + 1;
    while (end < this.#source.length && this.#source[end] !== quote && this.#source[end] !== "\n") {
      end += this.#source[end] === "\\" ? 2 : 1;
    }
    this.#keep();
    this.#blankTo(end);
    this.#keep();
  }

  #regex(): void {
    let end = this.#at + 1;
    let inClass = false;
    while (end < this.#source.length && this.#source[end] !== "\n") {
      const char = this.#source[end];
      if (char === "\\") end++;
      else if (char === "[") inClass = true;
      else if (char === "]") inClass = false;
      else if (char === "/" && !inClass) break;
      end++;
    }
    this.#keep();
    this.#blankTo(end);
    this.#keep();
  }

  #template(): void {
    this.#keep();
    while (this.#at < this.#source.length && this.#source[this.#at] !== "`") {
      if (this.#source[this.#at] === "\\") this.#blankTo(this.#at + 2);
      else if (this.#source.startsWith("${", this.#at)) this.#substitution();
      else this.#blankTo(this.#at + 1);
    }
    this.#keep();
  }

  #substitution(): void {
    this.#keep(2);
    let depth = 1;
    while (this.#at < this.#source.length && depth > 0) {
      if (this.#source[this.#at] === "{") depth++;
      if (this.#source[this.#at] === "}") depth--;
      this.#step();
    }
  }
}
