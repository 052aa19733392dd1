/** Programs for the devices of the bare machine alone: accesses to ports and registers, and time. Directed at what exists, with edges. */
import fc from 'fast-check';
import { DEVICE_PAGE_BYTES, IOAPIC_ADDRESS, LAPIC_ADDRESS, PORT } from '#spec/bare/ports.ts';

export type DeviceStep =
  | { readonly kind: 'out'; readonly port: number; readonly size: 1 | 2 | 4; readonly value: number }
  | { readonly kind: 'in'; readonly port: number; readonly size: 1 | 2 | 4 }
  | { readonly kind: 'store'; readonly address: number; readonly size: 1 | 2 | 4; readonly value: number }
  | { readonly kind: 'load'; readonly address: number; readonly size: 1 | 2 | 4 }
  /** So many ns pass. */
  | { readonly kind: 'time'; readonly pass: number }
  | { readonly kind: 'receive'; readonly bytes: readonly number[] }
  /** The processor takes an interrupt if it is asked to. */
  | { readonly kind: 'acknowledge' };

const byte = fc.integer({ min: 0, max: 0xff });
const size = fc.constantFrom(1 as const, 1 as const, 1 as const, 2 as const, 4 as const);
const dword = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), byte);

const out = (port: number, value: fc.Arbitrary<number>): fc.Arbitrary<DeviceStep> =>
  value.map((chosen) => ({ kind: 'out', port, size: 1, value: chosen }));

const PIC_COMMANDS = [0x11, 0x13, 0x10, 0x20, 0x60, 0x61, 0xa0, 0xc0, 0xe1, 0x80, 0x00, 0x0a, 0x0b, 0x0c, 0x68, 0x48] as const;
const pic = fc.oneof(
  out(PORT.PIC1_COMMAND, fc.constantFrom(...PIC_COMMANDS)),
  out(PORT.PIC2_COMMAND, fc.constantFrom(...PIC_COMMANDS)),
  out(PORT.PIC1_DATA, fc.constantFrom(0x20, 0x04, 0x01, 0x03, 0x11, 0x00, 0xfe, 0xff, 0xfb)),
  out(PORT.PIC2_DATA, fc.constantFrom(0x28, 0x02, 0x01, 0x03, 0x00, 0xfe, 0xff)),
  out(PORT.ELCR1, byte),
  out(PORT.ELCR2, byte),
);

const pit = fc.oneof(
  out(PORT.PIT_CONTROL, fc.oneof(byte, fc.constantFrom(0x34, 0x36, 0x30, 0x00, 0xe2, 0xc2, 0xd2, 0x80, 0x35, 0xb6, 0x50))),
  out(PORT.PIT_COUNTER0, fc.constantFrom(0, 1, 2, 0x10, 0x99, 0xff)),
  out(PORT.PIT_COUNTER0 + 1, byte),
  out(PORT.PIT_COUNTER0 + 2, byte),
  out(PORT.SPEAKER, byte),
);

/** Gates and resets, and what keyboard drivers send. */
const control = fc.oneof(
  out(PORT.KEYBOARD_COMMAND, fc.constantFrom(0xd1, 0xdf, 0x20, 0xaa, 0xff, 0xd1)),
  out(PORT.KEYBOARD_DATA, fc.constantFrom(0xdf, 0x03, 0xdd, 0xfe)),
  out(PORT.SYSTEM_CONTROL_A, fc.constantFrom(2, 0, 1)),
  out(PORT.RESET_CONTROL, fc.constantFrom(0, 2, 6)),
);

const serial = fc.integer({ min: 0, max: 7 }).chain((register) => out(PORT.SERIAL + register, byte));

const RTC_REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0x32, 0x37, 0x15, 0x40] as const;
const rtcIndex = out(PORT.RTC_INDEX, fc.constantFrom(...RTC_REGISTERS, 0x8b));
/** Values that are dates in BCD or binary, and control bytes. */
const rtcData = out(
  PORT.RTC_DATA,
  fc.constantFrom(0, 1, 5, 9, 0x12, 0x10, 0x20, 0x02, 0x26, 0x82, 0x86, 0x42, 0x72, 0xc0, 0x07, 0x23, 0x66),
);
/** The control registers alone, so that the clock goes on running through programs that are not about dates. */
const rtcControl = fc.tuple(out(PORT.RTC_INDEX, fc.constantFrom(10, 11, 1, 3, 5)), rtcData);

const port = fc.constantFrom(
  ...[
    0x20, 0x21, 0xa0, 0xa1, 0x40, 0x41, 0x42, 0x43, 0x60, 0x61, 0x64, 0xf4, 0x1f0, 0xcf8, 0x70, 0x71, 0x92, 0xe9, 0x4d0, 0x4d1, 0xcf9, 0x80,
    0x300,
  ],
  ...[0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff],
);
const read: fc.Arbitrary<DeviceStep> = fc.oneof(
  port.map((chosen) => ({ kind: 'in', port: chosen, size: 1 }) as const),
  fc.record({ port, size }).map((chosen) => ({ kind: 'in', ...chosen }) as const),
);

const LAPIC_REGISTERS = [0x20, 0x30, 0x80, 0x90, 0xa0, 0xb0, 0xd0, 0xe0, 0xf0, 0x100, 0x1f0, 0x200, 0x270, 0x280] as const;
const LAPIC_MORE = [0x300, 0x310, 0x320, 0x330, 0x340, 0x350, 0x360, 0x370, 0x380, 0x390, 0x3e0, 0x040, 0x3f4] as const;
const lapicValue = fc.oneof(
  dword,
  fc.constantFrom(
    0x1ff,
    0xff,
    0x20041,
    0x41,
    0x10041,
    0x8700,
    0x700,
    0x45,
    0x1000,
    100,
    0xb,
    3,
    0x40051,
    0x80052,
    0x40,
    0x1000000,
    0xffffffff,
  ),
);
const ioapicValue = fc.oneof(byte, fc.constantFrom(0x51, 0x8061, 0x10051, 0x861, 0x18061, 0x1000000, 0xff000000, 0x751));
/** Offsets that drivers use, and any other. */
const place = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...LAPIC_REGISTERS, ...LAPIC_MORE).map((at) => LAPIC_ADDRESS + at) },
  { weight: 3, arbitrary: fc.constantFrom(0, 0x10, 0x40).map((at) => IOAPIC_ADDRESS + at) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: DEVICE_PAGE_BYTES - 4 }).map((at) => LAPIC_ADDRESS + at) },
);
const memorySize = fc.constantFrom(4 as const, 4 as const, 4 as const, 4 as const, 1 as const, 2 as const);

const lapicStore = fc
  .record({ at: fc.constantFrom(...LAPIC_REGISTERS, ...LAPIC_MORE), value: lapicValue })
  .map(({ at, value }): DeviceStep => ({ kind: 'store', address: LAPIC_ADDRESS + at, size: 4, value }));
/** Choose a register of the I/O APIC, and write it. */
const ioapicStores = fc
  .record({ register: fc.oneof(fc.constantFrom(0, 1, 2, 0x12, 0x14, 0x15, 0x18, 0x19, 0x20, 0x21), byte), value: ioapicValue })
  .map(({ register, value }): readonly DeviceStep[] => [
    { kind: 'store', address: IOAPIC_ADDRESS, size: 4, value: register },
    { kind: 'store', address: IOAPIC_ADDRESS + 0x10, size: 4, value },
  ]);

const time: fc.Arbitrary<DeviceStep> = fc
  .oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 70_000_000 }), fc.integer({ min: 0, max: 4_000_000_000 }))
  .map((pass) => ({ kind: 'time', pass }));

const one = (step: fc.Arbitrary<DeviceStep>): fc.Arbitrary<readonly DeviceStep[]> => step.map((s) => [s]);
const steps: fc.Arbitrary<readonly DeviceStep[]> = fc.oneof(
  { weight: 4, arbitrary: one(pic) },
  { weight: 3, arbitrary: one(pit) },
  { weight: 3, arbitrary: one(serial) },
  { weight: 1, arbitrary: one(control) },
  { weight: 1, arbitrary: fc.tuple(rtcIndex, rtcData) },
  { weight: 3, arbitrary: rtcControl },
  { weight: 1, arbitrary: fc.tuple(rtcIndex, read) },
  { weight: 4, arbitrary: one(read) },
  { weight: 4, arbitrary: one(lapicStore) },
  { weight: 3, arbitrary: ioapicStores },
  { weight: 1, arbitrary: one(fc.record({ address: place, size: memorySize, value: lapicValue }).map((s) => ({ kind: 'store', ...s }))) },
  { weight: 3, arbitrary: one(fc.record({ address: place, size: memorySize }).map((s) => ({ kind: 'load', ...s }))) },
  { weight: 5, arbitrary: one(time) },
  { weight: 2, arbitrary: one(fc.array(byte, { minLength: 1, maxLength: 18 }).map((bytes) => ({ kind: 'receive', bytes }))) },
  { weight: 3, arbitrary: one(fc.constant({ kind: 'acknowledge' })) },
);

/** A program of device accesses. */
export const devicePrograms: fc.Arbitrary<readonly DeviceStep[]> = fc
  .array(steps, { minLength: 1, maxLength: 60 })
  .map((parts) => parts.flat());
