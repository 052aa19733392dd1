/** What is drawn when an image is made rather than when it runs: which calls stand in a multicall, and which pieces in a run. */

/** Numbers below a bound, the same from each seed. */
export class Draw {
  private state: number;

  constructor(seed: number) {
    this.state = (seed ^ 0x2545f491) | 1;
  }

  below(bound: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % bound;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** All of them in an order that is drawn, and in another when they are used up: none is left out for long. */
  *rounds<T>(all: readonly T[]): Generator<T, never> {
    for (;;) {
      const rest = [...all];
      while (rest.length > 0) yield rest.splice(this.below(rest.length), 1)[0] as T;
    }
  }
}
