/**
 * The AMs of the PEs of a session, as the program that started it knows them: ids are those of the
 * PEs, and belong to the session.
 *
 * @module
 */

import type { AmDefinition } from "../am/mod.ts";
import { definedAms } from "../am/mod.ts";
import { FeatureLevelError } from "../internal/errors.ts";
import { describeAm, type KnownAms } from "../world/mod.ts";

/** The AMs that the PEs of a session have. */
export class SessionAms implements KnownAms {
  /** Names and layouts, by id. */
  #list: readonly string[] = [];
  readonly #ids = new Map<string, number>();
  /** Names alone. */
  readonly #names = new Set<string>();
  readonly #included: AmDefinition[] = [];
  readonly #known = new Map<AmDefinition, number>();

  /**
   * Takes note of what the PEs have.
   *
   * @param list The name and layout of each AM, by id.
   */
  learn(list: readonly string[]): void {
    this.#list = list;
    list.forEach((text, id) => {
      this.#ids.set(text, id);
      this.#names.add(nameIn(text));
    });
  }

  include(definitions: readonly AmDefinition[]): void {
    this.#included.push(...definitions);
  }

  /**
   * @param definition An AM of this program.
   * @returns Its id, or -1 if no PE has an AM of this name and layout.
   */
  idOf(definition: AmDefinition): number {
    let id = this.#known.get(definition);
    if (id === undefined) {
      id = this.#ids.get(describeAm(definition)) ?? -1;
      this.#known.set(definition, id);
    }
    return id;
  }

  /**
   * @param name The name of an AM.
   * @returns Whether the PEs have an AM of this name, of whatever layout.
   */
  hasName(name: string): boolean {
    return this.#names.has(name);
  }

  /**
   * @param id An id that a PE sent.
   * @returns The AM of this program.
   * @throws {FeatureLevelError} If this program does not define it.
   */
  definitionOf(id: number): AmDefinition {
    const text = this.#list[id];
    const all = [...this.#included, ...definedAms()];
    const found = all.find((definition) => describeAm(definition) === text);
    if (found) return found;
    throw new FeatureLevelError(
      `Cannot run the AM that a handler returned: this program does not define ${text}; ` +
        "import the module that does",
    );
  }
}

/** The name in the description of an AM. */
function nameIn(text: string): string {
  const [quoted] = /^"(?:[^"\\]|\\.)*"/.exec(text) ?? ['""'];
  return JSON.parse(quoted);
}
