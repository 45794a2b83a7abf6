/**
 * The local lamella of a client: a program at whose service the PEs are, on a thread that stays
 * the program's own.
 *
 * @module
 */

import { CLIENT_NAME } from "../../internal/node_names.ts";
import type { LamellarError } from "../../internal/errors.ts";
import type { Kernels } from "../../internal/kernels.ts";
import { ACTIVITY, WAIT_FOR } from "../lamella.ts";
import { failureText, writeFailure } from "./failure_record.ts";
import type { Layout } from "./layout.ts";
import { LocalLamella } from "./local_lamella.ts";

/** The local lamella of a client. */
export class ClientLamella extends LocalLamella {
  readonly #layout: Layout;
  readonly #onWait: (waits: boolean) => void;
  #failure: LamellarError | null = null;

  /**
   * @param layout Where everything is.
   * @param memory The memory of the PEs.
   * @param kernels Kernels over it.
   * @param onWait Told whether the client waits for a PE, when its thread goes to other things.
   */
  constructor(
    layout: Layout,
    memory: WebAssembly.Memory,
    kernels: Kernels,
    onWait: (waits: boolean) => void,
  ) {
    super(layout, memory, kernels, layout.numPes);
    this.#layout = layout;
    this.#onWait = onWait;
  }

  override report(activity: number, waitKind: number, waitPe: number): void {
    super.report(activity, waitKind, waitPe);
    if (activity === ACTIVITY.idle) this.#onWait(waitKind !== WAIT_FOR.nothing);
  }

  /** The same error each time: whoever finds it twice can tell. */
  override failure(): LamellarError | null {
    return this.#failure ??= super.failure();
  }

  /** The caller's process goes on; the PEs do not. */
  override fail(error: unknown): void {
    const text = failureText(this.pe, error, CLIENT_NAME);
    writeFailure(this.#layout, this.views, -1, 1, text);
  }
}
