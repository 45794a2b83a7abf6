/**
 * Checks that the generated tables in the documents match the code: `deno run -A
 * scripts/check_docs.ts`, and with `--write` brings them up to date.
 *
 * A table stands between `<!-- generated: name -->` and `<!-- end -->`.
 *
 * @module
 */

import { configTable } from "../internal/config.ts";
import { permissionTable } from "../internal/platform.ts";

/** The documents with a generated table, and what generates it. */
const TABLES: Readonly<Record<string, { name: string; table: () => string }>> = {
  "docs/environment.md": { name: "environment", table: configTable },
  "docs/permissions.md": { name: "permissions", table: permissionTable },
};

/**
 * Puts a generated table into a document.
 *
 * @param text The document
 * @param name The name in the marker
 * @param table The table
 * @returns The document with the table in place of what stood between the markers
 * @throws {Error} If the document does not have the markers exactly once
 */
export function withTable(text: string, name: string, table: string): string {
  const begin = `<!-- generated: ${name} -->\n`;
  const end = "<!-- end -->";
  const parts = text.split(begin);
  const from = parts[1]?.indexOf(end) ?? -1;
  if (parts.length !== 2 || from < 0) {
    throw new Error(`Cannot find one table between ${begin.trim()} and ${end}`);
  }
  return `${parts[0]}${begin}\n${aligned(table)}\n\n${parts[1]!.slice(from)}`;
}

/** Pads the cells of a table to even columns, as the formatter does. */
function aligned(table: string): string {
  const rows = table.split("\n").map((row) => row.split("|").slice(1, -1).map((c) => c.trim()));
  const widths = rows[0]!.map((_, column) =>
    Math.max(3, ...rows.map((row) => /^-+$/.test(row[column]!) ? 3 : row[column]!.length))
  );
  const lines = rows.map((row) =>
    row.map((cell, column) =>
      /^-+$/.test(cell) ? "-".repeat(widths[column]!) : cell.padEnd(widths[column]!)
    )
  );
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function main(write: boolean): number {
  let stale = 0;
  for (const [path, { name, table }] of Object.entries(TABLES)) {
    const file = new URL(`../${path}`, import.meta.url);
    const text = Deno.readTextFileSync(file);
    const wanted = withTable(text, name, table());
    if (text === wanted) continue;
    if (write) {
      Deno.writeTextFileSync(file, wanted);
      console.log(`wrote the table of ${path}`);
    } else {
      console.error(
        `${path} does not match the code; run deno run -A scripts/check_docs.ts --write`,
      );
      stale++;
    }
  }
  return stale === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(main(Deno.args.includes("--write")));
