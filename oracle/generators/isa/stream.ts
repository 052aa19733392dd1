/** A stream of choices that a seed reproduces: quick, because a case takes some hundred of them and a run has millions of cases. */
export class Stream {
  private a: number;
  private b: number;
  private c: number;
  private count = 1;

  /** Each pair of numbers has a stream of its own. */
  constructor(seed: number, branch = 0) {
    this.a = seed | 0;
    this.b = Math.imul(branch + 1, 0x9e3779b1) | 0;
    this.c = (seed ^ 0x5bd1e995) | 0;
    for (let i = 0; i < 12; i++) this.bits();
  }

  /** 32 bits, unsigned. */
  bits(): number {
    const t = (this.a + this.b + this.count++) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + t;
    this.c |= 0;
    return t >>> 0;
  }

  /** From 0 to `n` − 1. */
  below(n: number): number {
    return Math.floor((this.bits() / 0x100000000) * n);
  }

  /** From `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True once in `n`. */
  one(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }

  /** 64 bits, unsigned. */
  bits64(): bigint {
    return (BigInt(this.bits()) << 32n) | BigInt(this.bits());
  }
}
