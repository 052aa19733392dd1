/** Choices of a generator, all drawn from one stream so that a seed reproduces them. */
import type fc from 'fast-check';

/** Numbers at which arithmetic and bounds checks turn. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffffffn,
  0xfffffffffffffffen,
  0x5555555555555555n,
  0xaaaaaaaaaaaaaaaan,
];

export class Random {
  private readonly source: fc.Random;

  constructor(source: fc.Random) {
    this.source = source;
  }

  /** An integer from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return this.source.nextInt(low, high);
  }

  /** True once in `n`. */
  one(n: number): boolean {
    return this.int(1, n) === 1;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.int(0, from.length - 1)];
  }

  /** Pick by weight. */
  weighted<T extends { readonly weight: number }>(from: readonly T[]): T {
    let left = this.int(0, from.reduce((sum, f) => sum + f.weight, 0) - 1);
    for (const f of from) {
      left -= f.weight;
      if (left < 0) return f;
    }
    return from[0];
  }

  /** 64 bits, often near an edge, as the schema writes them. */
  word(): string {
    if (this.one(2)) return hex(this.pick(EDGES));
    const bits = this.int(1, 64);
    const wide = (BigInt(this.int(0, 0x7fffffff)) << 33n) ^ (BigInt(this.int(0, 0x7fffffff)) << 11n) ^ BigInt(this.int(0, 0x7ff));
    return hex(BigInt.asUintN(bits, wide ^ (this.one(2) ? 0xffffffffffffffffn : 0n)));
  }

  /** 32 bits, often near an edge. */
  dword(): number {
    return Number(BigInt.asUintN(32, BigInt(this.word())));
  }

  list<T>(low: number, high: number, make: () => T): T[] {
    return Array.from({ length: this.int(low, high) }, make);
  }
}

export const hex = (value: bigint): string => `0x${value.toString(16)}`;
