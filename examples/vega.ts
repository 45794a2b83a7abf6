/**
 * Where the examples find real data: the files of the package vega-datasets, which comes from the
 * npm registry.
 *
 * @module
 */

import "npm:vega-datasets@3.2.1";

/**
 * Reads a data file of the package.
 *
 * @param name Name of the file, such as `"flights-200k.json"`.
 * @returns Its text.
 */
export function readDataset(name: string): Promise<string> {
  // The package exports only one module; its data is beside the folder of that module.
  const main = import.meta.resolve("npm:vega-datasets@3.2.1");
  return Deno.readTextFile(new URL(`../data/${name}`, main));
}
