/**
 * The module every PE Worker starts with. It makes the Worker a PE, imports the program, and
 * reports how that ended. Imported anywhere else it does nothing; the library imports it statically
 * so that `--cached-only` has it.
 *
 * @module
 */

import { schedYield } from "../../ffi/libc.ts";
import { noteOwnOperations } from "../../internal/engine_internals.ts";
import { instantiateKernels } from "../../internal/kernels.ts";
import { writeFailure } from "../local/failure_record.ts";
import { BLOCK, blockOf, neighboursIn } from "../local/layout.ts";
import { LocalLamella } from "../local/local_lamella.ts";
import type { Lamella } from "../lamella.ts";
import { pausingOffer } from "./core_offer.ts";
import { actAsMain } from "./main_module.ts";
import { PE_WORKER_NAME, setPeContext, type StartMessage } from "./pe_context.ts";
import { fullText, watchMemory } from "./memory_watch.ts";
import { PeLife } from "./pe_life.ts";
import { assembleOutput, isolateStdin, tellProgram } from "./pe_process.ts";

/** The parts of a Worker's global scope that are used here; the DOM types know a window's only. */
interface WorkerScope {
  name?: string;
  onmessage: ((event: MessageEvent<StartMessage>) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;

// Set before any await: a message that comes earlier would be lost.
if (scope.name === PE_WORKER_NAME) {
  scope.onmessage = (event) => {
    // Without a listener the Worker would end while its program waits for another PE.
    scope.onmessage = () => {};
    start(event.data);
  };
}

async function start(message: StartMessage): Promise<void> {
  const { pe, layout, config, objectBytesMax, told, version } = message;
  // Workers of Node lack it.
  if (!("self" in globalThis)) Object.assign(globalThis, { self: globalThis });
  const lamella = await lamellaOf(message);
  const life = new PeLife(layout, lamella);
  setPeContext({
    lamella,
    config,
    version,
    told,
    beginWorld: () => life.beginWorld(),
    endBuild: () => life.endBuild(),
    setWorld: (end) => life.setWorld(end),
  });
  tellProgram(message.program, message.args);
  if (pe !== 0) isolateStdin();
  if (config.label || layout.numPes > 1) {
    const flush = await assembleOutput(
      pe,
      layout.numPes,
      config.label ? lamella.views.i32 : undefined,
    );
    life.beforeEnd(flush);
  }
  life.watchReader();
  if (layout.clients > 0) life.serveClient();
  if (objectBytesMax !== undefined) {
    const text = `PE ${pe} failed: ${fullText(objectBytesMax)}`;
    await watchMemory(() => void writeFailure(layout, lamella.views, pe, 1, text));
  }
  await actAsMain(message.program);
  noteOwnOperations();
  await life.run(message.program);
}

async function lamellaOf(message: StartMessage): Promise<Lamella> {
  const { pe, layout, memory, module, network } = message;
  const kernels = instantiateKernels(memory, {
    memory64: layout.memory64,
    module,
    scratch: blockOf(layout, pe) + BLOCK.scratch,
  });
  const offer = offerOf(network?.pesOnHost ?? neighboursIn(layout));
  // What only jobs of several processes need is loaded by them only.
  if (!network && layout.host) {
    const { shmemLamella } = await import("../shmem/shmem_lamella.ts");
    return shmemLamella(layout, memory, kernels, pe, offer);
  }
  if (!network) return new LocalLamella(layout, memory, kernels, pe, { offer });
  const { RofiLamella } = await import("../rofi/rofi_lamella.ts");
  return new RofiLamella(network, memory, kernels, pe, offer);
}

/** How a PE offers its core. Where PEs share cores, it is each other that they offer them to. */
function offerOf(pesOnHost: number): (() => void) | undefined {
  const offer = schedYield();
  const crowded = pesOnHost > navigator.hardwareConcurrency;
  return offer && !crowded ? pausingOffer(offer) : offer;
}
