/** Data of the programs: counted texts and structures at addresses that are known at once. */
import { countedText } from '../runtime/runtime.ts';

export class Data {
  readonly base: number;
  bytes: Uint8Array = new Uint8Array(16384);
  length = 0;
  private view = new DataView(this.bytes.buffer);
  private readonly texts = new Map<string, number>();

  constructor(base: number) {
    this.base = base;
  }

  /** Room for `size` bytes filled with `fill`; its address. */
  reserve(size: number, align = 8, fill = 0): number {
    const start = Math.ceil(this.length / align) * align;
    this.length = start + size;
    if (this.length > this.bytes.length) {
      const wider = new Uint8Array(Math.max(this.bytes.length * 2, this.length));
      wider.set(this.bytes);
      this.bytes = wider;
      this.view = new DataView(wider.buffer);
    }
    if (fill !== 0) this.bytes.fill(fill, start, start + size);
    return this.base + start;
  }

  /** Address of a counted text; equal texts share one. */
  text(text: string): number {
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    const bytes = countedText(text);
    const address = this.reserve(bytes.length, 1);
    this.bytes.set(bytes, address - this.base);
    this.texts.set(text, address);
    return address;
  }

  /** Write the low `size` bytes (1 to 8) of a number at an address of this data. */
  put(address: number, size: number, value: number | bigint): void {
    const at = address - this.base;
    if (size === 8) this.view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
    else {
      let rest = typeof value === 'bigint' ? Number(BigInt.asUintN(32, value)) : value;
      for (let i = 0; i < size; i++, rest = Math.floor(rest / 256)) this.bytes[at + i] = rest & 0xff;
    }
  }

  set(address: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, address - this.base);
  }
}
