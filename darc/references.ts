/**
 * The protocol that finds out when no PE holds a Darc any more, as a state machine without I/O.
 *
 * It detects termination as Dijkstra and Scholten do (Termination detection for diffusing
 * computations, 1980). The PEs that may hold a Darc form a tree whose root is its home. Every
 * handle that travels is counted by its sender until the receiver acknowledges it. A PE outside of
 * the tree joins it below the sender of the handle that reaches it, and acknowledges that handle
 * only when it leaves: when it holds nothing, and all that it sent is acknowledged. When that is
 * true of the home, nobody holds the Darc and none is under way. Messages may overtake each other.
 *
 * @module
 */

/** No PE: who has no parent is not in the tree. */
const NOBODY = -1;

/** What one PE knows, which can be copied. */
export interface ReferenceState {
  /** Handles and guards on this PE. */
  held: number;
  /** Handles sent and not acknowledged; at first, the home counts one for each other PE. */
  unacknowledged: number;
  /** Whose handle brought this PE into the tree; `NOBODY` outside of it, and at the home. */
  parent: number;
  /** The home: nobody holds the Darc any more. */
  over: boolean;
}

/** Counts handles that this PE is to acknowledge to another. */
export type Acknowledge = (pe: number, count: number) => void;

/** The references to one Darc, seen from one PE. */
export class References {
  readonly state: ReferenceState;
  readonly #pe: number;
  readonly #home: number;
  readonly #acknowledge: Acknowledge;

  /**
   * @param pe This PE.
   * @param home The home of the Darc.
   * @param acknowledge Is told what to send; it may not call back.
   * @param state Where it goes on.
   */
  constructor(pe: number, home: number, acknowledge: Acknowledge, state: ReferenceState) {
    this.#pe = pe;
    this.#home = home;
    this.#acknowledge = acknowledge;
    this.state = state;
  }

  /**
   * The state after the creation of a Darc, of which every PE gets a handle.
   *
   * @param pe This PE.
   * @param home The home of the Darc.
   * @param numPes Number of PEs that have it.
   * @returns The state.
   */
  static initial(pe: number, home: number, numPes: number): ReferenceState {
    return pe === home
      ? { held: 1, unacknowledged: numPes - 1, parent: NOBODY, over: false }
      : { held: 1, unacknowledged: 0, parent: home, over: false };
  }

  /**
   * The state of who is not one of its PEs, and may be sent a handle.
   *
   * @returns The state.
   */
  static outside(): ReferenceState {
    return { held: 0, unacknowledged: 0, parent: NOBODY, over: false };
  }

  /** Whether this PE is in the tree: as long as it is, the Darc is not freed. */
  get isMember(): boolean {
    return this.#pe === this.#home ? !this.state.over : this.state.parent !== NOBODY;
  }

  /** One more handle here. This PE has to be in the tree. */
  take(): void {
    this.state.held++;
  }

  /** One handle less here. */
  release(): void {
    this.state.held--;
    this.#leave();
  }

  /** A handle goes to another PE. This PE holds one. */
  sent(): void {
    this.state.unacknowledged++;
  }

  /**
   * A handle arrived, and is held from now on.
   *
   * @param from Where it came from.
   */
  arrived(from: number): void {
    this.state.held++;
    if (this.isMember) this.#acknowledge(from, 1);
    else this.state.parent = from;
  }

  /**
   * Handles that this PE sent were acknowledged.
   *
   * @param count How many.
   * @returns Whether there were so many.
   */
  acknowledged(count: number): boolean {
    if (!(count > 0 && count <= this.state.unacknowledged)) return false;
    this.state.unacknowledged -= count;
    this.#leave();
    return true;
  }

  #leave(): void {
    const { state } = this;
    if (state.held > 0 || state.unacknowledged > 0) return;
    if (this.#pe === this.#home) state.over = true;
    else if (state.parent !== NOBODY) {
      const { parent } = state;
      state.parent = NOBODY;
      this.#acknowledge(parent, 1);
    }
  }
}
