/** What a domain may use of the machine's ports and of its device memory: domain 0 nearly all, others nothing, until domain 0 says otherwise. */
import { RangeSet } from './range_set.ts';

const MOST_PORT = 0xffff;
/** Frames of 40-bit physical addresses. */
export const PHYSICAL_FRAMES: number = 2 ** 28;

/** Kept from domain 0 as well: interrupt controllers, timer, speaker, Xen's own serial port, the timer of power management, PCI data. */
const KEPT_PORTS = [
  [0x20, 0x21],
  [0xa0, 0xa1],
  [0x40, 0x43],
  [0x61, 0x61],
  [0x3f8, 0x3ff],
  [0x608, 0x60b],
  [0xcfc, 0xcff],
] as const;
/** Local APIC and message-signalled interrupts, and what AMD reserves for HyperTransport. */
const KEPT_FRAMES = [
  [0xfee00, 0xfeeff],
  [PHYSICAL_FRAMES - 0x300000, PHYSICAL_FRAMES - 1],
] as const;

const allBut = (last: number, kept: readonly (readonly [first: number, last: number])[]): RangeSet => {
  const set = new RangeSet([[0, last]]);
  for (const range of kept) set.remove(...range);
  return set;
};

export const ioPortsAtFirst = (privileged: boolean): RangeSet => (privileged ? allBut(MOST_PORT, KEPT_PORTS) : new RangeSet());
export const ioFramesAtFirst = (privileged: boolean): RangeSet => (privileged ? allBut(PHYSICAL_FRAMES - 1, KEPT_FRAMES) : new RangeSet());

/** A domain that may use any port or device memory may choose cache attributes, and flush caches. */
export const hasIo = ({ ioPorts, ioFrames }: { readonly ioPorts: RangeSet; readonly ioFrames: RangeSet }): boolean =>
  !ioPorts.isEmpty() || !ioFrames.isEmpty();
