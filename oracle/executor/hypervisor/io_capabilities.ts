/** What a domain may use of the machine's ports and of its device memory: domain 0 nearly all, others nothing, until domain 0 says otherwise. */
import type { Ways } from '#spec/releases/changes.ts';
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
/** What later releases keep beside them: edge or level of interrupts, fast reset and A20, IGNNE, reset control. */
const ALSO_KEPT_PORTS = [
  [0x92, 0x92],
  [0xf0, 0xf0],
  [0x4d0, 0x4d1],
  [0xcf9, 0xcf9],
] as const;
/** The local APIC begins the frames of message-signalled interrupts. */
const LAST_MESSAGE_FRAME = { 'all messages': 0xfeeff, 'local APIC': 0xfee00 } as const;
/** What AMD reserves for HyperTransport. */
const HYPERTRANSPORT = [PHYSICAL_FRAMES - 0x300000, PHYSICAL_FRAMES - 1] as const;

const allBut = (last: number, kept: readonly (readonly [first: number, last: number])[]): RangeSet => {
  const set = new RangeSet([[0, last]]);
  for (const range of kept) set.remove(...range);
  return set;
};

/** `ways`: of domain 0's release; null: the domain has nothing at first. */
export const ioPortsAtFirst = (ways: Ways | null): RangeSet => {
  if (ways === null) return new RangeSet();
  const also = ways['dom0-kept_ports'] === 'devices and resets' ? ALSO_KEPT_PORTS : [];
  return allBut(MOST_PORT, [...KEPT_PORTS, ...also]);
};
export const ioFramesAtFirst = (ways: Ways | null): RangeSet =>
  ways === null ? new RangeSet() : allBut(PHYSICAL_FRAMES - 1, [[0xfee00, LAST_MESSAGE_FRAME[ways['dom0-kept_frames']]], HYPERTRANSPORT]);

/** A domain that may use any port or device memory may choose cache attributes, and flush caches. */
export const hasIo = ({ ioPorts, ioFrames }: { readonly ioPorts: RangeSet; readonly ioFrames: RangeSet }): boolean =>
  !ioPorts.isEmpty() || !ioFrames.isEmpty();
