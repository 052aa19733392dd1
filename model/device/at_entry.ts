/** The devices as an image finds them. */
import { AT_ENTRY } from '#spec/bare/at_entry.ts';
import type { BareConfig } from '#spec/bare/machine.ts';
import { LAPIC_ADDRESS } from '#spec/bare/ports.ts';
import type { Devices } from './devices.ts';
import { settled, timerSettled } from './devices.ts';
import type { Pit } from './pit.ts';
import { cmosAtEntry } from './rtc.ts';
import { NO_VECTORS } from './vectors.ts';

const FRAME_BYTES = 4096;

export const devicesAtEntry = (config: BareConfig): Devices => {
  const { pic, pit, speaker, serial, rtc, lapic, ioapic } = AT_ENTRY;
  return timerSettled(
    settled({
      now: 0,
      pic: [
        { ...pic[0], needsIcw4: true, single: false },
        { ...pic[1], needsIcw4: true, single: false },
      ],
      pit: pit.map((counter) => ({ ...counter, low: null, second: false })) as unknown as Pit,
      speaker,
      serial: { ...serial, fifo: false, trigger: 1, sent: false, late: false, outside: [], arrived: 0 },
      rtc: {
        index: rtc.index,
        a: rtc.a,
        b: rtc.b,
        c: rtc.c,
        cmos: cmosAtEntry(config.frames * FRAME_BYTES),
        base: config.wallclock_sec,
        since: 0,
        phase: 0,
        periods: 0,
      },
      lapic: { ...lapic, enabled: true, address: LAPIC_ADDRESS, errors: 0, irr: NO_VECTORS, isr: NO_VECTORS, tmr: NO_VECTORS },
      ioapic: {
        id: ioapic.id,
        select: ioapic.select,
        redirection: ioapic.redirection.map((entry) => ({ low: Number(entry), high: 0 })),
        line: ioapic.line,
      },
      outputPort: false,
      resetControl: 0,
      nmi: false,
      lines: 0,
      lenient: config.lenient === true,
      cited: [],
    }),
  );
};
