/**
 * Serves the repository over HTTP on the loopback, as a place that people import the library from.
 *
 * @module
 */

import { ROOT } from "./paths.ts";

/** A server that runs. */
export interface RepositoryServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/`, where the root of the repository is. */
  readonly url: string;
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Paths that were asked for, without the leading slash. */
  readonly requested: string[];
}

/**
 * Starts to serve the repository.
 *
 * @param extra Texts served beside its files, by path.
 * @returns The server.
 */
export function serveRepository(extra: Readonly<Record<string, string>> = {}): RepositoryServer {
  const requested: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const path = new URL(request.url).pathname.slice(1);
    requested.push(path);
    return answer(path, extra);
  });
  const host = `127.0.0.1:${server.addr.port}`;
  return {
    url: `http://${host}/`,
    host,
    requested,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function answer(path: string, extra: Readonly<Record<string, string>>): Promise<Response> {
  const headers = { "content-type": "application/typescript" };
  if (extra[path] !== undefined) return new Response(extra[path], { headers });
  try {
    return new Response(await Deno.readFile(new URL(path, ROOT)), { headers });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return new Response(null, { status: 404 });
  }
}
