/** What a seed draws. */
import { BASE, DATA, PAGE, SPARE, SPARE_PAGES, XEN } from './layout.ts';

const DOMID_SELF = 0x7ff0;

export { DOMID_SELF };

export class Draw {
  /** First frame of the guest's memory. */
  readonly firstFrame: number;
  private state: number;

  constructor(seed: number, firstFrame: number) {
    this.firstFrame = firstFrame;
    this.state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
    for (let i = 0; i < 8; i++) this.below(2);
  }

  /** A number from 0 to `n` - 1. */
  below(n: number): number {
    let x = this.state;
    x ^= x << 13;
    x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state % n;
  }

  any(): number {
    return this.below(0xffffffff);
  }

  pick<T>(...choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)]!;
  }

  frame(address: number): number {
    return this.firstFrame + ((address - BASE) >>> 12);
  }

  /** Mostly where the structure is; else somewhere else, right or wrong. */
  pointer(): number {
    return this.below(3) > 0
      ? DATA
      : this.pick(DATA + 4 * this.below(200), DATA + PAGE - 4 * this.below(6), 0, 0x00100000, XEN + 4 * this.below(100), 0xfffffffc);
  }

  /** The address of a page to do things with. */
  spare(): number {
    return SPARE + PAGE * this.below(SPARE_PAGES);
  }

  /** A frame: mostly of a spare page, else any. */
  mfn(): number {
    const { firstFrame } = this;
    if (this.below(3) > 0) return this.frame(this.spare());
    return this.pick(
      this.frame(SPARE),
      this.frame(SPARE + PAGE),
      0x402,
      0x403,
      this.below(firstFrame + 0x1000),
      this.frame(DATA),
      0xffffff,
    );
  }

  /** A word of a structure. */
  word(): number {
    return this.pick(0, 1, 2, DOMID_SELF, this.below(16), this.mfn(), this.any(), DATA + 64, XEN);
  }

  words(count: number): readonly number[] {
    return Array.from({ length: count }, () => this.word());
  }
}
