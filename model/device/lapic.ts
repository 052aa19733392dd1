/** The local APIC of the one processor, in xAPIC mode. Pure. */
import { LAPIC_HZ } from '#spec/bare/at_entry.ts';
import { LAPIC_VERSION } from '#spec/bare/ports.ts';
import { NotModelled } from '#spec/failure.ts';
import { ticksIn } from './ticks.ts';
import { highest, type Vectors, withVector } from './vectors.ts';

export type Lapic = {
  /** IA32_APIC_BASE: frame and enable bit. */
  readonly enabled: boolean;
  readonly address: number;
  readonly id: number;
  readonly tpr: number;
  readonly svr: number;
  readonly esr: number;
  /** Errors since ESR was last written. */
  readonly errors: number;
  readonly ldr: number;
  readonly dfr: number;
  readonly irr: Vectors;
  readonly isr: Vectors;
  readonly tmr: Vectors;
  /** Timer, thermal, performance, LINT0, LINT1, error. */
  readonly lvt: readonly number[];
  readonly icr_low: number;
  readonly icr_high: number;
  readonly initial_count: number;
  readonly divide: number;
  readonly started: number | null;
};

/** What a register access, or time, asks of the rest of the machine. */
export type LapicEffect = { readonly nmi?: true; readonly endOfInterrupt?: number };
export type LapicStep = { readonly lapic: Lapic; readonly effect: LapicEffect };

const [TIMER, LINT0, ERROR_LVT] = [0, 3, 5];
const MASKED = 0x10000;
const PERIODIC = 0x20000;
const LVT_BITS: readonly number[] = [0x300ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff];
const SOFTWARE_ENABLED = 0x100;
const ERROR = { SENT_VECTOR: 0x20, RECEIVED_VECTOR: 0x40, REGISTER: 0x80 } as const;
const MODE = { FIXED: 0, LOWEST: 1, NMI: 4, EXTINT: 7 } as const;
const modeOf = (entry: number): number => (entry >> 8) & 7;

const quiet = (lapic: Lapic): LapicStep => ({ lapic, effect: {} });

/** Whether interrupts pass at all: enabled in its MSR and by software. */
export const accepts = (l: Lapic): boolean => l.enabled && (l.svr & SOFTWARE_ENABLED) !== 0;

const withError = (l: Lapic, error: number): Lapic => {
  const told = { ...l, errors: l.errors | error };
  const entry = l.lvt[ERROR_LVT];
  return entry & MASKED || (entry & 0xff) < 16 ? told : { ...told, irr: withVector(told.irr, entry & 0xff, true) };
};

/** device/lapic-receive: a vector below 16 is an error, all others wait in IRR. */
export const receiveVector = (l: Lapic, vector: number, level: boolean): Lapic => {
  if (!accepts(l)) return l;
  if (vector < 16) return withError(l, ERROR.RECEIVED_VECTOR);
  return { ...l, irr: withVector(l.irr, vector, true), tmr: withVector(l.tmr, vector, level) };
};

/** device/lapic-priority: the processor's priority, that of the task or of what is in service. */
const processorPriority = (l: Lapic): number => {
  const serving = highest(l.isr) ?? 0;
  return l.tpr >> 4 >= serving >> 4 ? l.tpr : serving & 0xf0;
};

/** The vector that would be given now; null when none is above the processor's priority. */
export const pendingVector = (l: Lapic): number | null => {
  const vector = accepts(l) ? highest(l.irr) : null;
  return vector !== null && vector >> 4 > processorPriority(l) >> 4 ? vector : null;
};

export const acknowledge = (l: Lapic, vector: number): Lapic => ({
  ...l,
  irr: withVector(l.irr, vector, false),
  isr: withVector(l.isr, vector, true),
});

/** device/lapic-extint: whether the 8259A's interrupts reach the processor: past a disabled APIC, or through LINT0. */
export const passesExternal = (l: Lapic): boolean => !l.enabled || ((l.lvt[LINT0] & MASKED) === 0 && modeOf(l.lvt[LINT0]) === MODE.EXTINT);

/** The 8259A's output rises: LINT0 makes it a vector, or an NMI; in ExtINT mode the processor asks the 8259A. */
export const lint0Rises = (l: Lapic): LapicStep => {
  const entry = l.lvt[LINT0];
  const mode = modeOf(entry);
  if (entry & MASKED || !accepts(l) || mode === MODE.EXTINT) return quiet(l);
  if (mode === MODE.NMI) return { lapic: l, effect: { nmi: true } };
  if (mode !== MODE.FIXED) throw new NotModelled(`hardware/lapic_lvt-${mode}`);
  return quiet(receiveVector(l, entry & 0xff, false));
};

/** Ticks of the timer's input after which it counts one: 2 4 8 … 128, 1. */
const dividerOf = ({ divide }: Lapic): number => 1 << ((((divide & 3) | ((divide >> 1) & 4)) + 1) & 7);
const counted = (l: Lapic, started: number, now: number): number => Math.floor(ticksIn(now - started, LAPIC_HZ) / dividerOf(l));

const currentCount = (l: Lapic, now: number): number => {
  if (l.started === null || l.initial_count === 0) return 0;
  const d = counted(l, l.started, now);
  if (l.lvt[TIMER] & PERIODIC) return l.initial_count - (d % l.initial_count);
  return Math.max(0, l.initial_count - d);
};

/** When the timer ends its present count. */
export const timerDue = (l: Lapic, now: number): number | null => {
  if (l.started === null || l.initial_count === 0) return null;
  const done = l.lvt[TIMER] & PERIODIC ? Math.floor(counted(l, l.started, now) / l.initial_count) : 0;
  return l.started + (done + 1) * l.initial_count * dividerOf(l);
};

/** The next time at which the timer interrupts. */
export const timerInterruptDue = (l: Lapic, now: number): number | null => (l.lvt[TIMER] & MASKED || !accepts(l) ? null : timerDue(l, now));

/** device/lapic-timer: counts that ended after `was`, up to `now`, make one interrupt. */
export const atTime = (l: Lapic, was: number, now: number): Lapic => {
  const due = timerDue(l, was);
  if (due === null || due > now) return l;
  const over = l.lvt[TIMER] & PERIODIC ? l : { ...l, started: null };
  return l.lvt[TIMER] & MASKED ? over : receiveVector(over, l.lvt[TIMER] & 0xff, false);
};

/** device/lapic-eoi: the highest vector in service is done; a level-triggered one is told to the I/O APIC. */
const endOfInterrupt = (l: Lapic): LapicStep => {
  const vector = highest(l.isr);
  if (vector === null) return quiet(l);
  const level = ((l.tmr[vector >> 5] >>> (vector & 31)) & 1) !== 0;
  const lapic = { ...l, isr: withVector(l.isr, vector, false) };
  return level ? { lapic, effect: { endOfInterrupt: vector } } : quiet(lapic);
};

/** Whether a message for `destination` is for this one processor. */
export const isDestination = (l: Lapic, destination: number, logical: boolean): boolean => {
  if (!logical) return destination === 0xff || destination === l.id;
  if (l.dfr >>> 28 === 0xf) return (l.ldr & destination) !== 0;
  return destination >> 4 === 0xf || (destination >> 4 === l.ldr >> 4 && (destination & l.ldr & 0xf) !== 0);
};

const LEVEL = 0x8000;
const SHORTHAND = { NONE: 0, SELF: 1, ALL: 2, OTHERS: 3 } as const;

/** device/lapic-icr: an interrupt between processors, of which there is one. */
const send = (l: Lapic, low: number): LapicStep => {
  const sent = { ...l, icr_low: low & 0xccfff };
  const shorthand = (low >> 18) & 3;
  const toSelf =
    shorthand === SHORTHAND.SELF ||
    shorthand === SHORTHAND.ALL ||
    (shorthand === SHORTHAND.NONE && isDestination(l, l.icr_high >>> 24, (low & 0x800) !== 0));
  const mode = modeOf(low);
  if (mode !== MODE.FIXED && mode !== MODE.LOWEST && mode !== MODE.NMI) throw new NotModelled(`hardware/lapic_icr-${mode}`);
  if (mode === MODE.NMI) return { lapic: sent, effect: toSelf ? { nmi: true } : {} };
  if ((low & 0xff) < 16) return quiet(withError(sent, ERROR.SENT_VECTOR));
  return quiet(toSelf ? receiveVector(sent, low & 0xff, (low & LEVEL) !== 0) : sent);
};

const R = {
  ID: 2,
  VERSION: 3,
  TPR: 8,
  APR: 9,
  PPR: 10,
  EOI: 11,
  LDR: 13,
  DFR: 14,
  SVR: 15,
  ISR: 16,
  TMR: 24,
  IRR: 32,
  ESR: 40,
  ICR_LOW: 48,
  ICR_HIGH: 49,
  LVT: 50,
  INITIAL: 56,
  CURRENT: 57,
  DIVIDE: 62,
} as const;

const readRegister = (l: Lapic, r: number, now: number): number | null => {
  if (r >= R.ISR && r < R.TMR) return l.isr[r - R.ISR];
  if (r >= R.TMR && r < R.IRR) return l.tmr[r - R.TMR];
  if (r >= R.IRR && r < R.ESR) return l.irr[r - R.IRR];
  if (r >= R.LVT && r < R.INITIAL) return l.lvt[r - R.LVT];
  switch (r) {
    case R.ID:
      return l.id << 24;
    case R.VERSION:
      return LAPIC_VERSION;
    case R.TPR:
      return l.tpr;
    case R.PPR:
      return processorPriority(l);
    case R.APR:
    case R.EOI:
      return 0;
    case R.LDR:
      return l.ldr << 24;
    case R.DFR:
      return l.dfr;
    case R.SVR:
      return l.svr;
    case R.ESR:
      return l.esr;
    case R.ICR_LOW:
      return l.icr_low;
    case R.ICR_HIGH:
      return l.icr_high;
    case R.INITIAL:
      return l.initial_count;
    case R.CURRENT:
      return currentCount(l, now);
    case R.DIVIDE:
      return l.divide;
    default:
      return null;
  }
};

/** device/lapic-registers: registers lie 16 bytes apart, and only whole dwords are read and written. */
export const readLapic = (l: Lapic, offset: number, size: number, now: number): { readonly lapic: Lapic; readonly value: number } => {
  if (size !== 4 || offset & 15) return { lapic: l, value: 0 };
  const value = readRegister(l, offset >> 4, now);
  return value === null ? { lapic: withError(l, ERROR.REGISTER), value: 0 } : { lapic: l, value: value >>> 0 };
};

/** Software disabling sets all masks, and holds them. */
const writeSvr = (l: Lapic, value: number): Lapic => {
  const svr = value & 0x1ff;
  return svr & SOFTWARE_ENABLED ? { ...l, svr } : { ...l, svr, lvt: l.lvt.map((entry) => entry | MASKED) };
};

const writeLvt = (l: Lapic, n: number, value: number): Lapic => {
  const forced = l.svr & SOFTWARE_ENABLED ? 0 : MASKED;
  return { ...l, lvt: l.lvt.map((entry, at) => (at === n ? (value & LVT_BITS[n]) | forced : entry)) };
};

const writeRegister = (l: Lapic, r: number, value: number, now: number): LapicStep => {
  if (r >= R.LVT && r < R.INITIAL) return quiet(writeLvt(l, r - R.LVT, value));
  switch (r) {
    case R.ID:
      return quiet({ ...l, id: value >>> 24 });
    case R.TPR:
      return quiet({ ...l, tpr: value & 0xff });
    case R.EOI:
      return endOfInterrupt(l);
    case R.LDR:
      return quiet({ ...l, ldr: value >>> 24 });
    case R.DFR:
      return quiet({ ...l, dfr: (value | 0x0fffffff) >>> 0 });
    case R.SVR:
      return quiet(writeSvr(l, value));
    case R.ESR:
      return quiet({ ...l, esr: l.errors, errors: 0 });
    case R.ICR_LOW:
      return send(l, value);
    case R.ICR_HIGH:
      return quiet({ ...l, icr_high: (value & 0xff000000) >>> 0 });
    case R.INITIAL:
      return quiet({ ...l, initial_count: value >>> 0, started: value === 0 ? null : now });
    case R.DIVIDE:
      return quiet({ ...l, divide: value & 0xb });
    default:
      return quiet(readRegister(l, r, now) === null ? withError(l, ERROR.REGISTER) : l);
  }
};

export const writeLapic = (l: Lapic, offset: number, size: number, value: number, now: number): LapicStep =>
  size !== 4 || offset & 15 ? quiet(l) : writeRegister(l, offset >> 4, value, now);
