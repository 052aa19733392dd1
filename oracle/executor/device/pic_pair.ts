/** The two 8259A of a PC: the slave's output is the master's input 2. */
import { AT_ENTRY } from '#spec/bare/at_entry.ts';
import type { PicObservation } from '#spec/bare/devices.ts';
import { Pic } from './pic.ts';

const CASCADE = 2;
/** A request that went away before it was acknowledged is told as input 7. */
const SPURIOUS = 7;

export class PicPair {
  private readonly master: Pic;
  private readonly slave: Pic;

  /** @param told hears of the INT line to the processor whenever it may have changed. */
  constructor(told: (output: boolean) => void) {
    this.master = new Pic(AT_ENTRY.pic[0], 0xf8, 1 << CASCADE, told);
    this.slave = new Pic(AT_ENTRY.pic[1], 0xde, 0, (output) => this.master.set(CASCADE, output));
  }

  /** The level of ISA interrupt 0 to 15; 2 is the cascade and cannot be set. */
  set(irq: number, level: boolean): void {
    if (irq === CASCADE) return;
    if (irq < 8) this.master.set(irq, level);
    else this.slave.set(irq - 8, level);
  }

  get output(): boolean {
    return this.master.output;
  }

  /** The interrupt acknowledge cycle: the vector that goes on the bus. */
  acknowledge(): number {
    const input = this.master.acknowledge();
    if (input !== CASCADE) return this.master.vector(input ?? SPURIOUS);
    return this.slave.vector(this.slave.acknowledge() ?? SPURIOUS);
  }

  /** Ports 0x20, 0x21, 0xa0, 0xa1, and the trigger modes at 0x4d0 and 0x4d1. */
  read(port: number): number {
    if (port >= 0x4d0) return this.chip(port & 1).readElcr();
    return this.chip(port >> 7).read(port & 1);
  }
  write(port: number, value: number): void {
    if (port >= 0x4d0) this.chip(port & 1).writeElcr(value);
    else this.chip(port >> 7).write(port & 1, value);
  }

  private chip(number: number): Pic {
    return number === 0 ? this.master : this.slave;
  }

  observe(): readonly [PicObservation, PicObservation] {
    return [this.master.observe(), this.slave.observe()];
  }
}
