/** What a domain may use of the machine's devices: ports, and frames of their memory. Chapter: spec/chapters/host.md. */
import { IOMEM_DENIED, IOMEM_FRAMES } from '#spec/abi/iomem.ts';
import { IO_PORTS } from '#spec/abi/physdev.ts';
import type { Domain } from '../domain.ts';
import { findDomain } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { containsRange, type Range, type Rangeset, removeRange } from '../rangeset.ts';

/** Kept by Xen from domain 0: interrupt controllers, timer, speaker, serial line, ACPI timer, configuration of PCI. */
const KEPT_PORTS: readonly Range[] = [
  [0x20, 0x21],
  [0xa0, 0xa1],
  [0x40, 0x43],
  [0x61, 0x61],
  [0x3f8, 0x3ff],
  [0x608, 0x60b],
  [0xcfc, 0xcff],
];

const without = (all: Range, kept: readonly Range[]): Rangeset => kept.reduce<Rangeset>(removeRange, [all]);
const NOTHING: Rangeset = [];
const DOM0_PORTS = without([0, IO_PORTS - 1], KEPT_PORTS);
const DOM0_FRAMES = without([0, IOMEM_FRAMES - 1], IOMEM_DENIED);

export const ioportCaps = ({ domid, ioports }: Domain): Rangeset => ioports ?? (domid === 0 ? DOM0_PORTS : NOTHING);
export const iomemCaps = ({ domid, iomem }: Domain): Rangeset => iomem ?? (domid === 0 ? DOM0_FRAMES : NOTHING);

/** Whether the domain may use all ports from the first to the last. Numbers that stand for no domain may nothing. */
export const mayUsePorts = (machine: Machine, domid: number, first: number, last: number): boolean => {
  const domain = findDomain(machine, domid);
  return domain !== undefined && containsRange(ioportCaps(domain), [first, last]);
};

export const mayMapIo = (machine: Machine, domid: number, mfn: number): boolean => {
  const domain = findDomain(machine, domid);
  return domain !== undefined && containsRange(iomemCaps(domain), [mfn, mfn]);
};

/** Whoever has a port or a frame has rights on caches, and to larger extents, too. */
export const mayUseDevices = (machine: Machine, domid: number): boolean => {
  const domain = findDomain(machine, domid);
  return domain !== undefined && (ioportCaps(domain).length > 0 || iomemCaps(domain).length > 0);
};
