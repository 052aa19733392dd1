/** The register file, and the fault that an instruction ended in. */
import { CR0 as CR0_BITS, CR4 as CR4_BITS } from '#spec/isa/x86/control_registers.ts';
import { Environment } from '../fp/environment.ts';
import { getFlags, setFlags } from './flags.ts';
import { CR0, CR4, FS_BASE, GS_BASE, PAGE, REGISTER_FILE } from './layout.ts';
import type { RegisterFile } from './register_file.ts';
import { resetRegisters } from './reset.ts';

/** Thrown to leave an instruction; which fault it was stands in the CPU. */
export const FAULT = Symbol('fault');

const whole = (lo: number, hi: number): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

export class Registers implements RegisterFile {
  readonly s = new Int32Array(REGISTER_FILE);
  readonly s8 = new Uint8Array(this.s.buffer);
  readonly s16 = new Uint16Array(this.s.buffer);
  /** The same as numbers of other types: elements of vectors. */
  readonly i8 = new Int8Array(this.s.buffer);
  readonly i16 = new Int16Array(this.s.buffer);
  readonly u32 = new Uint32Array(this.s.buffer);
  readonly u64 = new BigUint64Array(this.s.buffer);
  readonly f32 = new Float32Array(this.s.buffer);
  readonly f64 = new Float64Array(this.s.buffer);
  /** What floating-point instructions are carried out under. */
  readonly fp = new Environment();
  /** Segment registers by the encoding's number, then LDTR and TR. */
  readonly selectors = new Uint16Array(8);
  /** Model-specific registers that have no place of their own, by number; absent: 0. */
  readonly msrs = new Map<number, bigint>();
  /** Upper half of the 64-bit value that a function just returned. */
  high = 0;
  /** Selector of the far pointer that a function just read. */
  far = 0;
  /** RIP is PAGE plus this between instructions. */
  offset = 0;
  faultVector = 0;
  faultError: number | null = null;
  faultAddress: bigint | null = null;

  constructor() {
    resetRegisters(this);
  }

  /** Leave the instruction with an exception. */
  fault(vector: number, error: number | null): never {
    this.faultVector = vector;
    this.faultError = error;
    this.faultAddress = null;
    throw FAULT;
  }

  /** A page fault (`vector`) at address `hi:lo`. */
  faultAt(vector: number, error: number, lo: number, hi: number): never {
    this.faultVector = vector;
    this.faultError = error;
    this.faultAddress = whole(lo, hi);
    throw FAULT;
  }

  /** A guest of Xen's own CR0.TS; the processor's is set also while its x87, MMX and SSE registers are not in the processor. */
  guestTaskSwitched = false;
  fpuLoaded = true;

  /** CR0.TS. */
  get taskSwitched(): boolean {
    return (this.s[CR0] & CR0_BITS.TS) !== 0;
  }
  set taskSwitched(value: boolean) {
    this.s[CR0] = value ? this.s[CR0] | CR0_BITS.TS : this.s[CR0] & ~CR0_BITS.TS;
  }

  /** CR4.FSGSBASE. */
  get basesByInstruction(): boolean {
    return (this.s[CR4] & CR4_BITS.FSGSBASE) !== 0;
  }
  set basesByInstruction(value: boolean) {
    this.s[CR4] = value ? this.s[CR4] | CR4_BITS.FSGSBASE : this.s[CR4] & ~CR4_BITS.FSGSBASE;
  }

  gpr(register: number): bigint {
    return this.pair(2 * register);
  }
  setGpr(register: number, value: bigint): void {
    this.setPair(2 * register, value);
  }
  gprLo(register: number): number {
    return this.s[2 * register];
  }
  gprHi(register: number): number {
    return this.s[2 * register + 1];
  }
  setGprHalves(register: number, lo: number, hi: number): void {
    this.s[2 * register] = lo;
    this.s[2 * register + 1] = hi;
  }

  get rip(): bigint {
    return BigInt.asUintN(64, this.pair(PAGE) + BigInt(this.offset));
  }
  set rip(value: bigint) {
    this.setPair(PAGE, value & ~0xfffn);
    this.offset = Number(value & 0xfffn);
  }
  ripLo(): number {
    return this.s[PAGE] + this.offset;
  }
  ripHi(): number {
    return this.s[PAGE + 1];
  }
  setRipHalves(lo: number, hi: number): void {
    this.s[PAGE] = lo & ~0xfff;
    this.s[PAGE + 1] = hi;
    this.offset = lo & 0xfff;
  }
  get flags(): number {
    return getFlags(this);
  }
  set flags(value: number) {
    setFlags(this, value);
    this.flagsChanged();
  }
  /** The flags other than the arithmetic ones have been written. */
  protected flagsChanged(): void {}
  get rflags(): bigint {
    return BigInt(getFlags(this) >>> 0);
  }
  set rflags(value: bigint) {
    this.flags = Number(BigInt.asIntN(32, value));
  }
  get fsBase(): bigint {
    return this.pair(FS_BASE);
  }
  set fsBase(value: bigint) {
    this.setPair(FS_BASE, value);
  }
  get gsBase(): bigint {
    return this.pair(GS_BASE);
  }
  set gsBase(value: bigint) {
    this.setPair(GS_BASE, value);
  }
  selector(segment: number): number {
    return this.selectors[segment];
  }
  setSelector(segment: number, value: number): void {
    this.selectors[segment] = value;
  }

  /** The 64-bit value at a place of the register file. */
  pair(at: number): bigint {
    return whole(this.s[at], this.s[at + 1]);
  }
  setPair(at: number, value: bigint): void {
    this.s[at] = Number(BigInt.asIntN(32, value));
    this.s[at + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }
}
