/**
 * What the devices hold when an image is entered: as QEMU 7.2's firmware leaves a `pc`. The RTC's time and date are not here: they
 * follow from the configuration's wall clock.
 */
import type { DeviceObservation, PicObservation, PitCounterObservation } from './devices.ts';

const pic = (base: number, imr: number, elcr: number): PicObservation => ({
  irr: 0,
  isr: 0,
  imr,
  line: 0,
  base,
  elcr,
  priority: 0,
  auto_eoi: false,
  rotate_on_auto_eoi: false,
  read_isr: false,
  special_mask: false,
  poll: false,
  nested: false,
  init: 0,
});

const counter = (mode: number, count: number, gate: boolean): PitCounterObservation => ({
  mode,
  bcd: false,
  access: 3,
  count,
  loaded: 0,
  gate,
  latch: null,
  status_latch: null,
});

export const AT_ENTRY: DeviceObservation = {
  pic: [pic(0x08, 0xb8, 0x00), pic(0x70, 0x8f, 0x0c)],
  pit: [counter(2, 65536, true), counter(2, 65536, true), counter(2, 65536, false)],
  speaker: 0,
  serial: { ier: 0, iir: 1, lcr: 3, mcr: 0, lsr: 0x60, msr: 0xb0, scr: 0, divisor: 12, received: [] },
  rtc: { index: 0, a: 0x26, b: 0x02, c: 0, cmos: '00'.repeat(128) },
  lapic: {
    id: 0,
    tpr: 0,
    svr: 0x1ff,
    esr: 0,
    ldr: 0,
    dfr: 0xffffffff,
    irr: '0'.repeat(64),
    isr: '0'.repeat(64),
    tmr: '0'.repeat(64),
    lvt: [0x10000, 0x10000, 0x10000, 0x8700, 0x8400, 0x10000],
    icr_low: 0,
    icr_high: 0,
    initial_count: 0,
    divide: 0,
    started: null,
  },
  ioapic: { id: 0, select: 0, redirection: new Array<string>(24).fill('0x10000'), line: 0 },
  a20: true,
};

/** Frequencies in Hz: the 8254's input, the RTC's crystal, the local APIC timer's input before its divider. */
export const PIT_HZ = 1193182;
export const RTC_HZ = 32768;
export const LAPIC_HZ = 1_000_000_000;

/** I/O APIC input of each ISA interrupt: the timer comes in at 2. */
export const ioapicPin = (irq: number): number => (irq === 0 ? 2 : irq);
