/** The devices as comparisons see them (spec/bare/devices.ts). */
import type { DeviceObservation, PicObservation, PitCounterObservation } from '#spec/bare/devices.ts';
import type { Devices } from './devices.ts';
import type { Pic } from './pic.ts';
import type { Counter } from './pit.ts';
import { shownCmos } from './rtc.ts';
import { vectorsText } from './vectors.ts';

const picOf = ({ needsIcw4: _, single: __, ...seen }: Pic): PicObservation => seen;
const counterOf = ({ low: _, second: __, ...seen }: Counter): PitCounterObservation => seen;
const byteText = (byte: number): string => byte.toString(16).padStart(2, '0');

export const observeDevices = (d: Devices): DeviceObservation => {
  const { fifo: _, trigger: __, sent: ___, late: ____, arrived: _____, outside, ...serial } = d.serial;
  const { enabled: _e, address: _a, errors: _r, irr, isr, tmr, ...lapic } = d.lapic;
  const { index, a, b, c } = d.rtc;
  return {
    pic: [picOf(d.pic[0]), picOf(d.pic[1])],
    pit: [counterOf(d.pit[0]), counterOf(d.pit[1]), counterOf(d.pit[2])],
    speaker: d.speaker,
    serial: { ...serial, received: [...serial.received, ...outside] },
    rtc: { index, a, b, c, cmos: shownCmos(d.rtc, d.now).map(byteText).join('') },
    lapic: { ...lapic, ldr: (lapic.ldr << 24) >>> 0, irr: vectorsText(irr), isr: vectorsText(isr), tmr: vectorsText(tmr) },
    ioapic: {
      id: d.ioapic.id,
      select: d.ioapic.select,
      redirection: d.ioapic.redirection.map(({ low, high }) => `0x${((BigInt(high) << 32n) | BigInt(low)).toString(16)}`),
      line: d.ioapic.line,
    },
    a20: true,
  };
};
