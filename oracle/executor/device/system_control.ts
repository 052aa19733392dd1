/** What can reset a PC or close its A20 gate: the keyboard controller, port 0x92, and port 0xcf9. There is no keyboard behind it. */
import { NotModelled } from '#spec/failure.ts';

const STATUS = 0x1c;
const WRITE_OUTPUT = 0xd1;
const DISABLE_A20 = 0xdd;
const ENABLE_A20 = 0xdf;
const PULSE = 0xf0;
const RESET = 1;
const A20 = 2;
const RESET_NOW = 4;

export class SystemControl {
  /** The next byte at 0x60 goes to the output port. */
  private outputNext = false;
  private resetControl = 0;
  private readonly reset: () => void;
  private readonly lenient: boolean;

  /** @param reset resets the machine. @param lenient ignores what is not modelled. */
  constructor(reset: () => void, lenient = false) {
    this.reset = reset;
    this.lenient = lenient;
  }

  /** The A20 gate stays open: closing it stops the machine with NotModelled. */
  private setA20(open: boolean): void {
    if (!open) throw new NotModelled('hardware/a20_off');
  }

  readKeyboardStatus(): number {
    return STATUS;
  }

  command(value: number): void {
    if (value === WRITE_OUTPUT) this.outputNext = true;
    else if (value === DISABLE_A20 || value === ENABLE_A20) this.setA20(value === ENABLE_A20);
    else if (value >= PULSE) this.pulse(value);
    else if (!this.lenient) throw new NotModelled(`hardware/keyboard-${value.toString(16).padStart(2, '0')}`);
  }

  private pulse(value: number): void {
    if ((value & RESET) === 0) this.reset();
  }

  /** Port 0x60. */
  data(value: number): void {
    if (!this.outputNext) {
      if (this.lenient) return;
      throw new NotModelled('hardware/keyboard-data');
    }
    this.outputNext = false;
    this.setOutput(value, (value & RESET) === 0);
  }

  private setOutput(value: number, reset: boolean): void {
    if (reset) this.reset();
    else this.setA20((value & A20) !== 0);
  }

  /** Port 0x92. */
  readControlA(): number {
    return A20;
  }
  writeControlA(value: number): void {
    this.setOutput(value, (value & RESET) !== 0);
  }

  /** Port 0xcf9. */
  readResetControl(): number {
    return this.resetControl;
  }
  writeResetControl(value: number): void {
    this.resetControl = value & ~RESET_NOW;
    if ((value & RESET_NOW) !== 0) this.reset();
  }
}
