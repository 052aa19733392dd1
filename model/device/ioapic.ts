/** The I/O APIC: 24 inputs, each with an entry that says what message it makes. Pure. */
import { IOAPIC_VERSION } from '#spec/bare/ports.ts';

/** One redirection entry by halves. */
export type Entry = { readonly low: number; readonly high: number };
export type Ioapic = {
  readonly id: number;
  readonly select: number;
  readonly redirection: readonly Entry[];
  /** Levels of the inputs. */
  readonly line: number;
};

/** What an input sends: to whom, how, and which vector. */
export type Message = {
  readonly destination: number;
  readonly logical: boolean;
  readonly mode: number;
  readonly vector: number;
  readonly level: boolean;
};
export type IoapicStep = { readonly ioapic: Ioapic; readonly messages: readonly Message[] };

const ENTRY = { LOGICAL: 0x800, STATUS: 0x1000, REMOTE_IRR: 0x4000, LEVEL: 0x8000, MASKED: 0x10000 } as const;
/** What software may write: all but the delivery status and the remote IRR. */
const LOW_BITS = 0x1ffff & ~(ENTRY.STATUS | ENTRY.REMOTE_IRR);
const HIGH_BITS = 0xff000000;

const quiet = (ioapic: Ioapic): IoapicStep => ({ ioapic, messages: [] });

const withEntry = (a: Ioapic, pin: number, entry: Entry): Ioapic => ({
  ...a,
  redirection: a.redirection.map((each, n) => (n === pin ? entry : each)),
});

const messageOf = ({ low, high }: Entry): Message => ({
  destination: high >>> 24,
  logical: (low & ENTRY.LOGICAL) !== 0,
  mode: (low >> 8) & 7,
  vector: low & 0xff,
  level: (low & ENTRY.LEVEL) !== 0,
});

/** device/ioapic-level: a high level-triggered input sends once, and again after the end of the interrupt. */
const sendLevel = (a: Ioapic, pin: number): IoapicStep => {
  const entry = a.redirection[pin];
  if (entry.low & (ENTRY.MASKED | ENTRY.REMOTE_IRR) || ((a.line >> pin) & 1) === 0 || (entry.low & ENTRY.LEVEL) === 0) return quiet(a);
  return { ioapic: withEntry(a, pin, { ...entry, low: entry.low | ENTRY.REMOTE_IRR }), messages: [messageOf(entry)] };
};

/** device/ioapic-edge: an edge-triggered input sends when it rises; while masked, the edge is lost. */
export const setPin = (a: Ioapic, pin: number, high: boolean): IoapicStep => {
  const rises = high && ((a.line >> pin) & 1) === 0;
  const next = { ...a, line: high ? a.line | (1 << pin) : a.line & ~(1 << pin) };
  const entry = a.redirection[pin];
  if (entry.low & ENTRY.LEVEL) return sendLevel(next, pin);
  return rises && (entry.low & ENTRY.MASKED) === 0 ? { ioapic: next, messages: [messageOf(entry)] } : quiet(next);
};

/** The local APIC tells the end of a level-triggered interrupt. */
export const endOfInterrupt = (a: Ioapic, vector: number): IoapicStep =>
  a.redirection.reduce<IoapicStep>((step, entry, pin) => {
    if ((entry.low & 0xff) !== vector || (entry.low & ENTRY.REMOTE_IRR) === 0 || (entry.low & ENTRY.LEVEL) === 0) return step;
    const over = withEntry(step.ioapic, pin, { ...entry, low: entry.low & ~ENTRY.REMOTE_IRR });
    const sent = sendLevel(over, pin);
    return { ioapic: sent.ioapic, messages: [...step.messages, ...sent.messages] };
  }, quiet(a));

const [SELECT, WINDOW, EOI] = [0x00, 0x10, 0x40];
const R = { ID: 0, VERSION: 1, ARBITRATION: 2, REDIRECTION: 0x10 } as const;

const readRegister = (a: Ioapic): number => {
  switch (a.select) {
    case R.ID:
    case R.ARBITRATION:
      return a.id << 24;
    case R.VERSION:
      return IOAPIC_VERSION;
    default: {
      const entry = a.redirection[(a.select - R.REDIRECTION) >> 1];
      if (a.select < R.REDIRECTION || entry === undefined) return 0;
      return a.select & 1 ? entry.high : entry.low;
    }
  }
};

export const readIoapic = (a: Ioapic, offset: number, size: number): number => {
  if (offset === SELECT) return a.select;
  return offset === WINDOW && size === 4 ? readRegister(a) >>> 0 : 0;
};

/** A level-triggered entry keeps its remote IRR; an edge-triggered one has none. */
const writeEntry = (a: Ioapic, pin: number, upper: boolean, value: number): IoapicStep => {
  const entry = a.redirection[pin];
  if (entry === undefined) return quiet(a);
  if (upper) return sendLevel(withEntry(a, pin, { ...entry, high: (value & HIGH_BITS) >>> 0 }), pin);
  const kept = value & ENTRY.LEVEL ? entry.low & ENTRY.REMOTE_IRR : 0;
  return sendLevel(withEntry(a, pin, { ...entry, low: (value & LOW_BITS) | kept }), pin);
};

export const writeIoapic = (a: Ioapic, offset: number, size: number, value: number): IoapicStep => {
  if (offset === SELECT) return quiet({ ...a, select: value & 0xff });
  if (size !== 4) return quiet(a);
  if (offset === EOI) return endOfInterrupt(a, value & 0xff);
  if (offset !== WINDOW) return quiet(a);
  if (a.select === R.ID) return quiet({ ...a, id: (value >>> 24) & 0xf });
  return a.select < R.REDIRECTION ? quiet(a) : writeEntry(a, (a.select - R.REDIRECTION) >> 1, (a.select & 1) !== 0, value);
};
