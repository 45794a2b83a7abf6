/**
 * Sessions for tests.
 *
 * @module
 */

import { type LamellarSession, type SessionOptions, startSession } from "../../mod.ts";

const AMS = new URL("../programs/session_ams.ts", import.meta.url);

/** What errors say of the program. */
export const CLIENT = "in the program that started the session";

/**
 * Runs a body with a session of three PEs that have the AMs of the tests, and closes it.
 *
 * @param body The body.
 * @param options What is different.
 */
export async function withSession(
  body: (session: LamellarSession) => Promise<void>,
  options: SessionOptions = {},
): Promise<void> {
  await using session = await startSession({ pes: 3, modules: [AMS], ...options });
  await body(session);
}
