/**
 * Why something cannot be launched.
 *
 * @module
 */

import { type AmDefinition, definitionOf } from "./call.ts";

/**
 * @param call What is launched.
 * @returns What it runs.
 * @throws {TypeError} If it is not an AM with its payload.
 */
export function launchableHere(call: unknown): AmDefinition {
  const definition = definitionOf(call);
  if (definition === undefined) throw notACall(call);
  return definition;
}

/**
 * @param definition An AM that does not travel, or that this world does not have.
 * @param inClient Whether this is the program that started a session.
 */
export function refuseToSend({ codec, name }: AmDefinition, inClient: boolean): never {
  if (codec === undefined) {
    throw new TypeError(`Cannot send the local AM "${name}": local AMs do not travel`);
  }
  const why = inClient
    ? "no module of the session defines it, and groups and finish ship nothing; name its module " +
      "in the modules of startSession"
    : "it is not part of this world";
  throw new TypeError(`Cannot send AM "${name}": ${why}`);
}

function notACall(call: unknown): TypeError {
  const advice = typeof call === "function" && "amName" in call
    ? `it is AM "${call.amName}" itself; call it with its payload`
    : `it is ${Deno.inspect(call)}`;
  return new TypeError(`Cannot launch a value that is not an AM: ${advice}`);
}
