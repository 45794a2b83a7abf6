/**
 * A thin stand-in for the `parseArgs` of `jsr:@std/cli`, over the tokens of `node:util`, linked by
 * deno.json where JSR cannot be reached. It covers the options that this project uses.
 *
 * @module
 */

import { parseArgs as tokenize } from "node:util";

/** The options of {@linkcode parseArgs}, named as in the package it stands for. */
export interface ParseOptions {
  /** Names that take a text. */
  readonly string?: string | readonly string[];
  /** Names that are true or false. */
  readonly boolean?: boolean | string | readonly string[];
  /** Names whose values are collected into an array. */
  readonly collect?: string | readonly string[];
  /** Boolean names that `--no-name` turns off. */
  readonly negatable?: string | readonly string[];
  /** Other spellings of a name. */
  readonly alias?: Readonly<Record<string, string | readonly string[]>>;
  /** Values of the names that were not given. */
  readonly default?: Readonly<Record<string, unknown>>;
  /** Whether everything from the first positional argument on is positional. */
  readonly stopEarly?: boolean;
  /** Whether what follows `--` goes to the key `--` instead of `_`. */
  readonly "--"?: boolean;
  /** Called with what was not declared; false leaves it out. */
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The parsed arguments: positional ones under `_`, the others under their names. */
export interface Args {
  /** Positional arguments. */
  _: (string | number)[];
  // deno-lint-ignore no-explicit-any -- as in the package it stands for, whose type is inferred
  [name: string]: any;
}

function list(value: boolean | string | readonly string[] | undefined): readonly string[] {
  if (typeof value === "boolean" || value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

function isNumber(text: string): boolean {
  return /^0x[0-9a-f]+$/i.test(text) || /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(e[-+]?\d+)?$/i.test(text);
}

function numberOrText(text: string): string | number {
  return isNumber(text) ? Number(text) : text;
}

class Parser {
  readonly #options: ParseOptions;
  readonly #args: readonly string[];
  readonly #names = new Map<string, readonly string[]>();
  readonly #strings: Set<string>;
  readonly #booleans: Set<string>;
  readonly #collect: Set<string>;
  readonly #negatable: Set<string>;
  readonly #given = new Set<string>();
  readonly #result: Args = { _: [] };

  constructor(args: readonly string[], options: ParseOptions) {
    this.#args = args;
    this.#options = options;
    for (const [name, others] of Object.entries(options.alias ?? {})) {
      const group = [name, ...list(others)];
      for (const one of group) this.#names.set(one, group);
    }
    this.#strings = this.#expand(options.string);
    this.#booleans = this.#expand(options.boolean);
    this.#collect = this.#expand(options.collect);
    this.#negatable = this.#expand(options.negatable);
  }

  #group(name: string): readonly string[] {
    return this.#names.get(name) ?? [name];
  }

  #expand(value: boolean | string | readonly string[] | undefined): Set<string> {
    return new Set(list(value).flatMap((name) => [...this.#group(name)]));
  }

  #declared(name: string): boolean {
    return this.#strings.has(name) || this.#booleans.has(name) || this.#names.has(name) ||
      this.#options.boolean === true;
  }

  #set(name: string, value: unknown): void {
    for (const one of this.#group(name)) {
      if (!this.#collect.has(one)) this.#result[one] = value;
      else if (this.#given.has(one)) this.#result[one].push(value);
      else this.#result[one] = [value];
      this.#given.add(one);
    }
  }

  #isFlag(name: string): boolean {
    if (this.#strings.has(name)) return false;
    return this.#booleans.has(name) || this.#options.boolean === true;
  }

  /** Stores one option; returns how many following arguments it used up. */
  #option(name: string, inline: string | undefined, index: number, raw: string): number {
    if (name.startsWith("no-") && this.#negatable.has(name.slice(3)) && inline === undefined) {
      this.#set(name.slice(3), false);
      return 0;
    }
    const next = this.#args[index + 1];
    let used = 0;
    let value: unknown;
    if (this.#isFlag(name)) {
      value = true;
      if (inline !== undefined) value = inline !== "false";
      else if (next === "true" || next === "false") [value, used] = [next === "true", 1];
    } else if (inline !== undefined) {
      value = this.#strings.has(name) ? inline : numberOrText(inline);
    } else if (next !== undefined && (!next.startsWith("-") || isNumber(next))) {
      used = 1;
      value = this.#strings.has(name) ? next : numberOrText(next);
    } else {
      value = this.#strings.has(name) ? "" : true;
    }
    const unknown = this.#options.unknown;
    if (unknown !== undefined && !this.#declared(name)) {
      if (unknown(raw, name, value) === false) return used;
    }
    this.#set(name, value);
    return used;
  }

  /** Stores `-n4`, `-n=4`, `-n 4` or the flags `-abc`; returns how many arguments it used up. */
  #letters(raw: string, index: number): number {
    const inline = /^-(\w)(?:=(.*)|(-?\d.*))$/.exec(raw);
    if (inline !== null) return this.#option(inline[1]!, inline[2] ?? inline[3], index, raw);
    for (const letter of raw.slice(1, -1)) this.#set(letter, this.#strings.has(letter) ? "" : true);
    return this.#option(raw.at(-1)!, undefined, index, raw);
  }

  #positional(text: string): void {
    const unknown = this.#options.unknown;
    if (unknown !== undefined && unknown(text) === false) return;
    this.#result._.push(this.#strings.has("_") ? text : numberOrText(text));
  }

  #finish(): Args {
    for (const [name, value] of Object.entries(this.#options.default ?? {})) {
      for (const one of this.#group(name)) {
        if (!this.#given.has(one)) this.#result[one] = value;
      }
    }
    for (const name of this.#booleans) {
      if (!(name in this.#result)) this.#result[name] = this.#collect.has(name) ? [] : false;
    }
    for (const name of this.#collect) {
      if (!(name in this.#result)) this.#result[name] = [];
    }
    return this.#result;
  }

  parse(): Args {
    const { tokens } = tokenize({
      args: [...this.#args],
      strict: false,
      allowPositionals: true,
      tokens: true,
    });
    let skipTo = 0;
    for (const token of tokens) {
      if (token.index < skipTo) continue;
      if (token.kind === "option-terminator") {
        this.#rest(token.index + 1);
        break;
      }
      if (token.kind === "option") {
        const raw = this.#args[token.index]!;
        const used = raw.startsWith("--")
          ? this.#option(token.name, token.value, token.index, raw)
          : this.#letters(raw, token.index);
        skipTo = token.index + 1 + used;
      } else if (this.#options.stopEarly === true) {
        for (const text of this.#args.slice(token.index)) this.#positional(text);
        break;
      } else {
        this.#positional(token.value);
      }
    }
    return this.#finish();
  }

  #rest(from: number): void {
    const rest = this.#args.slice(from);
    if (this.#options["--"] === true) this.#result["--"] = rest;
    else for (const text of rest) this.#result._.push(text);
  }
}

/**
 * Parses command-line arguments.
 *
 * @param args The arguments, as in `Deno.args`
 * @param options Which names there are and what they take
 * @returns The values by name, and the positional arguments under `_`
 */
export function parseArgs(args: readonly string[], options: ParseOptions = {}): Args {
  return new Parser(args, options).parse();
}
