/**
 * Paths of the repository's files, for command lines.
 *
 * @module
 */

/**
 * @param url A `file:` URL.
 * @returns The path it names.
 */
export function fromFileUrl(url: URL): string {
  return decodeURIComponent(url.pathname);
}

/** The repository, as a `file:` URL that ends in a slash. */
export const ROOT: URL = new URL("../../", import.meta.url);

/**
 * @param name Name of a file below `tests/programs/`.
 * @returns Its URL.
 */
export function programUrl(name: string): URL {
  return new URL(`tests/programs/${name}`, ROOT);
}
