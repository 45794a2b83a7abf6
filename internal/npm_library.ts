/**
 * npm packages that are loaded at their first use, synchronously: most programs never use them, and
 * importing one as ES modules costs each PE 20 to 50 ms of its start.
 *
 * @module
 */

import { LamellarError } from "./errors.ts";

/** A package whose distribution has one file that needs no other. */
export class NpmLibrary<T> {
  readonly #specifier: string;
  readonly #file: string;
  readonly #importIt: () => Promise<T>;
  readonly #what: string;
  #exports: T | undefined;
  /** Why it could not be imported ahead of its use. */
  #failure: LamellarError | undefined;

  /**
   * @param what What needs it, for messages.
   * @param specifier Full specifier with an exact version.
   * @param file A CommonJS or UMD file without imports, relative to the package's entry.
   * @param importIt Imports the package by a literal specifier, so that Deno finds it ahead of
   * time.
   */
  constructor(what: string, specifier: string, file: string, importIt: () => Promise<T>) {
    this.#what = what;
    this.#specifier = specifier;
    this.#file = file;
    this.#importIt = importIt;
  }

  /**
   * Where the file may not be read, imports the package now. That it is not available concerns the
   * code that uses it only, so `get` says that.
   */
  async prepare(): Promise<void> {
    if (this.#exports !== undefined || this.#readable()) return;
    try {
      this.#exports = await this.#importIt();
    } catch (cause) {
      this.#failure = this.#failed(cause);
    }
  }

  /**
   * @returns The package's exports.
   * @throws {LamellarError} If it cannot be loaded.
   */
  get(): T {
    if (this.#failure) throw this.#failure;
    return this.#exports ??= this.#load();
  }

  /** Where the file is; null where Deno takes packages from node_modules, and this is not there. */
  #url(): URL | null {
    return URL.parse(this.#file, import.meta.resolve(this.#specifier));
  }

  #readable(): boolean {
    const url = this.#url();
    if (!url) return false;
    const query = { name: "read", path: url } as const;
    if (Deno.permissions.querySync(query).state !== "granted") return false;
    try {
      return Deno.statSync(url).isFile;
    } catch {
      return false;
    }
  }

  #load(): T {
    try {
      const text = Deno.readTextFileSync(this.#url()!);
      const module: { exports: unknown } = { exports: {} };
      new Function("exports", "module", text)(module.exports, module);
      return module.exports as T;
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  #failed(cause: unknown): LamellarError {
    const advice = String(cause).includes("node_modules")
      ? ": beside a package.json Deno looks for packages in node_modules only; put " +
        '"nodeModulesDir": "none" into a deno.json, or run it with --node-modules-dir=none'
      : ": it is downloaded with the program; where there is no Internet, run deno cache on the " +
        "program where there is, and bring or share its DENO_DIR";
    const text = `Cannot load ${this.#specifier}, which ${this.#what}${advice}`;
    return new LamellarError("ERR_NOT_LOADED", text, { cause });
  }
}
