/**
 * The protocol that finds out when everything is over that was launched in a finish, as a state
 * machine without I/O.
 *
 * It detects termination as Dijkstra and Scholten do (Termination detection for diffusing
 * computations, 1980). The PEs that launch in the finish form a tree; its root is the PE that
 * called it. A request that was launched counts where it was launched, until its handler is over
 * and has answered. A PE whose handler launches something joins the tree before that, below a PE
 * whose handler runs on it: that one still waits for the answer, which goes the same way as the
 * message that this PE has joined, after it. So it is in the tree, and learns that it has a child
 * before it could leave. A PE leaves when nothing is under way that it launched, no handler of the
 * finish runs on it, and all its children have left. When that is true of the root, everything is
 * over. A PE that launches nothing never joins, and needs no messages but its answers.
 *
 * @module
 */

/** No PE. */
export const NOBODY = -1;

/** What `enter` says besides a PE. */
export const ENTRY = {
  /** This PE was in the tree. */
  member: -1,
  /** Nothing of the finish is left that could launch here. */
  refused: -2,
} as const;

/** What one PE knows, which can be copied. */
export interface MemberState {
  /** What this PE launched and is not over; at the root, the body counts as well. */
  own: number;
  /** How many handlers run here, and of these by the PE that launched them. */
  visiting: number;
  readonly visits: number[];
  /** How many PEs have joined below this one and have not left. */
  readonly children: Map<number, number>;
  /** Below which PE this one is; `NOBODY` outside of the tree, and at the root. */
  parent: number;
  /** The root: everything is over. */
  over: boolean;
}

/** Where one PE is in the tree of one finish. */
export class Membership {
  readonly state: MemberState;
  readonly isRoot: boolean;

  /**
   * @param isRoot Whether this PE called the finish.
   * @param state Where it goes on.
   */
  constructor(isRoot: boolean, state: MemberState) {
    this.isRoot = isRoot;
    this.state = state;
  }

  /**
   * The state of a PE that nothing of a finish has reached yet.
   *
   * @param isRoot Whether this PE calls the finish: its body counts then.
   * @returns The state.
   */
  static initial(isRoot: boolean): MemberState {
    const own = isRoot ? 1 : 0;
    return { own, visiting: 0, visits: [], children: new Map(), parent: NOBODY, over: false };
  }

  /** Whether this PE is in the tree. */
  get isMember(): boolean {
    return this.isRoot ? !this.state.over : this.state.parent !== NOBODY;
  }

  /** Whether nothing of the finish is here. */
  get isIdle(): boolean {
    const { children, own, visiting } = this.state;
    return own === 0 && visiting === 0 && children.size === 0;
  }

  /**
   * A handler begins to run.
   *
   * @param pe The PE that launched it.
   */
  visit(pe: number): void {
    const { visits } = this.state;
    while (visits.length <= pe) visits.push(0);
    visits[pe]!++;
    this.state.visiting++;
  }

  /**
   * It is over.
   *
   * @param pe The PE that launched it.
   */
  endVisit(pe: number): void {
    this.state.visits[pe]!--;
    this.state.visiting--;
  }

  /**
   * This PE is about to launch something.
   *
   * @returns The PE that has to be told first that this one has joined below it, or an `ENTRY`.
   */
  enter(): number {
    if (this.isMember) return ENTRY.member;
    if (this.isRoot || this.state.visiting === 0) return ENTRY.refused;
    return this.state.parent = this.state.visits.findIndex((count) => count > 0);
  }

  /** It launched something. This PE has to be in the tree. */
  begin(): void {
    this.state.own++;
  }

  /** Something that it launched is over. */
  end(): void {
    this.state.own--;
  }

  /**
   * Another PE has joined below this one.
   *
   * @param pe The PE.
   * @returns Whether that can be.
   */
  joined(pe: number): boolean {
    const { children } = this.state;
    if (this.isMember) children.set(pe, (children.get(pe) ?? 0) + 1);
    return this.isMember;
  }

  /**
   * Another PE has left that was below this one.
   *
   * @param pe The PE.
   * @returns Whether it was.
   */
  left(pe: number): boolean {
    const { children } = this.state;
    const before = children.get(pe) ?? 0;
    if (before > 1) children.set(pe, before - 1);
    else children.delete(pe);
    return before > 0;
  }

  /**
   * Leaves the tree if nothing of the finish is here.
   *
   * @returns The PE that has to be told, `NOBODY` if there is none.
   */
  leave(): number {
    const { parent } = this.state;
    if (!this.isIdle) return NOBODY;
    if (this.isRoot) this.state.over = true;
    this.state.parent = NOBODY;
    return parent;
  }
}
