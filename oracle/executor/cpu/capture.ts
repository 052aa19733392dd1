/** An instruction that Xen carries out in the processor's stead: it reads memory as ever, but what it writes is caught. */

/** Where a write goes, what it would store, and what is there (zeros when nobody has looked). */
export type Caught = { readonly lo: number; readonly hi: number; readonly old: Uint8Array; readonly stored: Uint8Array };

/** Whether Xen reads at an address for a guest: not in its own range, nor where no address is. */
export const isGuestAddress = (hi: number): boolean => hi >>> 15 === 0 || hi >>> 0 >= 0xffff8800;

export class Capture {
  /** The instruction stores without reading what is there. */
  readonly overwrites: boolean;
  caught: Caught | null = null;
  private lo = 0;
  private hi = 0;
  private old: Uint8Array = new Uint8Array();

  constructor(overwrites: boolean) {
    this.overwrites = overwrites;
  }

  /** The instruction is about to write, over `old`. */
  begin(lo: number, hi: number, old: Uint8Array): void {
    this.lo = lo;
    this.hi = hi;
    this.old = old;
  }

  /** It has: `size` bytes from `at` on. */
  end(bytes: Uint8Array, at: number): void {
    const { lo, hi, old } = this;
    this.caught = { lo, hi, old, stored: bytes.slice(at, at + old.length) };
  }

  /** Whether the instruction stored nothing, or what was there before. */
  leavesAll(): boolean {
    return this.caught === null || this.caught.stored.every((byte, i) => byte === this.caught?.old[i]);
  }
}
