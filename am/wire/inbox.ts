/**
 * Receiving frames: finds the handler of a request and runs it; settles the handle an answer is
 * for.
 *
 * @module
 */

import { ClosedError, FeatureLevelError, ProtocolError } from "../../internal/errors.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { AmCall, type AmDefinition } from "../call.ts";
import { type AnswerHost, Answers } from "./answers.ts";
import type { AmContext } from "../context.ts";
import type { Finishes } from "../finish/finishes.ts";
import type { Visit } from "../finish/finish.ts";
import {
  CLOSURE,
  FRAME,
  frameBytes,
  HEAD_BYTES,
  ID_BYTES,
  idBytes,
  IN_FINISH,
  IN_TEAM,
  isTeamId,
  KIND_MASK,
  teamIdIn,
} from "./frames.ts";
import { type AmHandle, control } from "../handle.ts";
import type { GroupLauncher } from "../group/group_launcher.ts";
import { invoke } from "../invoke.ts";
import { type ParkedRequest, ParkedRequests } from "./parked.ts";
import { Parts } from "./long_frames.ts";
import type { Requests } from "./requests.ts";
import type { TeamHost } from "../team_work.ts";
import { type Brought, dispose, keep, type ReceivedHandles } from "../received.ts";
import type { Services } from "../services.ts";
import { decodeError } from "./thrown.ts";
import { readResult } from "./results.ts";
import type { ClosureValue } from "../closure/value.ts";

/** Bytes handled before room is given back to the producer. */
const BUDGET_BYTES = 32 * 1024;
/** Milliseconds after which all else gets its turn, and bytes between looks at the clock. */
const BUDGET_MS = 2;
const CLOCK_BYTES = 4 * 1024;

/** What the inbox needs of the engine. */
export interface InboxHost extends AnswerHost {
  /** This PE. */
  readonly pe: number;
  readonly context: AmContext;
  /** Who knows the teams other than the world's. */
  readonly teams: TeamHost | undefined;
  /** Handed to codecs: what a handle on the wire belongs to. */
  readonly decodeContext: unknown;
  /** The handles of the payload that is being read. */
  readonly received: ReceivedHandles;
  /** The layers above that get messages of their own. */
  readonly services: Services;
  /** AMs by id. */
  readonly definitions: readonly AmDefinition[];
  readonly finishes: Pick<Finishes, "visit">;
  /** Finds AMs by id, and knows which of them runs batches. */
  readonly groups: Pick<GroupLauncher, "batchId" | "definitionOf">;
  requests(pe: number): Requests;
  /** That many requests are over. */
  countDone(count: number): void;
  /** Runs a returned AM or closure here, for the value of a handle. */
  runReturned(
    work: AmCall<unknown> | ClosureValue,
    handle: AmHandle<unknown>,
    brought: Brought | undefined,
  ): void;
  /** A request of this PE to itself began, or ceased, to need its event loop. */
  countAsynchronous(change: 1 | -1): void;
}

/** What is known of a source of frames. */
interface Source {
  /** Number of its last request. */
  last: number;
  /**
   * Number of the last request that ended without an answer of its own, and the last one it was
   * told of.
   */
  done: number;
  told: number;
  /** Frames that arrive in parts. */
  readonly parts: Parts;
}

/** Handles the frames of all sources. */
export class Inbox {
  readonly #host: InboxHost;
  readonly #sources: Source[];
  readonly #parked = new ParkedRequests();
  readonly #answers: Answers;

  /**
   * @param host The engine.
   * @param sources PEs and clients.
   */
  constructor(host: InboxHost, sources: number) {
    this.#host = host;
    this.#answers = new Answers(host);
    this.#sources = Array.from(
      { length: sources },
      () => ({ last: 0, done: 0, told: 0, parts: new Parts() }),
    );
  }

  /** For the watchdog: the async handlers under way, the first of them by name. */
  get underWay(): string {
    return this.#answers.underWay;
  }

  /**
   * The frame sink of the progress engine.
   *
   * @param pe The source.
   * @param views The memory of the frames.
   * @param at Address of the first.
   * @param end Address after the last.
   * @returns Address after the last frame handled.
   */
  receive(pe: number, views: MemoryViews, at: number, end: number): number {
    const source = this.#sources[pe]!;
    const stop = Math.min(end, at + BUDGET_BYTES);
    const words = views.i32;
    let until = 0;
    let lookAt = at + CLOCK_BYTES;
    while (at < stop) {
      const bytes = words[at >>> 2]!;
      if (bytes === 0) break;
      if (bytes < HEAD_BYTES || (bytes & 7) !== 0 || at + bytes > end) {
        throw corrupt(pe, `a frame of ${bytes} bytes where ${end - at} are left`);
      }
      this.#handle(pe, source, views, at, bytes);
      at += bytes;
      if (at < lookAt) continue;
      lookAt = at + CLOCK_BYTES;
      const now = performance.now();
      if (until === 0) until = now + BUDGET_MS;
      else if (now > until) break;
    }
    if (source.done !== source.told) this.#tellDone(pe, source);
    this.#host.outbox.flush();
    return at;
  }

  #handle(pe: number, source: Source, views: MemoryViews, at: number, bytes: number): void {
    const word = at >>> 2;
    const kind = views.i32[word + 1]! & 0xff;
    const detail = views.i32[word + 1]! >>> 8;
    const number = views.i32[word + 2]!;
    const length = views.i32[word + 3]!;
    if (length < 0 || frameBytes(length) !== bytes) {
      throw corrupt(pe, `a payload of ${length} bytes in a frame of ${bytes}`);
    }
    const payload = at + HEAD_BYTES;
    if ((kind & KIND_MASK) === FRAME.request) {
      this.#count(pe, source, number);
      if (
        (kind & IN_TEAM) !== 0 && this.#parks(pe, kind, detail, number, views, payload, length)
      ) {
        return;
      }
      if (this.#run(pe, kind, detail, number, views, payload, length)) source.done = number;
      return;
    }
    switch (kind) {
      case FRAME.teamQuery:
      case FRAME.teamReply:
        return this.#aboutTeam(pe, kind, views, payload, length);
      case FRAME.collective:
        return this.#collective(pe, views, payload, length);
      case FRAME.service:
        return naming(pe, () => this.#host.services.receive(detail, pe, views, payload, length));
      case FRAME.source:
        return this.#host.closures.receive(pe, detail, number, views, payload, length);
      case FRAME.part:
        return this.#part(pe, source, detail, number, views, payload, length);
      case FRAME.done: {
        const count = this.#host.requests(pe).settleUpTo(number);
        if (count < 0) throw corrupt(pe, `an answer to request ${number}, which was not made`);
        return this.#host.countDone(count);
      }
      case FRAME.deferred:
        return this.#defer(pe, number);
      default:
        this.#answer(pe, kind, detail, number, views, payload, length);
    }
  }

  /** The answer to a request comes later: of a request to itself, by the event loop of this PE. */
  #defer(pe: number, number: number): void {
    const host = this.#host;
    const handle = host.requests(pe).defer(number);
    if (!handle) throw corrupt(pe, `an answer to request ${number}, which was not made`);
    if (pe !== host.pe) return;
    control.needEventLoop(handle);
    host.countAsynchronous(1);
  }

  #answer(
    pe: number,
    kind: number,
    detail: number,
    number: number,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): void {
    const host = this.#host;
    const handle = host.requests(pe).take(number);
    if (!handle) throw corrupt(pe, `an answer to request ${number}, which was not made`);
    if (control.isAsynchronous(handle)) host.countAsynchronous(-1);
    host.received.begin();
    try {
      this.#settle(pe, kind, detail, handle, views, at, bytes);
    } catch (error) {
      host.received.drop();
      // Nobody else knows the handle any more.
      control.reject(handle, error);
      host.countDone(1);
      // A closure that this world refuses concerns its caller alone.
      if (!(error instanceof FeatureLevelError)) throw error;
    }
  }

  #settle(
    pe: number,
    kind: number,
    detail: number,
    handle: AmHandle<unknown>,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): void {
    const host = this.#host;
    switch (kind) {
      case FRAME.result: {
        const returns = control.definitionOf(handle)?.returns;
        const value = readResult(detail, returns, views, at, bytes, host.decodeContext);
        this.#resolve(handle, value);
        break;
      }
      case FRAME.error:
        control.reject(handle, decodeError(control.opOf(handle), pe, views, at, bytes));
        break;
      case FRAME.returnAm: {
        const definition = this.#definition(pe, detail);
        const self = definition.codec!.read(views, at, bytes, host.decodeContext);
        return this.#runReturned(new AmCall(definition, self), handle);
      }
      case FRAME.returnClosure:
        return this.#runReturned(this.#readClosure(pe, detail, views, at, bytes), handle);
      default:
        throw corrupt(pe, `a frame of kind ${kind}`);
    }
    host.countDone(1);
  }

  /** Gives a handle its value, to which the handles belong that the value has in it. */
  #resolve(handle: AmHandle<unknown>, value: unknown): void {
    let brought: Brought | undefined;
    try {
      brought = this.#host.received.take();
    } catch (error) {
      return control.reject(handle, error);
    }
    const isGivenUp = control.failed(handle);
    control.resolve(handle, value);
    (isGivenUp ? dispose : keep)(brought);
  }

  #runReturned(work: AmCall<unknown> | ClosureValue, handle: AmHandle<unknown>): void {
    const host = this.#host;
    try {
      host.runReturned(work, handle, host.received.take());
    } catch (error) {
      control.reject(handle, error);
      host.countDone(1);
    }
  }

  #definition(pe: number, id: number): AmDefinition {
    const { definitions, groups } = this.#host;
    return groups.definitionOf(id) ?? refuseId(pe, id, definitions.length);
  }

  #readClosure(
    pe: number,
    source: number,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): ClosureValue {
    const { closures, decodeContext } = this.#host;
    return closures.read(pe, source, views, at, bytes, decodeContext);
  }

  /** Requests are numbered without gaps: a lost or repeated one shows at once. */
  #count(pe: number, source: Source, number: number): void {
    if (number !== ((source.last + 1) | 0)) {
      throw corrupt(pe, `request ${number} after request ${source.last}`);
    }
    source.last = number;
  }

  /**
   * What handlers get that were launched in a team, whose id is in front of the payload; or why
   * they do not run. The payload is read all the same: the handles in it have to be given back.
   */
  #teamContext(
    pe: number,
    kind: number,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): object {
    const id = teamIdIn(kind, views, at, bytes);
    let context: object | undefined;
    try {
      context = this.#host.teams?.context(id);
    } catch (error) {
      if (error instanceof ClosedError) return error;
      throw error;
    }
    if (!context) throw corrupt(pe, `a request in team ${id}, which this PE does not know`);
    return context;
  }

  #collective(pe: number, views: MemoryViews, at: number, bytes: number): void {
    const { teams } = this.#host;
    if (!teams) throw corrupt(pe, "a collective of a team where there are none");
    naming(pe, () => teams.receive(pe, views, at, bytes));
  }

  /** A question about a team, or the answer to one: then what waited for it runs. */
  #aboutTeam(pe: number, kind: number, views: MemoryViews, at: number, bytes: number): void {
    const { outbox, teams } = this.#host;
    const id = teamIdIn(kind, views, at, bytes);
    if (teams === undefined || !isTeamId(id)) throw corrupt(pe, `a message about team ${id}`);
    if (kind === FRAME.teamQuery) {
      const description = teams.describe(id);
      const reply = new Uint8Array(ID_BYTES + description.length);
      reply.set(views.u8.subarray(at, at + ID_BYTES));
      reply.set(description, ID_BYTES);
      return outbox.sendBytes(pe, FRAME.teamReply, reply);
    }
    if (bytes > ID_BYTES) {
      naming(pe, () => teams.learn(id, views.u8.slice(at + ID_BYTES, at + bytes)));
    }
    for (const request of this.#parked.take(pe, id)) this.#resume(pe, request);
  }

  /** Runs a request that waited. It is deferred: it has an answer of its own, whatever it gives. */
  #resume(pe: number, { kind, detail, number, views, bytes }: ParkedRequest): void {
    const { received, teams } = this.#host;
    if (!teams!.knows(teamIdIn(kind, views, 0, bytes))) {
      received.begin();
      const front = idBytes(kind);
      this.#read(pe, kind, detail, views, front, bytes - front);
      received.drop();
      const closed = new ClosedError("Cannot run the AM: its team is closed");
      return this.#answers.sendError(pe, number, closed);
    }
    if (this.#run(pe, kind, detail, number, views, 0, bytes)) {
      this.#answers.sendResult(pe, number, undefined, undefined);
    }
  }

  /** Sets a request aside if it is in a team that this PE has given up; returns whether it is. */
  #parks(
    pe: number,
    kind: number,
    detail: number,
    number: number,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): boolean {
    const { outbox, teams } = this.#host;
    const id = teamIdIn(kind, views, at, bytes);
    if (teams === undefined || !isTeamId(id) || teams.knows(id)) return false;
    outbox.sendHead(pe, FRAME.deferred, 0, number);
    if (this.#parked.park(pe, id, { kind, detail, number }, views, at, bytes)) {
      outbox.sendBytes(pe, FRAME.teamQuery, new Uint8Array(new Float64Array([id]).buffer));
    }
    return true;
  }

  /** Runs an AM or a closure; returns whether it is over without an answer of its own. */
  #run(
    pe: number,
    kind: number,
    detail: number,
    number: number,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): boolean {
    const host = this.#host;
    const { received } = host;
    const definition = (kind & CLOSURE) === 0 ? this.#definition(pe, detail) : undefined;
    const front = idBytes(kind);
    let context: object = host.context;
    if ((kind & IN_TEAM) !== 0) context = this.#teamContext(pe, kind, views, at, bytes);
    const visit = (kind & IN_FINISH) === 0 ? undefined : this.#visit(pe, views, at, bytes);
    let result: unknown;
    let read = false;
    let brought: Brought | undefined;
    received.begin();
    try {
      const work = this.#read(pe, kind, detail, views, at + front, bytes - front);
      if (context instanceof ClosedError) throw context;
      if (visit !== undefined) context = visit.contextOf(context as AmContext);
      brought = received.take();
      read = true;
      result = definition === undefined
        ? (work as ClosureValue).run(context)
        : invoke(definition.handler, work, context);
    } catch (error) {
      // The payloads of a batch are read while it runs.
      const reads = !read || definition?.id === host.groups.batchId;
      if (reads && error instanceof ProtocolError) throw error;
      if (!read) received.drop();
      visit?.end();
      this.#answers.sendError(pe, number, error, visit);
      dispose(brought);
      return false;
    }
    if (result === undefined && definition?.returns === undefined) {
      visit?.end();
      if (brought !== undefined) dispose(brought);
      return true;
    }
    this.#answers.finish(pe, number, result, definition, brought, visit);
    return false;
  }

  /** A handler of a finish begins. */
  #visit(pe: number, views: MemoryViews, at: number, bytes: number): Visit {
    const id = bytes < ID_BYTES ? NaN : views.f64[at >>> 3]!;
    return naming(pe, () => this.#host.finishes.visit(pe, id));
  }

  /** Reads the payload of a request: the `self` of an AM, or a closure. */
  #read(
    pe: number,
    kind: number,
    detail: number,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): unknown {
    if ((kind & CLOSURE) !== 0) return this.#readClosure(pe, detail, views, at, bytes);
    return this.#definition(pe, detail).codec!.read(views, at, bytes, this.#host.decodeContext);
  }

  #tellDone(pe: number, source: Source): void {
    source.told = source.done;
    this.#host.outbox.sendHead(pe, FRAME.done, 0, source.done);
  }

  #part(
    pe: number,
    source: Source,
    last: number,
    stream: number,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): void {
    const whole = naming(pe, () => source.parts.add(stream, last !== 0, views, at, bytes));
    if (whole) this.#handle(pe, source, whole, 0, whole.i32[0]!);
  }
}

/** Reads something whose errors say what is wrong, but not whose frame it was in. */
function naming<T>(pe: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ProtocolError ? corrupt(pe, error.message) : error;
  }
}

function refuseId(pe: number, id: number, count: number): never {
  throw corrupt(pe, `AM number ${id} of ${count}`);
}

function corrupt(pe: number, what: string): ProtocolError {
  return new ProtocolError(`Cannot read the frames of PE ${pe}: there is ${what}`, {
    pe,
    op: "receive",
  });
}
