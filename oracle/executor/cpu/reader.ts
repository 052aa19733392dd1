/** The byte at this distance from the instruction's first; throws the fault when there is none to be had. */
export type ByteSource = (at: number) => number;

/** Reads on, byte by byte: no byte is touched that the instruction does not have. */
export class Reader {
  at = 0;
  private readonly byte: ByteSource;

  constructor(byte: ByteSource) {
    this.byte = byte;
  }

  /** The next byte, which stays the next. */
  peek(): number {
    return this.byte(this.at);
  }
  u8(): number {
    return this.byte(this.at++);
  }
  s8(): number {
    return (this.u8() << 24) >> 24;
  }
  u16(): number {
    return this.u8() | (this.u8() << 8);
  }
  s32(): number {
    return this.u16() | (this.u16() << 16);
  }
}
