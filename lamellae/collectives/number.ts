/**
 * Reductions of one number, which programs need most often and which cost little more than a
 * barrier this way. They give the same as those of an array of one element.
 *
 * @module
 */

import type { ReductionName } from "../../internal/element_ops.ts";
import { CollectiveHandle } from "./collective_handle.ts";
import type { CollectiveKind } from "./collective_call.ts";
import type { PeGroup } from "./group.ts";
import type { Transfers } from "./transfer.ts";
import { readHead, SHORT_HEAD_BYTES, writeShortHead } from "./head.ts";

const cell = new Float64Array(1);
const cellBytes = new Uint8Array(cell.buffer);

const OPERATORS: Partial<Record<ReductionName, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  prod: (a, b) => a * b,
  min: Math.min,
  max: Math.max,
};

/** What is reduced. */
export interface NumberReduction {
  readonly kind: CollectiveKind;
  /** Its arguments as text, as for an array of one element. */
  readonly args: string;
  readonly operator: "sum" | "prod" | "min" | "max";
  readonly value: number;
}

/**
 * @param operator The name of an operator.
 * @returns Whether it reduces numbers that are not integers.
 */
export function isOfNumbers(operator: string): operator is NumberReduction["operator"] {
  return Object.hasOwn(OPERATORS, operator);
}

/**
 * Reduces one number of each PE.
 *
 * @param transfers Knows the hosts of the group.
 * @param group The PEs.
 * @param reduction What is reduced.
 * @returns A handle for the result.
 */
export function reduceNumber(
  transfers: Transfers,
  group: PeGroup,
  { kind, args, operator, value }: NumberReduction,
): CollectiveHandle<number> {
  const own = new Uint8Array(SHORT_HEAD_BYTES + cellBytes.length);
  writeShortHead(own, transfers.leaderOf(group));
  cell[0] = value;
  own.set(cellBytes, SHORT_HEAD_BYTES);
  const combine = OPERATORS[operator]!;
  return new CollectiveHandle(group.call(kind, { args, own }), (all) => {
    const hosts = transfers.hostsOf(group, () => all.map(readHead)).all;
    let total = 0;
    for (let host = 0; host < hosts.length; host++) {
      const places = hosts[host]!;
      let partial = numberIn(all[places[0]!]!);
      for (let i = 1; i < places.length; i++) {
        partial = combine(partial, numberIn(all[places[i]!]!));
      }
      total = host === 0 ? partial : combine(total, partial);
    }
    return total;
  });
}

function numberIn(contribution: Uint8Array): number {
  for (let i = 0; i < cellBytes.length; i++) cellBytes[i] = contribution[SHORT_HEAD_BYTES + i]!;
  return cell[0]!;
}
