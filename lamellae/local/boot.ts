/**
 * The module every PE Worker starts with. It makes the Worker a PE, imports the program, and reports how that ended.
 * Imported anywhere else it does nothing; the library imports it statically so that `--cached-only` has it.
 *
 * @module
 */

import { atomicStore } from "../../internal/atomics.ts";
import { schedYield } from "../../ffi/mod.ts";
import { instantiateKernels } from "../../internal/kernels.ts";
import { writeFailure } from "./failure_record.ts";
import { BLOCK, blockOf, PE_STATE, STATUS } from "./layout.ts";
import { failureText, LocalLamella } from "./local_lamella.ts";
import { PE_WORKER_NAME, type PeContext, setPeContext, type StartMessage } from "./pe_context.ts";
import { isolateStdin, labelOutput, tellProgram } from "./pe_process.ts";

/** The parts of a Worker's global scope that are used here; the DOM types know only a window's. */
interface WorkerScope {
  name?: string;
  onmessage: ((event: MessageEvent<StartMessage>) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;

// Set before any await: a message that comes earlier would be lost.
if (scope.name === PE_WORKER_NAME) {
  scope.onmessage = (event) => {
    scope.onmessage = () => {};
    start(event.data);
  };
}

async function start(message: StartMessage): Promise<void> {
  const kernels = instantiateKernels(message.memory, {
    memory64: message.layout.memory64,
    module: message.module,
  });
  const { layout, memory, pe } = message;
  const lamella = new LocalLamella(layout, memory, kernels, pe, schedYield());
  const context: PeContext = {
    lamella,
    config: message.config,
    version: message.version,
    atEnd: undefined,
    worldOpen: false,
  };
  setPeContext(context);
  tellProgram(message.program, message.args);
  if (message.pe !== 0) isolateStdin();
  if (message.config.label) await labelOutput(message.pe, message.layout.numPes);
  guardExits(context, message);
  setState(message, lamella, PE_STATE.running);
  try {
    await import(message.program);
    await context.atEnd?.();
    setState(message, lamella, PE_STATE.finished);
  } catch (error) {
    reportFailure(message, lamella, error);
  }
}

function reportFailure(message: StartMessage, lamella: LocalLamella, error: unknown): void {
  const text = failureText(message.pe, error);
  writeFailure(message.layout, lamella.views, message.pe, 1, text);
  setState(message, lamella, PE_STATE.failed);
}

function setState(message: StartMessage, lamella: LocalLamella, state: number): void {
  const status = (blockOf(message.layout, message.pe) + BLOCK.status) / 4;
  atomicStore(lamella.views.i32, status + STATUS.state, state);
  if (state !== PE_STATE.running) scope.postMessage("look");
}

/**
 * Makes sure nothing ends this Worker in silence: neither an exit, nor a close, nor an error outside the program's
 * own promise.
 */
function guardExits(context: PeContext, message: StartMessage): void {
  const { lamella } = context;
  const exit = Deno.exit;
  const leave = (how: string, code: number): never => {
    if (code === 0 && !context.worldOpen) setState(message, lamella, PE_STATE.finished);
    else {
      const text = `PE ${message.pe} called ${how}(${code}) before its program ended`;
      writeFailure(message.layout, lamella.views, message.pe, code || 1, text);
      setState(message, lamella, PE_STATE.failed);
    }
    return exit(code);
  };
  Deno.exit = (code?: number) => leave("Deno.exit", code ?? Deno.exitCode ?? 0);
  const { process } = globalThis as unknown as { process?: { exit: unknown; reallyExit: unknown } };
  if (process) {
    process.exit = (code?: number | string) => leave("process.exit", Number(code ?? 0));
    process.reallyExit = process.exit;
  }
  scope.close = () => leave("self.close", 0);
  const onError = (error: unknown): void => reportFailure(message, lamella, error);
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    onError(event.error ?? event.message);
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    onError(event.reason);
  });
}
