/** One 8259A interrupt controller, as Intel's datasheet has it and QEMU's `pc` shows it. */
import type { PicObservation } from '#spec/bare/devices.ts';

/** No input asks. */
const NONE = 8;

export class Pic {
  private irr: number;
  private isr = 0;
  private imr: number;
  private line = 0;
  private base: number;
  private elcr: number;
  /** The input that has the highest priority. */
  private priority = 0;
  private autoEoi = false;
  private rotateOnAutoEoi = false;
  private readIsr = false;
  private specialMask = false;
  private fullyNested = false;
  private poll = false;
  private init: 0 | 2 | 3 | 4 = 0;
  private wantsIcw4 = false;
  private single = false;
  private readonly elcrBits: number;
  private readonly cascade: number;
  private readonly told: (output: boolean) => void;

  /**
   * @param entry what it holds at first. @param elcrBits inputs that may be level-triggered. @param cascade mask of the input that a slave drives.
   * @param told hears of the INT output whenever it may have changed.
   */
  constructor(entry: PicObservation, elcrBits: number, cascade: number, told: (output: boolean) => void) {
    this.irr = entry.irr;
    this.imr = entry.imr;
    this.base = entry.base;
    this.elcr = entry.elcr;
    this.elcrBits = elcrBits;
    this.cascade = cascade;
    this.told = told;
  }

  /** The level of an input. */
  set(input: number, level: boolean): void {
    const bit = 1 << input;
    if (((this.line & bit) !== 0) === level) return;
    this.line = level ? this.line | bit : this.line & ~bit;
    if ((this.elcr & bit) !== 0) this.irr = level ? this.irr | bit : this.irr & ~bit;
    else if (level) this.irr |= bit;
    this.update();
  }

  /** Whether INT is asserted. */
  get output(): boolean {
    return this.wanted() !== NONE;
  }

  /** Vector of a number of an input. */
  vector(input: number): number {
    return this.base + input;
  }

  /** INTA: the input that is served, or null when nothing asks any more. */
  acknowledge(): number | null {
    const input = this.wanted();
    if (input === NONE) return null;
    this.serve(input);
    return input;
  }

  private serve(input: number): void {
    const bit = 1 << input;
    if (!this.autoEoi) this.isr |= bit;
    else if (this.rotateOnAutoEoi) this.priority = (input + 1) & 7;
    if ((this.elcr & bit) === 0) this.irr &= ~bit;
    this.update();
  }

  private update(): void {
    this.told(this.output);
  }

  /** How far from the top the most urgent input of a mask is, or NONE. */
  private rank(mask: number): number {
    if (mask === 0) return NONE;
    let rank = 0;
    while ((mask & (1 << ((rank + this.priority) & 7))) === 0) rank++;
    return rank;
  }

  /** The input to be served next, or NONE. */
  private wanted(): number {
    const asking = this.rank(this.irr & ~this.imr);
    let busy = this.isr;
    if (this.specialMask) busy &= ~this.imr;
    if (this.fullyNested) busy &= ~this.cascade;
    return asking < this.rank(busy) ? (asking + this.priority) & 7 : NONE;
  }

  /** Port 0 (commands) or 1 (data). */
  write(port: number, value: number): void {
    if (port !== 0) this.writeData(value);
    else if ((value & 0x10) !== 0) this.initialise(value);
    else if ((value & 0x08) !== 0) this.control(value);
    else this.endOfInterrupt(value >> 5, value & 7);
  }

  /** ICW1. */
  private initialise(value: number): void {
    this.irr &= this.elcr;
    this.isr = this.imr = this.priority = this.base = 0;
    this.autoEoi = this.rotateOnAutoEoi = this.readIsr = this.specialMask = this.fullyNested = this.poll = false;
    this.wantsIcw4 = (value & 1) !== 0;
    this.single = (value & 2) !== 0;
    this.init = 2;
    this.update();
  }

  /** OCW3. */
  private control(value: number): void {
    if ((value & 0x04) !== 0) this.poll = true;
    if ((value & 0x02) !== 0) this.readIsr = (value & 1) !== 0;
    if ((value & 0x40) !== 0) this.specialMask = (value & 0x20) !== 0;
    this.update();
  }

  /** OCW2. */
  private endOfInterrupt(command: number, named: number): void {
    if (command === 0 || command === 4) this.rotateOnAutoEoi = command === 4;
    else if (command === 6) this.priority = (named + 1) & 7;
    else if (command !== 2) {
      const specific = (command & 2) !== 0;
      const rank = this.rank(this.isr);
      if (!specific && rank === NONE) return;
      const input = specific ? named : (rank + this.priority) & 7;
      this.isr &= ~(1 << input);
      if ((command & 4) !== 0) this.priority = (input + 1) & 7;
    }
    this.update();
  }

  private writeData(value: number): void {
    const afterBase = this.wantsIcw4 ? 4 : 0;
    if (this.init === 0) this.imr = value;
    else if (this.init === 2) {
      this.base = value & 0xf8;
      this.init = this.single ? afterBase : 3;
    } else if (this.init === 3) this.init = afterBase;
    else {
      this.fullyNested = (value & 0x10) !== 0;
      this.autoEoi = (value & 0x02) !== 0;
      this.init = 0;
    }
    this.update();
  }

  read(port: number): number {
    if (this.poll) {
      this.poll = false;
      const input = this.acknowledge();
      return input === null ? 0 : input | 0x80;
    }
    if (port !== 0) return this.imr;
    return this.readIsr ? this.isr : this.irr;
  }

  readElcr(): number {
    return this.elcr;
  }
  writeElcr(value: number): void {
    this.elcr = value & this.elcrBits;
  }

  observe(): PicObservation {
    const { irr, isr, imr, line, base, elcr, priority, poll, init } = this;
    return {
      irr,
      isr,
      imr,
      line,
      base,
      elcr,
      priority,
      auto_eoi: this.autoEoi,
      rotate_on_auto_eoi: this.rotateOnAutoEoi,
      read_isr: this.readIsr,
      special_mask: this.specialMask,
      nested: this.fullyNested,
      poll,
      init,
    };
  }
}
