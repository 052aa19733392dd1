/** The devices that lie in physical memory: the local APIC where its MSR says, and the I/O APIC. Pure. */
import { DEVICE_PAGE_BYTES, IOAPIC_ADDRESS, MEMORY_NOT_MODELLED } from '#spec/bare/ports.ts';
import { NotModelled } from '#spec/failure.ts';
import { citing, type Devices, withIoapic, withLapic } from './devices.ts';
import { readIoapic, writeIoapic } from './ioapic.ts';
import { readLapic, writeLapic } from './lapic.ts';

const offsetIn = (address: number, base: number): number | null => {
  const offset = address - base;
  return offset >= 0 && offset < DEVICE_PAGE_BYTES ? offset : null;
};
const inLapic = (d: Devices, address: number): number | null => (d.lapic.enabled ? offsetIn(address, d.lapic.address) : null);

/** Whether something other than RAM stands there (or would, were it modelled). */
export const isDeviceMemory = (d: Devices, address: number): boolean =>
  inLapic(d, address) !== null || offsetIn(address, IOAPIC_ADDRESS) !== null || missing(address) !== undefined;

const missing = (address: number) => MEMORY_NOT_MODELLED.find(([first, last]) => address >= first && address <= last);
const refuseMissing = ({ lenient }: Devices, address: number): void => {
  const found = missing(address);
  if (found && !lenient) throw new NotModelled(found[2]);
};

/** Offset of the register that sends. */
const ICR = 0x300;

type Read = { readonly devices: Devices; readonly value: number };
const NOBODY = [0, 0xff, 0xffff, 0, 0xffffffff] as const;

/** `size` 1, 2 or 4 bytes; where nothing stands, all ones. */
export const readMmio = (before: Devices, address: number, size: 1 | 2 | 4): Read => {
  refuseMissing(before, address);
  const d = citing(before, 'device/mmio-read');
  const local = inLapic(d, address);
  if (local !== null) {
    const { lapic, value } = readLapic(d.lapic, local, size, d.now);
    return { devices: { ...citing(d, 'device/lapic-registers'), lapic }, value };
  }
  const io = offsetIn(address, IOAPIC_ADDRESS);
  return { devices: d, value: io === null ? NOBODY[size] : readIoapic(d.ioapic, io, size) };
};

/** A write of 1, 2 or 4 bytes. */
export const writeMmio = (before: Devices, address: number, size: 1 | 2 | 4, value: number): Devices => {
  refuseMissing(before, address);
  const d = citing(before, 'device/mmio-write');
  const local = inLapic(d, address);
  if (local !== null) {
    const { lapic, effect } = writeLapic(d.lapic, local, size, value, d.now);
    return withLapic(local === ICR ? citing(d, 'device/lapic-icr') : citing(d, 'device/lapic-registers'), lapic, effect);
  }
  const io = offsetIn(address, IOAPIC_ADDRESS);
  return io === null ? d : withIoapic(d, writeIoapic(d.ioapic, io, size, value));
};
