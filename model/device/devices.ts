/** The devices of the bare machine together, and how their interrupt lines are wired. Pure. */
import { ioapicPin } from '#spec/bare/at_entry.ts';
import type { BareEvent } from '#spec/bare/machine.ts';
import { ISA_IRQ } from '#spec/bare/ports.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Ioapic, IoapicStep, Message } from './ioapic.ts';
import * as ioapic from './ioapic.ts';
import type { Lapic, LapicEffect } from './lapic.ts';
import * as lapic from './lapic.ts';
import type { Pic } from './pic.ts';
import * as pic from './pic.ts';
import type { Pit } from './pit.ts';
import * as pit from './pit.ts';
import type { Rtc } from './rtc.ts';
import * as rtc from './rtc.ts';
import type { Serial } from './serial.ts';
import * as serial from './serial.ts';

/** What a device shows to the world outside. */
export type DeviceEffect = Extract<BareEvent, { kind: 'debugcon' | 'serial' | 'exit' | 'shutdown' }>;

export type Devices = {
  /** ns since the start. */
  readonly now: number;
  readonly pic: readonly [master: Pic, slave: Pic];
  readonly pit: Pit;
  /** Port 0x61: gate of counter 2, speaker, and the bit that changes with every read. */
  readonly speaker: number;
  readonly serial: Serial;
  readonly rtc: Rtc;
  readonly lapic: Lapic;
  readonly ioapic: Ioapic;
  /** The keyboard controller waits for the value of its output port. */
  readonly outputPort: boolean;
  /** Port 0xcf9 as it was written last. */
  readonly resetControl: number;
  /** An NMI waits for the processor. */
  readonly nmi: boolean;
  /** Levels of the ISA interrupt lines, one bit each. */
  readonly lines: number;
  /** Devices that are not modelled are absent, instead of stopping the run. */
  readonly lenient: boolean;
  /** Clauses that decided something since `forgetClauses`, each once. */
  readonly cited: readonly ClauseId[];
};

/** The same devices, with clauses noted that decided what they did. */
export const citing = (d: Devices, ...clauses: readonly ClauseId[]): Devices => {
  const added = clauses.filter((clause) => !d.cited.includes(clause));
  return added.length === 0 ? d : { ...d, cited: [...d.cited, ...added] };
};
export const forgetClauses = (d: Devices): Devices => (d.cited.length === 0 ? d : { ...d, cited: [] });

const [MASTER, SLAVE, CASCADE] = [0, 1, 2];

/** Whether the pair of 8259As asks. */
export const picAsks = (d: Devices): boolean => pic.asking(d.pic[MASTER], true) !== null;

/** The slave's output is an input of the master, whose output is LINT0. */
const withPics = (d: Devices, master: Pic, slave: Pic): Devices => {
  const cascaded = pic.setLine(master, CASCADE, pic.asking(slave, false) !== null);
  const next = { ...d, pic: [cascaded, slave] as const };
  if (!picAsks(next) || picAsks(d)) return next;
  const { lapic: risen, effect } = lapic.lint0Rises(next.lapic);
  return withLapic(next, risen, effect);
};
export const changePic = (d: Devices, which: 'master' | 'slave', change: (p: Pic) => Pic): Devices =>
  which === 'master' ? withPics(d, change(d.pic[MASTER]), d.pic[SLAVE]) : withPics(d, d.pic[MASTER], change(d.pic[SLAVE]));

/** The vector of the request with the highest priority; a spurious one is input 7. */
const acknowledgePic = (before: Devices): { readonly devices: Devices; readonly vector: number } => {
  const d = citing(before, 'device/pic-priority', 'device/pic-acknowledge', 'device/pic-cascade');
  const [master, slave] = d.pic;
  const input = pic.asking(master, true);
  if (input === null) return { devices: d, vector: master.base + 7 };
  if (input !== CASCADE) return { devices: withPics(d, pic.acknowledge(master, input), slave), vector: master.base + input };
  const behind = pic.asking(slave, false);
  const taken = pic.acknowledge(master, CASCADE);
  if (behind === null) return { devices: withPics(d, taken, slave), vector: slave.base + 7 };
  // The slave's output falls with the acknowledge, so that the next request of it is an edge again.
  const lowered = pic.setLine(taken, CASCADE, false);
  return { devices: withPics(d, lowered, pic.acknowledge(slave, behind)), vector: slave.base + behind };
};

const MODE = { FIXED: 0, LOWEST: 1, NMI: 4 } as const;

const deliver = (before: Devices, message: Message): Devices => {
  const d = citing(before, message.level ? 'device/ioapic-level' : 'device/ioapic-edge', 'device/lapic-receive');
  if (!lapic.isDestination(d.lapic, message.destination, message.logical)) return d;
  switch (message.mode) {
    case MODE.FIXED:
    case MODE.LOWEST:
      return { ...d, lapic: lapic.receiveVector(d.lapic, message.vector, message.level) };
    case MODE.NMI:
      return { ...d, nmi: true };
    default:
      throw new NotModelled(`hardware/ioapic-mode_${message.mode}`);
  }
};

export const withIoapic = (d: Devices, { ioapic: next, messages }: IoapicStep): Devices => messages.reduce(deliver, { ...d, ioapic: next });

export const withLapic = (d: Devices, next: Lapic, effect: LapicEffect): Devices => {
  const changed = { ...d, lapic: next, nmi: d.nmi || effect.nmi === true };
  return effect.endOfInterrupt === undefined
    ? changed
    : withIoapic(citing(changed, 'device/lapic-eoi'), ioapic.endOfInterrupt(changed.ioapic, effect.endOfInterrupt));
};

/** An ISA interrupt line goes to the 8259As and to the I/O APIC. */
const setLine = (d: Devices, irq: number, high: boolean): Devices => {
  const bit = 1 << irq;
  if (((d.lines & bit) !== 0) === high) return d;
  const lined = { ...d, lines: high ? d.lines | bit : d.lines & ~bit };
  const piced =
    irq < 8
      ? changePic(lined, 'master', (p) => pic.setLine(p, irq, high))
      : withPics(lined, lined.pic[MASTER], pic.setLine(lined.pic[SLAVE], irq - 8, high));
  return withIoapic(piced, ioapic.setPin(piced.ioapic, ioapicPin(irq), high));
};

/** The timer's line as its OUT is now: looked at when time passes and when a count is loaded. */
export const timerSettled = (d: Devices): Devices => setLine(d, ISA_IRQ.PIT, pit.output(d.pit[0], d.now));

/** The lines of serial port and clock as they drive them now. */
export const settled = (d: Devices): Devices =>
  setLine(setLine(d, ISA_IRQ.SERIAL, serial.interrupts(d.serial)), ISA_IRQ.RTC, rtc.interrupts(d.rtc));

/** It is `now`. Edges that came between are one edge. */
export const atTime = (before: Devices, now: number): Devices => {
  const d = citing(before, 'device/time');
  const rise = pit.nextRiseTime(d.pit[0], d.now);
  const later: Devices = {
    ...d,
    now,
    rtc: rtc.atTime(d.rtc, d.now, now),
    serial: serial.atTime(d.serial, now),
    lapic: lapic.atTime(d.lapic, d.now, now),
  };
  const decided: readonly (readonly [boolean, ClauseId])[] = [
    [later.rtc !== d.rtc, 'device/rtc-interrupts'],
    [later.serial !== d.serial, 'device/serial-timeout'],
    [later.lapic !== d.lapic, 'device/lapic-timer'],
    [rise !== null && rise <= now, 'device/pit-output'],
  ];
  const noted = citing(later, ...decided.filter(([did]) => did).map(([, clause]) => clause));
  const pulsed = rise !== null && rise <= now ? setLine(setLine(noted, ISA_IRQ.PIT, false), ISA_IRQ.PIT, true) : noted;
  return settled(timerSettled(pulsed));
};

/** Bytes arrive at the serial port. */
export const receive = (d: Devices, bytes: readonly number[]): Devices =>
  settled({ ...citing(d, 'device/serial-receive'), serial: serial.receive(d.serial, bytes, d.now) });

/** Whether the processor is asked to take an interrupt. */
export const interruptRequested = (d: Devices): boolean =>
  lapic.pendingVector(d.lapic) !== null || (lapic.passesExternal(d.lapic) && picAsks(d));

/** The processor takes the interrupt: the local APIC's comes before the 8259As'. */
export const acknowledgeInterrupt = (d: Devices): { readonly devices: Devices; readonly vector: number } => {
  const vector = lapic.pendingVector(d.lapic);
  if (vector === null) return acknowledgePic(citing(d, 'device/lapic-extint'));
  return { devices: { ...citing(d, 'device/lapic-priority'), lapic: lapic.acknowledge(d.lapic, vector) }, vector };
};

export const nmiRequested = (d: Devices): boolean => d.nmi;
export const acknowledgeNmi = (d: Devices): Devices => ({ ...d, nmi: false });

/** The earliest time after now at which a device by itself raises an interrupt; null when none is armed. */
export const deadline = (d: Devices): number | null => {
  const due = [pit.nextRiseTime(d.pit[0], d.now), rtc.nextInterrupt(d.rtc, d.now), lapic.timerInterruptDue(d.lapic, d.now)].filter(
    (time) => time !== null,
  );
  return due.length === 0 ? null : Math.min(...due);
};

const APIC_BASE = { ENABLE: 0x800n, FRAME: 0xffffff000n } as const;

/** IA32_APIC_BASE was written. */
export const withApicBase = (d: Devices, base: bigint): Devices => ({
  ...citing(d, 'device/lapic-base'),
  lapic: { ...d.lapic, enabled: (base & APIC_BASE.ENABLE) !== 0n, address: Number(base & APIC_BASE.FRAME) },
});

/** CR8 is the upper half of the task priority. */
export const taskPriority = (d: Devices): number => d.lapic.tpr >> 4;
export const withTaskPriority = (d: Devices, cr8: number): Devices => ({ ...d, lapic: { ...d.lapic, tpr: cr8 << 4 } });
