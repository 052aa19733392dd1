/** physdev_op and its old form: interrupts of devices, and PCI. */
import type { LayoutName } from '#spec/abi/layouts.ts';
import { MAP_PIRQ_TYPE, NR_GSIS, XEN_PCI_DEV_PXM } from '#spec/abi/physdev.ts';
import { MATRIX } from '#spec/matrix/matrix.ts';
import type { Argument, Value } from '#spec/program.ts';
import { PAGES, SELF } from '../state.ts';
import { type Args, type Fault, type Operation, operation, struct, va, wrong, wrongField, wrongWord } from './operation.ts';

const COMMAND = wrong(0, 'command', { unknown: 60, far: '0xffffffff' });
/** The last bytes of a page, behind which nothing is mapped. */
const tornAt = (index: number, bytes: number): readonly Fault[] =>
  wrong(index, `argument ${index}`, { torn: va(PAGES.windows[1], 4096 - bytes) });

type Fields = Readonly<Record<string, Argument>>;
type About = {
  readonly layout: LayoutName;
  readonly fields?: Fields;
  readonly faults?: readonly (readonly Fault[])[];
  readonly variants?: readonly Fields[];
  readonly onlyWrong?: true;
  readonly spared?: readonly string[];
};

const IRQS = wrongField(1, 'irq', { beyond: 208, negative: '0xffffffff', 'never asked for': 30 });
const pci = (faults: readonly Fault[] = []): About => ({ layout: 'physdev.manage_pci', fields: { bus: 9, devfn: 8 }, faults: [faults] });

const ABOUT: Readonly<Record<string, About>> = {
  irq_unmask_notify: { layout: 'physdev.eoi' },
  irq_status_query: { layout: 'physdev.irq_status_query', fields: { irq: 4 }, faults: [IRQS] },
  apic_read: {
    layout: 'physdev.apic',
    fields: { apic_physbase: '0xfec01000', reg: 0 },
    faults: [wrongField(1, 'reg', { far: '0xffffffff' })],
  },
  apic_write: {
    layout: 'physdev.apic',
    fields: { apic_physbase: '0xfec00000', reg: 0, value: 0 },
    faults: [wrongField(1, 'reg', { far: '0xffffffff' })],
  },
  alloc_irq_vector: { layout: 'physdev.irq', fields: { irq: 4, vector: 0 }, faults: [wrongField(1, 'irq', { far: '0xffffffff' })] },
  free_irq_vector: { layout: 'physdev.irq', fields: { irq: 4, vector: 0 } },
  eoi: { layout: 'physdev.eoi', fields: { irq: 30 }, faults: [wrongField(1, 'irq', { beyond: 208, negative: '0xffffffff' })] },
  map_pirq: {
    layout: 'physdev.map_pirq',
    // Neither an input of the I/O APIC nor a new interrupt, which domain 0 would get.
    fields: { domid: SELF, type: MAP_PIRQ_TYPE.MSI, index: 30, pirq: 5, bus: 0, devfn: 0, entry_nr: 0, table_base: 0 },
    variants: [{ type: MAP_PIRQ_TYPE.MSI_SEG }, { type: MAP_PIRQ_TYPE.MULTI_MSI, table_base: '0x1000' }],
    faults: [
      wrongField(1, 'type', { line: MAP_PIRQ_TYPE.GSI, unknown: 9 }),
      wrongField(1, 'table_base', { given: '0x1000' }),
      wrongField(1, 'index', { beyond: 100_000 }),
    ],
  },
  unmap_pirq: { layout: 'physdev.unmap_pirq', fields: { domid: SELF, pirq: 30 }, faults: [wrongField(1, 'pirq', { far: '0xffffffff' })] },
  manage_pci_add: pci(),
  manage_pci_remove: pci(),
  manage_pci_add_ext: {
    layout: 'physdev.manage_pci_ext',
    fields: { bus: 9, devfn: 8, is_extfn: 0, is_virtfn: 0 },
    faults: [wrongField(1, 'is_extfn', { two: 2 }), wrongField(1, 'is_virtfn', { two: 2, far: '0xffffffff' })],
  },
  restore_msi: { layout: 'physdev.restore_msi', fields: { bus: 9, devfn: 8 } },
  // A line that is set up stays so, and one start of a machine may serve many programs: this one is Xen's own.
  setup_gsi: {
    layout: 'physdev.setup_gsi',
    fields: { gsi: 4, triggering: 0, polarity: 0 },
    spared: ['padding'],
    faults: [wrongField(1, 'gsi', { beyond: NR_GSIS, negative: '0xffffffff' })],
  },
  // A number is taken for good, and one start of a machine may serve many programs.
  get_free_pirq: { layout: 'physdev.get_free_pirq', fields: { type: MAP_PIRQ_TYPE.GSI }, onlyWrong: true },
  pci_mmcfg_reserved: {
    layout: 'physdev.pci_mmcfg_reserved',
    fields: { address: '0xe0000000', segment: 0, start_bus: 0, end_bus: 255, flags: 1 },
    faults: [wrongField(1, 'flags', { unknown: 2 })],
  },
  pci_device_add: {
    layout: 'physdev.pci_device_add',
    fields: { seg: 0, bus: 9, devfn: 8, flags: 0 },
    variants: [{ flags: XEN_PCI_DEV_PXM }],
    faults: [tornAt(1, 12)],
  },
  pci_device_remove: { layout: 'physdev.pci_device', fields: { seg: 0, bus: 9, devfn: 8 } },
  restore_msi_ext: { layout: 'physdev.pci_device', fields: { seg: 0, bus: 9, devfn: 8 } },
  dbgp_op: { layout: 'physdev.dbgp_op', fields: { op: 0 }, faults: [wrongField(1, 'op', { unknown: 9 })] },
  prepare_msix: { layout: 'physdev.pci_device', fields: { seg: 0, bus: 9, devfn: 8 } },
  release_msix: { layout: 'physdev.pci_device', fields: { seg: 0, bus: 9, devfn: 8 } },
};

const present = (sub: string, command: number): readonly Operation[] => {
  const about = ABOUT[sub];
  if (!about) return [];
  const { layout, fields = {}, faults = [], variants = [], onlyWrong, spared = [] } = about;
  return [
    operation(`physdev_op/${sub}`, [command, struct(layout, fields)], {
      variants: variants.map((other): Args => [command, struct(layout, { ...fields, ...other })]),
      faults: [COMMAND, ...faults, tornAt(1, 1)],
      spared,
      ...(onlyWrong ? { onlyWrong } : {}),
    }),
  ];
};

/** Command and one word of the structure: what the old form is asked with. */
const old = (sub: string, command: number): readonly Operation[] => {
  const about = ABOUT[sub];
  if (!about) return [];
  const irq = about.fields?.irq;
  const word: Value = typeof irq === 'number' ? irq : 0;
  return [
    operation(`physdev_op_compat/${sub}`, [{ array: [command, word, 0], size: 8 }], {
      faults: [
        tornAt(0, 16),
        wrongWord(0, 0, 'cmd', { unknown: 1, far: '0xffffffff' }),
        wrongWord(0, 1, 'first word', { beyond: 208, far: '0xffffffff' }),
      ],
    }),
  ];
};

export const PHYSICAL_OPERATIONS: readonly Operation[] = MATRIX.flatMap(({ call, sub, command }): readonly Operation[] =>
  sub === null || command === null
    ? []
    : call === 'physdev_op'
      ? present(sub, command)
      : call === 'physdev_op_compat'
        ? old(sub, command)
        : [],
);
