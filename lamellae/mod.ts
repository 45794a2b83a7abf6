/**
 * Lamellae: the network providers. What every one of them guarantees stands at the head of
 * `lamella.ts`; the layers above know that interface and the progress engine, never a provider
 * itself.
 *
 * @module
 */

export * from "./lamella.ts";
export * from "./lanes.ts";
export * from "./memory_operations.ts";
export * from "./memory_server.ts";
export * from "./segment_heap.ts";
export * from "./progress.ts";
export * from "./collectives/collective_call.ts";
export * from "./collectives/dissemination.ts";
export * from "./collectives/group.ts";
export * from "./collectives/groups.ts";
export * from "./collectives/operation.ts";
export * from "./collectives/program.ts";
export * from "./handle.ts";
export * from "./collectives/collective_handle.ts";
export * from "./collectives/kinds.ts";
export { isOfNumbers, reduceNumber } from "./collectives/number.ts";
export * from "./collectives/transfer.ts";
export * from "./start.ts";
export * from "./wait_limit.ts";
