/**
 * What the devices hold when an image is entered: as QEMU 7.2's firmware leaves a `pc`. The RTC's time and date are not here: they
 * follow from the configuration's wall clock.
 */
import type { DeviceObservation, PicObservation, PitCounterObservation } from './devices.ts';

const pic = (irr: number, base: number, imr: number, elcr: number): PicObservation => ({
  irr,
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

const counter = (mode: number, access: number, count: number, gate: boolean): PitCounterObservation => ({
  mode,
  bcd: false,
  access,
  count,
  loaded: 0,
  gate,
  latch: null,
  status_latch: null,
});

/** Equipment and the order of boot devices; sizes of memory follow from the configuration, the time from its clock. */
const FIRMWARE_CMOS: Readonly<Record<number, string>> = { 20: '06', 56: '30', 61: '12' };
const CMOS = Array.from({ length: 128 }, (_, at) => FIRMWARE_CMOS[at] ?? '00').join('');

export const AT_ENTRY: DeviceObservation = {
  // Firmware's search for serial ports leaves a request of interrupt 4 behind.
  pic: [pic(0x10, 0x08, 0xb8, 0x00), pic(0x00, 0x70, 0x8e, 0x0c)],
  // Counters 1 and 2 are as reset leaves them: no access was chosen yet.
  pit: [counter(2, 3, 65536, true), counter(3, 0, 65536, true), counter(3, 0, 65536, false)],
  speaker: 0,
  serial: { ier: 0, iir: 1, lcr: 0, mcr: 8, lsr: 0x60, msr: 0xb0, scr: 0, divisor: 12, received: [] },
  rtc: { index: 0, a: 0x26, b: 0x02, c: 0, cmos: CMOS },
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
    icr_low: 0xc4610,
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
