/**
 * What messages call who takes part in a job: PEs, and the program that started a session, whose
 * number is behind those of the PEs.
 *
 * @module
 */

/** What messages call the program that started a session. */
export const CLIENT_NAME = "the program that started the session";

/**
 * @param node The number of a PE, or of a client.
 * @param numPes Number of PEs.
 * @returns Such as "PE 3".
 */
export function nodeName(node: number, numPes: number): string {
  return node < numPes ? `PE ${node}` : CLIENT_NAME;
}

/**
 * @param node The number of a PE, or of a client.
 * @param numPes Number of PEs.
 * @returns Such as "on PE 3".
 */
export function nodePlace(node: number, numPes: number): string {
  return node < numPes ? `on PE ${node}` : `in ${CLIENT_NAME}`;
}
