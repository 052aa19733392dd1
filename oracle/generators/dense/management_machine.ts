/** What domain 0 says to the machine: firmware, processors, machine checks, interrupts. What would be carried out on hardware is not among it. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { XEN_HYPFS_OP } from '#spec/abi/hypfs.ts';
import { XEN_MC, XEN_MC_FETCH, XEN_MCA_INTERFACE_VERSION } from '#spec/abi/mca.ts';
import { NR_GSIS } from '#spec/abi/physdev.ts';
import { ACPI_SLEEP, HOTADD_LIMITS, PDC_REVISION, RESOURCE, XEN_PM, XENPF_INTERFACE_VERSION } from '#spec/abi/platform.ts';
import type { Argument, Call, Value } from '#spec/program.ts';
import { POINTERS, struct, va } from '../operations/operation.ts';
import { type Generation, PAGES } from '../state.ts';
import { call } from './theme.ts';

type Fields = Readonly<Record<string, Argument>>;

const NOWHERE = Object.values(POINTERS);
const AREA: Value = va(PAGES.times, 0x400);
const { platform_op: PLATFORM, physdev_op: PHYSDEV } = SUBOPERATIONS;

const platform = (
  name: keyof typeof PLATFORM,
  layout: 'resource_op' | 'set_processor_pminfo' | 'cpu_hotadd' | 'enter_acpi_sleep',
  fields: Fields,
): Call =>
  call('platform_op', struct(`platform.${layout}`, { cmd: PLATFORM[name], interface_version: XENPF_INTERFACE_VERSION, ...fields }));

/** Entries whose first is wrong, or right and about a processor that is not there. */
const entries = ({ r }: Generation): Argument => {
  const command = r.pick([RESOURCE.MSR_READ, RESOURCE.MSR_READ, RESOURCE.MSR_WRITE, 2]);
  const register: Value = r.pick(['0x10', '0x10', 0x1b, '0x100000010']);
  const reserved = r.one(6) ? 1 : 0;
  return { array: [`0x${(BigInt(reserved) * 2n ** 32n + BigInt(command)).toString(16)}`, register, 0], size: 8, show: 'hex' };
};
const NO_PROCESSOR = 40;

/** Capabilities: their revision and how many words follow; what would be told is wrong in one of them. */
const capabilities = ({ r }: Generation): Argument =>
  r.one(4)
    ? r.pick(NOWHERE)
    : {
        array: r.pick([
          [0, 1, 0],
          [PDC_REVISION, 0, 0],
          [2, 1, 0],
        ] as const),
        size: 4,
        show: 'nothing',
      };

const mca = (g: Generation): Call => {
  const head = { interface_version: XEN_MCA_INTERFACE_VERSION };
  const { ACK, URGENT, NONURGENT } = XEN_MC_FETCH;
  return g.r.one(2)
    ? call(
        'mca',
        struct('mca.fetch', { ...head, cmd: XEN_MC.fetch, flags: g.r.pick([URGENT | ACK, NONURGENT | ACK, ACK, URGENT]), data: AREA }),
      )
    : call(
        'mca',
        struct('mca.physcpuinfo', { ...head, cmd: XEN_MC.physcpuinfo, ncpus: g.r.pick([0, '0xffffffff', '0x80000000']), info: AREA }),
      );
};

/** How Xen was configured is told by a text that is not modelled: it is seldom read whole. */
const configuration = ({ r }: Generation): Call => {
  const path = '/buildinfo/config';
  const room = r.one(12) ? ROOM : 64;
  return call('hypfs_op', XEN_HYPFS_OP.read, { text: path }, path.length + 1, { buffer: ROOM, show: 'nothing' }, room);
};
const ROOM = 2048;

/** A device whose flags say that more follows, where nothing is mapped. */
const device = (): Call => call('physdev_op', PHYSDEV.pci_device_add, va(PAGES.windows[1], 4096 - TORN_DEVICE));

const CONSOLEIO_READ = 1;
/** Bytes of a structure at the end of a page. */
export const TORN_DEVICE = 12;

export const MACHINE: readonly ((g: Generation) => Call)[] = [
  (g) =>
    platform('resource_op', 'resource_op', {
      ...{ nr_entries: g.r.pick([0, 1, 1, 1, 4]), cpu: NO_PROCESSOR },
      entries: g.r.one(5) ? g.r.pick(NOWHERE) : entries(g),
    }),
  (g) =>
    platform('set_processor_pminfo', 'set_processor_pminfo', {
      ...{ id: NO_PROCESSOR, type: g.r.pick([XEN_PM.CX, XEN_PM.PX, XEN_PM.TX, XEN_PM.PDC, XEN_PM.PDC, 9]) },
      ...{ pdc: capabilities(g), states: g.r.pick([0, ...NOWHERE]) },
    }),
  (g) =>
    platform('cpu_hotadd', 'cpu_hotadd', {
      ...{ apic_id: g.r.pick([0, 0, 1, HOTADD_LIMITS.apic_ids]), acpi_id: g.r.pick([0, 0, HOTADD_LIMITS.acpi_ids]), pxm: 0 },
    }),
  (g) =>
    platform('enter_acpi_sleep', 'enter_acpi_sleep', {
      ...{ val_a: g.r.pick([0, ACPI_SLEEP.ENABLE]), val_b: 0, sleep_state: g.r.pick([3, 5]), flags: ACPI_SLEEP.EXTENDED },
    }),
  mca,
  mca,
  configuration,
  // What was typed, to nowhere.
  (g) => call('console_io', CONSOLEIO_READ, 4, g.r.pick(NOWHERE)),
  device,
  (g) =>
    call(
      'physdev_op',
      g.r.pick([PHYSDEV.pirq_eoi_gmfn_v1, PHYSDEV.pirq_eoi_gmfn_v2]),
      struct('physdev.pirq_eoi_gmfn', { gmfn: { page: g.r.pick(PAGES.data), as: 'mfn' } }),
    ),
  (g) =>
    call(
      'physdev_op',
      PHYSDEV.setup_gsi,
      struct('physdev.setup_gsi', { gsi: g.r.int(0, NR_GSIS), triggering: g.r.int(0, 1), polarity: g.r.int(0, 1) }),
    ),
];
