/**
 * The table of conformance cases, by groups. All cases of a group run in one world, so that
 * starting costs little; a group has the environment it needs.
 *
 * @module
 */

import type { Case } from "./case.ts";
import { ACTIVE_MESSAGE_CASES } from "./cases/active_messages.ts";
import { AM_ERROR_CASES } from "./cases/am_errors.ts";
import { AM_GROUP_CASES } from "./cases/am_groups.ts";
import { AM_HANDLE_CASES } from "./cases/am_handles.ts";
import { AM_PAYLOAD_CASES } from "./cases/am_payloads.ts";
import { AM_SIZE_CASES } from "./cases/am_sizes.ts";
import { ARRAY_CASES } from "./cases/arrays.ts";
import { ARRAY_LOCAL_CASES } from "./cases/array_local.ts";
import { ARRAY_LOCK_CASES } from "./cases/array_locks.ts";
import { ARRAY_RECORD_CASES } from "./cases/array_records.ts";
import { ARRAY_PITFALL_CASES } from "./cases/array_pitfalls.ts";
import { ARRAY_TRAVEL_CASES } from "./cases/array_travel.ts";
import { ARRAY_VALUE_CASES } from "./cases/array_values.ts";
import { ARRAY_TABLE } from "./cases/array_table.ts";
import { CHECKED_SLICE_CASES } from "./cases/checked_slices.ts";
import { BLOCKING_REFUSAL_CASES } from "./cases/blocking_refusals.ts";
import { CLOSED_CASES, CLOSING_CASES } from "./cases/closed.ts";
import { CLOSURE_CASES } from "./cases/closures.ts";
import { CLOSURE_REFUSAL_CASES } from "./cases/closure_refusals.ts";
import { DARC_CONVERSION_CASES } from "./cases/darc_conversions.ts";
import { DARC_LOCK_CASES } from "./cases/darc_locks.ts";
import { DARC_CASES } from "./cases/darcs.ts";
import { COLLECTIVE_CASES } from "./cases/collectives.ts";
import { EQUAL_TREATMENT_CASES } from "./cases/equal_treatment.ts";
import { FINISH_CASES } from "./cases/finishes.ts";
import { FLOOD_CASES } from "./cases/floods.ts";
import { FORBIDDEN_CLOSURE_CASES } from "./cases/forbidden_closures.ts";
import { GIVEN_UP_TEAM_CASES } from "./cases/given_up_teams.ts";
import { HANDLE_CASES } from "./cases/handles.ts";
import { HOSTILE_VALUE_CASES } from "./cases/hostile_values.ts";
import { REGION_ATOMIC_CASES } from "./cases/region_atomics.ts";
import { REGION_COLLECTIVE_CASES } from "./cases/region_collectives.ts";
import { REGION_MESSAGE_CASES } from "./cases/region_messages.ts";
import { REGION_NEAR_FAR_CASES } from "./cases/region_near_far.ts";
import { REGION_OPERATION_CASES } from "./cases/region_operations.ts";
import { REGION_ORDER_CASES } from "./cases/region_order.ts";
import { REGION_REFUSAL_CASES } from "./cases/region_refusals.ts";
import { REGION_TRANSFER_CASES } from "./cases/region_transfers.ts";
import { REGION_WAIT_CASES } from "./cases/region_waits.ts";
import { SMALL_HEAP_BYTES, SMALL_HEAP_CASES } from "./cases/small_heap.ts";
import { TASK_CASES } from "./cases/tasks.ts";
import { TASK_GROUP_CASES } from "./cases/task_groups.ts";
import { TEAM_CASES } from "./cases/teams.ts";
import { TEAM_REFUSAL_CASES } from "./cases/team_refusals.ts";
import { TEAM_SPLIT_CASES } from "./cases/team_splits.ts";
import { TEAM_REGION_CASES } from "./cases/team_regions.ts";
import { TRAFFIC_CASES } from "./cases/traffic.ts";
import { WORLD_CASES } from "./cases/world.ts";

/** What a line of the report starts with, to be told from what handlers print. */
export const MARK = "@conformance ";

/** A line of the report. */
export type Report =
  | { readonly kind: "begin"; readonly name: string }
  | { readonly kind: "pass"; readonly name: string; readonly ms: number }
  | { readonly kind: "fail"; readonly name: string; readonly pe: number; readonly error: string };

/** Cases that share a world. */
interface Group {
  /** Variables that are set for it. */
  readonly env: Readonly<Record<string, string>>;
  /** Run in the world. */
  readonly open: readonly Case[];
  /** Run once it is closed. */
  readonly closed: readonly Case[];
}

/** Which tenth of the table of arrays is tried where all of it would take too long. */
const TENTH = Number(Deno.env.get("CONFORMANCE_TENTH") ?? Math.floor(10 * Math.random()));

const GROUPS: Readonly<Record<string, Group>> = {
  "world and messages": {
    env: {},
    open: [
      ...WORLD_CASES,
      ...TASK_CASES,
      ...ACTIVE_MESSAGE_CASES,
      ...AM_PAYLOAD_CASES,
      ...AM_HANDLE_CASES,
      ...HANDLE_CASES,
      ...AM_ERROR_CASES,
      ...AM_SIZE_CASES,
      ...EQUAL_TREATMENT_CASES,
      ...HOSTILE_VALUE_CASES,
      ...BLOCKING_REFUSAL_CASES,
      ...CLOSURE_CASES,
      ...CLOSURE_REFUSAL_CASES,
      ...TRAFFIC_CASES,
      ...CLOSING_CASES,
    ],
    closed: CLOSED_CASES,
  },
  "regions": {
    env: {},
    open: [
      ...REGION_TRANSFER_CASES,
      ...REGION_ATOMIC_CASES,
      ...REGION_OPERATION_CASES,
      ...REGION_NEAR_FAR_CASES,
      ...REGION_ORDER_CASES,
      ...REGION_WAIT_CASES,
      ...REGION_MESSAGE_CASES,
      ...REGION_REFUSAL_CASES,
    ],
    closed: [],
  },
  "small heap": {
    env: { LAMELLAR_HEAP_SIZE: String(SMALL_HEAP_BYTES) },
    open: SMALL_HEAP_CASES,
    closed: [],
  },
  "teams": {
    env: {},
    open: [
      ...TEAM_CASES,
      ...TEAM_SPLIT_CASES,
      ...TEAM_REGION_CASES,
      ...TEAM_REFUSAL_CASES,
      ...GIVEN_UP_TEAM_CASES,
    ],
    closed: [],
  },
  "darcs": {
    env: {},
    open: [...DARC_CASES, ...DARC_LOCK_CASES, ...DARC_CONVERSION_CASES],
    closed: [],
  },
  "arrays": {
    env: {},
    open: [
      ...ARRAY_CASES,
      ...ARRAY_VALUE_CASES,
      ...ARRAY_RECORD_CASES,
      ...ARRAY_LOCAL_CASES,
      ...ARRAY_PITFALL_CASES,
      ...ARRAY_TRAVEL_CASES,
      ...ARRAY_LOCK_CASES,
    ],
    closed: [],
  },
  "checked slices": {
    env: { LAMELLAR_CHECK_SLICES: "1" },
    open: CHECKED_SLICE_CASES,
    closed: [],
  },
  "groups": { env: {}, open: [...TASK_GROUP_CASES, ...AM_GROUP_CASES], closed: [] },
  "finishes": { env: {}, open: FINISH_CASES, closed: [] },
  "collectives": {
    env: {},
    open: [...COLLECTIVE_CASES, ...REGION_COLLECTIVE_CASES],
    closed: [],
  },
  "floods": { env: {}, open: FLOOD_CASES, closed: [] },
  // The smallest rings there may be: every send has to wait for room sooner or later.
  "smallest rings": {
    env: { LAMELLAR_RING_SIZE: "4096" },
    open: [
      ...AM_SIZE_CASES,
      ...CLOSURE_CASES,
      ...TEAM_CASES,
      ...TEAM_SPLIT_CASES,
      ...AM_GROUP_CASES,
      ...TRAFFIC_CASES,
      ...DARC_CONVERSION_CASES,
      ...FLOOD_CASES,
    ],
    closed: [],
  },
  "no closures": {
    env: { LAMELLAR_CLOSURES: "0" },
    open: FORBIDDEN_CLOSURE_CASES,
    closed: [],
  },
};

/** Groups so large that they are tried only where a driver names them. */
const LARGE: Readonly<Record<string, Group>> = {
  "array table": { env: {}, open: ARRAY_TABLE, closed: [] },
  "a tenth of the array table": {
    env: { CONFORMANCE_TENTH: String(TENTH) },
    open: ARRAY_TABLE.filter((_, i) => i % 10 === TENTH),
    closed: [],
  },
};

/** The names of all groups that are tried everywhere. */
export const GROUP_NAMES: readonly string[] = Object.keys(GROUPS);

function groupOf(name: string): Group {
  return GROUPS[name] ?? LARGE[name]!;
}

/**
 * @param group The name of a group.
 * @returns The variables it wants.
 */
export function environmentOf(group: string): Readonly<Record<string, string>> {
  return groupOf(group).env;
}

/**
 * @param group The name of a group.
 * @param numPes With how many PEs.
 * @returns Its cases that can be tried with so many.
 */
export function casesOf(
  group: string,
  numPes: number,
): { readonly open: readonly Case[]; readonly closed: readonly Case[] } {
  const { open, closed } = groupOf(group);
  const fits = (test: Case): boolean => test.pes?.(numPes) ?? true;
  return { open: open.filter(fits), closed: closed.filter(fits) };
}
