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
 */
export function refuseToSend(definition: AmDefinition): never {
  throw definition.codec === undefined
    ? new TypeError(`Cannot send the local AM "${definition.name}": local AMs do not travel`)
    : new TypeError(`Cannot send AM "${definition.name}": it is not part of this world`);
}

function notACall(call: unknown): TypeError {
  const advice = typeof call === "function" && "amName" in call
    ? `it is AM "${call.amName}" itself; call it with its payload`
    : `it is ${Deno.inspect(call)}`;
  return new TypeError(`Cannot launch a value that is not an AM: ${advice}`);
}
