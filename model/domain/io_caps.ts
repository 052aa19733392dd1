/** What a domain may use of the machine's devices: ports, and frames of their memory. Chapter: spec/chapters/host.md. */
import { IOMEM_FRAMES, IOMEM_HYPERTRANSPORT, IOMEM_MESSAGES } from '#spec/abi/iomem.ts';
import { IO_PORTS } from '#spec/abi/physdev.ts';
import { waysOf } from '#spec/releases/changes.ts';
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
/** Where the release keeps these as well: how interrupts are triggered, resets, address line 20, errors of the x87. */
const KEPT_RESETS: readonly Range[] = [
  [0x92, 0x92],
  [0xf0, 0xf0],
  [0x4d0, 0x4d1],
  [0xcf9, 0xcf9],
];

const without = (all: Range, kept: readonly Range[]): Rangeset => kept.reduce<Rangeset>(removeRange, [all]);
const NOTHING: Rangeset = [];
const ALL_PORTS: Range = [0, IO_PORTS - 1];
const DOM0_PORTS = {
  devices: without(ALL_PORTS, KEPT_PORTS),
  'devices and resets': without(ALL_PORTS, [...KEPT_PORTS, ...KEPT_RESETS]),
} as const;
const ALL_FRAMES: Range = [0, IOMEM_FRAMES - 1];
const [LOCAL_APIC] = IOMEM_MESSAGES;
const DOM0_FRAMES = {
  'all messages': without(ALL_FRAMES, [IOMEM_MESSAGES, IOMEM_HYPERTRANSPORT]),
  'local APIC': without(ALL_FRAMES, [[LOCAL_APIC, LOCAL_APIC], IOMEM_HYPERTRANSPORT]),
} as const;

/** What a domain has before anybody changed it is up to the release. */
export const ioportCaps = ({ config }: Machine, { domid, ioports }: Domain): Rangeset =>
  ioports ?? (domid === 0 ? DOM0_PORTS[waysOf(config.release)['dom0-kept_ports']] : NOTHING);
export const iomemCaps = ({ config }: Machine, { domid, iomem }: Domain): Rangeset =>
  iomem ?? (domid === 0 ? DOM0_FRAMES[waysOf(config.release)['dom0-kept_frames']] : NOTHING);

/** Whether the domain may use all ports from the first to the last. Numbers that stand for no domain may nothing. */
export const mayUsePorts = (machine: Machine, domid: number, first: number, last: number): boolean => {
  const domain = findDomain(machine, domid);
  return domain !== undefined && containsRange(ioportCaps(machine, domain), [first, last]);
};

export const mayMapIo = (machine: Machine, domid: number, mfn: number): boolean => {
  const domain = findDomain(machine, domid);
  return domain !== undefined && containsRange(iomemCaps(machine, domain), [mfn, mfn]);
};

/** Whoever has a port or a frame has rights on caches, and to larger extents, too. */
export const mayUseDevices = (machine: Machine, domid: number): boolean => {
  const domain = findDomain(machine, domid);
  return domain !== undefined && (ioportCaps(machine, domain).length > 0 || iomemCaps(machine, domain).length > 0);
};
