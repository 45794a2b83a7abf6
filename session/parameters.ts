/**
 * The parameters of closures of a session.
 *
 * @module
 */

import type { AmContext } from "../am/mod.ts";
import type { LamellarWorld } from "../world/mod.ts";

/**
 * The parameters of a closure of a session: its captures, and after them the context of handlers.
 *
 * @category Sessions
 */
export type SessionParameters<C extends readonly unknown[]> = C extends readonly unknown[]
  ? [...C, AmContext]
  : never;

/**
 * The context of a closure that runs on all PEs: its world is that of a program, with collectives
 * and all else that PEs do together.
 *
 * @category Sessions
 */
export interface TogetherContext extends AmContext {
  /** The world. */
  readonly world: LamellarWorld;
}

/**
 * The parameters of a closure that runs on all PEs: its captures, and after them its context.
 *
 * @category Sessions
 */
export type TogetherParameters<C extends readonly unknown[]> = C extends readonly unknown[]
  ? [...C, TogetherContext]
  : never;
