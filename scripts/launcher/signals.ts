/**
 * Numbers of signals, for exit codes.
 *
 * @module
 */

import { constants } from "node:os";

/**
 * @param name A signal by its name.
 * @returns Its number; 0 for one that this system does not have.
 */
export function signalNumber(name: string): number {
  return Object.hasOwn(constants.signals, name)
    ? constants.signals[name as keyof typeof constants.signals]
    : 0;
}
