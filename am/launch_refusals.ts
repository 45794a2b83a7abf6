/**
 * Why something cannot be launched.
 *
 * @module
 */

import type { AmDefinition } from "./call.ts";

/**
 * @param definition An AM that has no place on the wire.
 * @returns The error for the sender.
 */
export function notRegistered(definition: AmDefinition): TypeError {
  return definition.codec === undefined
    ? new TypeError(`Cannot send the local AM "${definition.name}": local AMs do not travel`)
    : new TypeError(`Cannot send AM "${definition.name}": it is not part of this world`);
}

/**
 * @param call What was launched.
 * @returns The error for what is not an AM with its payload.
 */
export function notACall(call: unknown): TypeError {
  const advice = typeof call === "function" && "amName" in call
    ? `it is AM "${call.amName}" itself; call it with its payload`
    : `it is ${Deno.inspect(call)}`;
  return new TypeError(`Cannot launch a value that is not an AM: ${advice}`);
}
