/** The local APIC in xAPIC mode, for one processor: what becomes of vectors until the processor takes them. */
import { AT_ENTRY } from '#spec/bare/at_entry.ts';
import type { LapicObservation } from '#spec/bare/devices.ts';
import { LAPIC_VERSION } from '#spec/bare/ports.ts';
import { NotModelled } from '#spec/failure.ts';
import { LapicTimer } from './lapic_timer.ts';
import { VectorSet } from './vector_set.ts';

/** Delivery modes. */
const FIXED = 0;
const LOWEST = 1;
const NMI = 4;
const EXTINT = 7;

const MASKED = 0x10000;
const LEVEL = 0x8000;
const ENABLED = 0x100;
const PERIODIC = 0x20000;

/** Local vector table: timer, thermal, performance, LINT0, LINT1, error; and which bits each has. */
const TIMER = 0;
const LINT0 = 3;
const LVT_BITS = [0x300ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff] as const;
const ERROR = 5;

const ESR = { SENT: 0x20, RECEIVED: 0x40, ADDRESS: 0x80 } as const;
/** Lower vectors belong to exceptions. */
const LOWEST_VECTOR = 16;

const REGISTER = {
  ID: 0x02,
  VERSION: 0x03,
  TPR: 0x08,
  APR: 0x09,
  PPR: 0x0a,
  EOI: 0x0b,
  LDR: 0x0d,
  DFR: 0x0e,
  SVR: 0x0f,
  ISR: 0x10,
  TMR: 0x18,
  IRR: 0x20,
  ESR: 0x28,
  ICR_LOW: 0x30,
  ICR_HIGH: 0x31,
  LVT: 0x32,
  INITIAL: 0x38,
  CURRENT: 0x39,
  DIVIDE: 0x3e,
} as const;

export class Lapic {
  private id = AT_ENTRY.lapic.id;
  private tpr = AT_ENTRY.lapic.tpr;
  private svr = AT_ENTRY.lapic.svr;
  private esr = AT_ENTRY.lapic.esr;
  /** Errors since the error register was last written. */
  private errors = 0;
  private ldr = AT_ENTRY.lapic.ldr;
  private dfr = AT_ENTRY.lapic.dfr;
  private readonly irr = new VectorSet();
  private readonly isr = new VectorSet();
  private readonly tmr = new VectorSet();
  private readonly lvt: number[] = [...AT_ENTRY.lapic.lvt];
  private icrLow = AT_ENTRY.lapic.icr_low;
  private icrHigh = AT_ENTRY.lapic.icr_high;
  private readonly timer = new LapicTimer();
  private lint0 = false;
  private readonly nmi: () => void;
  private readonly broadcastEoi: (vector: number) => void;

  /** @param nmi makes an NMI pending. @param broadcastEoi tells the I/O APIC of the end of a level-triggered interrupt. */
  constructor(nmi: () => void, broadcastEoi: (vector: number) => void) {
    this.nmi = nmi;
    this.broadcastEoi = broadcastEoi;
  }

  private get enabled(): boolean {
    return (this.svr & ENABLED) !== 0;
  }

  /** Vector that the processor would be given now, or null. */
  get requested(): number | null {
    const vector = this.irr.highest();
    return this.enabled && vector !== null && vector >> 4 > this.ppr >> 4 ? vector : null;
  }

  /** The processor takes the vector that `requested` told. */
  acknowledge(vector: number): void {
    this.irr.clear(vector);
    this.isr.set(vector);
  }

  /** Whether LINT0 passes the PIC's interrupts through. */
  get passesPic(): boolean {
    return (this.lvt[LINT0] & MASKED) === 0 && ((this.lvt[LINT0] >> 8) & 7) === EXTINT;
  }

  /** The level of LINT0, which is the PIC's output. */
  setLint0(level: boolean): void {
    const rose = level && !this.lint0;
    this.lint0 = level;
    if (rose) this.local(LINT0);
  }

  /** An interrupt from the bus, for the destination `to` (`logical` or physical). Returns whether it was for this one. */
  receive(mode: number, vector: number, level: boolean, to: number, logical: boolean): boolean {
    if (!this.isMeant(to, logical)) return false;
    this.accept(mode, vector, level);
    return true;
  }

  private isMeant(to: number, logical: boolean): boolean {
    if (!logical) return to === this.id || to === 0xff;
    const own = this.ldr >>> 24;
    if (this.dfr >>> 28 === 0xf) return (to & own) !== 0;
    return to >> 4 === own >> 4 && (to & own & 0xf) !== 0;
  }

  private accept(mode: number, vector: number, level: boolean): void {
    if (mode === NMI) this.nmi();
    else if (vector < LOWEST_VECTOR) this.error(ESR.RECEIVED);
    else if (this.enabled) {
      this.irr.set(vector);
      if (level) this.tmr.set(vector);
      else this.tmr.clear(vector);
    }
  }

  private error(bit: number): void {
    const known = (this.errors & bit) !== 0;
    this.errors |= bit;
    if (!known) this.local(ERROR);
  }

  /** An event of the local vector table. */
  private local(entry: number): void {
    const lvt = this.lvt[entry];
    if ((lvt & MASKED) !== 0) return;
    const mode = entry === TIMER || entry === ERROR ? FIXED : (lvt >> 8) & 7;
    if (mode === FIXED || mode === NMI) this.accept(mode, lvt & 0xff, false);
    else if (mode !== EXTINT) throw new NotModelled(`hardware/lapic_lvt-${mode}`);
  }

  private get ppr(): number {
    const served = (this.isr.highest() ?? 0) & 0xf0;
    return this.tpr >> 4 >= served >> 4 ? this.tpr : served;
  }

  /** CR8: the upper half of the task priority. */
  get priority(): number {
    return this.tpr >> 4;
  }
  set priority(value: number) {
    this.tpr = value << 4;
  }

  private get periodic(): boolean {
    return (this.lvt[TIMER] & PERIODIC) !== 0;
  }

  /** Time passes from `before` to `now`. */
  advance(before: number, now: number): void {
    const at = this.timer.next(before, this.periodic);
    if (at === null || at > now) return;
    this.local(TIMER);
    this.timer.passed(this.periodic);
  }

  /** When the timer next raises its interrupt. */
  deadline(now: number): number | null {
    return (this.lvt[TIMER] & MASKED) === 0 && this.enabled ? this.timer.next(now, this.periodic) : null;
  }

  /** The register at an offset of the page; only aligned dwords answer. */
  read(offset: number, size: number, now: number): number {
    if (size !== 4 || (offset & 0xf) !== 0) return 0;
    const register = offset >> 4;
    if (register >= REGISTER.LVT && register < REGISTER.LVT + this.lvt.length) return this.lvt[register - REGISTER.LVT];
    if (register >= REGISTER.ISR && register < REGISTER.ESR) return this.readSet(register);
    switch (register) {
      case REGISTER.ID:
        return (this.id << 24) >>> 0;
      case REGISTER.VERSION:
        return LAPIC_VERSION;
      case REGISTER.TPR:
        return this.tpr;
      case REGISTER.APR:
      case REGISTER.EOI:
        return 0;
      case REGISTER.PPR:
        return this.ppr;
      case REGISTER.LDR:
        return this.ldr;
      case REGISTER.DFR:
        return this.dfr;
      case REGISTER.SVR:
        return this.svr;
      case REGISTER.ESR:
        return this.esr;
      case REGISTER.ICR_LOW:
        return this.icrLow;
      case REGISTER.ICR_HIGH:
        return this.icrHigh;
      case REGISTER.INITIAL:
        return this.timer.initial;
      case REGISTER.CURRENT:
        return this.timer.current(now, this.periodic);
      case REGISTER.DIVIDE:
        return this.timer.divide;
      default:
        this.error(ESR.ADDRESS);
        return 0;
    }
  }

  private readSet(register: number): number {
    const set = register < REGISTER.TMR ? this.isr : register < REGISTER.IRR ? this.tmr : this.irr;
    return set.word(register & 7);
  }

  write(offset: number, size: number, value: number, now: number): void {
    if (size !== 4 || (offset & 0xf) !== 0) return;
    const register = offset >> 4;
    if (register >= REGISTER.LVT && register < REGISTER.LVT + this.lvt.length) this.writeLvt(register - REGISTER.LVT, value);
    else if (register === REGISTER.ID) this.id = value >>> 24;
    else if (register === REGISTER.TPR) this.tpr = value & 0xff;
    else if (register === REGISTER.EOI) this.endOfInterrupt();
    else if (register === REGISTER.LDR) this.ldr = (value & 0xff000000) >>> 0;
    else if (register === REGISTER.DFR) this.dfr = (value | 0xfffffff) >>> 0;
    else if (register === REGISTER.SVR) this.writeSvr(value & 0x1ff);
    else if (register === REGISTER.ESR) this.latchErrors();
    else if (register === REGISTER.ICR_LOW) this.send(value >>> 0);
    else if (register === REGISTER.ICR_HIGH) this.icrHigh = (value & 0xff000000) >>> 0;
    else if (register === REGISTER.INITIAL) this.timer.start(value >>> 0, now);
    else if (register === REGISTER.DIVIDE) this.timer.divide = value & 0xb;
    else if (!this.isReadOnly(register)) this.error(ESR.ADDRESS);
  }

  private isReadOnly(register: number): boolean {
    const { VERSION, APR, PPR, CURRENT, ISR, ESR: AFTER_SETS } = REGISTER;
    return [VERSION, APR, PPR, CURRENT].some((known) => known === register) || (register >= ISR && register < AFTER_SETS);
  }

  private writeLvt(entry: number, value: number): void {
    this.lvt[entry] = (value & LVT_BITS[entry]) | (this.enabled ? 0 : MASKED);
  }

  private writeSvr(value: number): void {
    this.svr = value;
    if (!this.enabled) for (const entry of this.lvt.keys()) this.lvt[entry] |= MASKED;
  }

  private latchErrors(): void {
    this.esr = this.errors;
    this.errors = 0;
  }

  private endOfInterrupt(): void {
    const vector = this.isr.highest();
    if (vector === null) return;
    this.isr.clear(vector);
    if (this.tmr.has(vector)) this.broadcastEoi(vector);
  }

  /** A write to ICR's low half sends it. There is nobody else to receive. */
  private send(value: number): void {
    // Without bit 12, delivery status, which is never seen busy.
    this.icrLow = value & 0xccfff;
    const mode = (value >> 8) & 7;
    const vector = value & 0xff;
    if (mode !== FIXED && mode !== LOWEST && mode !== NMI) throw new NotModelled(`hardware/lapic_icr-${mode}`);
    if (mode !== NMI && vector < LOWEST_VECTOR) {
      this.error(ESR.SENT);
      return;
    }
    const shorthand = (value >> 18) & 3;
    const logical = (value & 0x800) !== 0;
    if (shorthand === 1 || shorthand === 2 || (shorthand === 0 && this.isMeant(this.icrHigh >>> 24, logical)))
      this.accept(mode, vector, (value & LEVEL) !== 0);
  }

  observe(): LapicObservation {
    const { id, tpr, svr, esr, ldr, dfr, irr, isr, tmr, icrLow, icrHigh, timer } = this;
    return {
      id,
      tpr,
      svr,
      esr,
      ldr,
      dfr,
      irr: irr.text(),
      isr: isr.text(),
      tmr: tmr.text(),
      lvt: [...this.lvt],
      icr_low: icrLow,
      icr_high: icrHigh,
      initial_count: timer.initial,
      divide: timer.divide,
      started: timer.started,
    };
  }
}
