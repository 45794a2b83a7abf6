/**
 * Which PEs of a group share memory: they are on one host. PEs go by their places in the group.
 *
 * @module
 */

/** A PE that keeps what belongs to a far place. */
export interface Dealer {
  readonly place: number;
  /** Which of all that it keeps. */
  readonly index: number;
}

/** The PEs of one host. */
export type HostPlaces = readonly number[];

/** The hosts of a group, seen from one PE. */
export class Hosts {
  /** The places of each host, ascending; hosts by their first place. */
  readonly all: readonly HostPlaces[];
  /** The host of each place. */
  readonly hostOf: readonly number[];
  /** This PE's host. */
  readonly mine: number;
  /** Places on this PE's host. */
  readonly near: HostPlaces;
  /** By host, the places that are not on it, ascending. */
  readonly #far: (readonly number[])[] = [];

  /**
   * @param leaders The first place on the host of each place.
   * @param me This PE's place.
   */
  constructor(leaders: readonly number[], me: number) {
    const firsts = [...new Set(leaders)].sort((a, b) => a - b);
    const places = leaders.map((_, place) => place);
    this.all = firsts.map((first) => places.filter((place) => leaders[place] === first));
    this.hostOf = leaders.map((leader) => firsts.indexOf(leader));
    this.mine = this.hostOf[me]!;
    this.near = this.all[this.mine]!;
  }

  /** Whether there is more than one. */
  get areSeveral(): boolean {
    return this.all.length > 1;
  }

  /**
   * @param host A host.
   * @returns The places that are not on it.
   */
  farFrom(host: number): readonly number[] {
    return this.#far[host] ??= this.hostOf
      .map((_, place) => place)
      .filter((place) => this.hostOf[place] !== host);
  }

  /**
   * The PE of a host that deals with a far place for all PEs of the host, and where it keeps what
   * belongs to that place. In each round it is another one.
   *
   * @param host The host.
   * @param place The far place.
   * @param round The round.
   * @returns The place of the PE, and the index among all that it keeps.
   */
  dealer(host: number, place: number, round = 0): Dealer {
    const places = this.all[host]!;
    const far = this.farFrom(host).indexOf(place);
    return {
      place: places[(far + round) % places.length]!,
      index: Math.floor(far / places.length),
    };
  }

  /**
   * The PE that collects what a far place has for the PEs of this host, or for one PE.
   *
   * @param place The far place.
   * @param reader The only place that wants it, on any host; undefined if all do.
   * @param round The round.
   * @returns The PE, and the index among all that it keeps.
   */
  collector(place: number, reader: number | undefined, round = 0): Dealer {
    if (reader === undefined) return this.dealer(this.mine, place, round);
    return { place: reader, index: this.farFrom(this.hostOf[reader]!).indexOf(place) };
  }

  /** The most far places that a PE deals with in a round. */
  get dealtMax(): number {
    return Math.max(
      ...this.all.map((places, host) => Math.ceil(this.farFrom(host).length / places.length)),
    );
  }
}
