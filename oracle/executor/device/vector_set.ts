/** A set of interrupt vectors, as the 256-bit registers of a local APIC hold it. */
export class VectorSet {
  private readonly words = new Uint32Array(8);

  has(vector: number): boolean {
    return ((this.words[vector >> 5] >>> (vector & 31)) & 1) !== 0;
  }
  set(vector: number): void {
    this.words[vector >> 5] |= 1 << (vector & 31);
  }
  clear(vector: number): void {
    this.words[vector >> 5] &= ~(1 << (vector & 31));
  }

  highest(): number | null {
    for (let i = 7; i >= 0; i--) if (this.words[i] !== 0) return 32 * i + 31 - Math.clz32(this.words[i]);
    return null;
  }

  /** Vectors 32n to 32n + 31. */
  word(n: number): number {
    return this.words[n];
  }

  /** 64 hex digits, vector 255 first. */
  text(): string {
    return Array.from(this.words, (word) => word.toString(16).padStart(8, '0'))
      .reverse()
      .join('');
  }
}
