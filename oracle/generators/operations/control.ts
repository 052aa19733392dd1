/** Hypercalls of the control domain: machine, domains, profiling, crash kernels, machine checks. Other domains are refused, after some checks or none. */
import {
  XEN_DOMCTL,
  XEN_DOMCTL_INTERFACE_VERSION,
  XEN_DOMCTL_LATE,
  XEN_SYSCTL,
  XEN_SYSCTL_INTERFACE_VERSION,
  XEN_VM_EVENT_GET_VERSION,
  XENOPROF_LAST,
  XENOPROF_UNPRIVILEGED,
} from '#spec/abi/control.ts';
import type { LayoutName } from '#spec/abi/layouts.ts';
import { XEN_MCA_INTERFACE_VERSION } from '#spec/abi/mca.ts';
import { kindOf, MATRIX } from '#spec/matrix/matrix.ts';
import type { Argument } from '#spec/program.ts';
import { PAGES, SELF } from '../state.ts';
import { OWN_DOMCTLS, OWN_SYSCTLS, type OwnFields } from './domctl.ts';
import { HYPFS } from './hypfs.ts';
import { KEXEC } from './kexec.ts';
import { type Fault, type Manners, type Operation, operation, POINTERS, struct, va, wrong, wrongField } from './operation.ts';
import { COVERAGE_READ_ONLY, MCA_READ_ONLY, SHADOW_READ_ONLY, VM_EVENT_READ_ONLY } from './read_only.ts';

type Fields = Readonly<Record<string, Argument>>;
/** `toDomain0`: whether domain 0 is answered. */
type Command = { readonly sub: string; readonly command: number; readonly toDomain0: boolean };

/** Rows of a hypercall that have a command. */
const commandsOf = (call: string): readonly Command[] =>
  MATRIX.flatMap(({ call: of, sub, command, cells }) =>
    of === call && sub !== null && command !== null ? [{ sub, command, toDomain0: kindOf(cells.pv64_dom0) !== 'not modelled' }] : [],
  );

/**
 * A command that nobody has, or another one where domain 0 is answered too: what it is told of a command without a name is not modelled, as that of
 * most others is not.
 */
const wrongCommand = ({ toDomain0 }: Command, unknown: number, another: number): readonly Fault[] =>
  wrongField(0, 'cmd', toDomain0 ? { another } : { unknown });

const FAR = '0xffffffffffffffff';
/** The head of a structure is there, and the page behind it is not. */
const TORN = wrong(0, 'argument 0', { torn: va(PAGES.windows[1], 4096 - 8) });
const versions = (older: number): readonly Fault[] => wrongField(0, 'interface_version', { older, none: 0 });
/** No number of a domain: the alias of the caller, Xen's own, and what has no domain. */
export const NO_DOMAIN: Manners = { absent: 0x7fe0, alias: SELF, io: 0x7ff1, nobody: 0x7ff4, idle: 0x7fff, far: 0xffff };

/** What a domctl looks at before or instead of privilege, for those that do. */
const OWN: Readonly<Record<string, OwnFields>> = {
  ...OWN_DOMCTLS,
  iomem_permission: {
    layout: 'domctl.iomem_permission',
    fields: { first_mfn: '0xb0000', nr_mfns: 1, allow_access: 1 },
    faults: [
      wrongField(0, 'first_mfn', { last: FAR, 'kept from all': '0xfee00', beyond: '0x10000000' }),
      wrongField(0, 'nr_mfns', { none: 0, wraps: FAR }),
    ],
  },
  irq_permission: {
    layout: 'control.irq_permission',
    fields: { pirq: 20, allow_access: 1 },
    faults: [wrongField(0, 'pirq', { beyond: 208, far: '0xffffffff' })],
  },
  ioport_permission: {
    layout: 'control.ioport_permission',
    fields: { first_port: 0x300, nr_ports: 8, allow_access: 1 },
    faults: [
      wrongField(0, 'first_port', { 'kept from all': 0x3f8, beyond: 65536, far: '0xffffffff' }),
      wrongField(0, 'nr_ports', { none: 0, many: 65537, wraps: '0xffffffff' }),
    ],
  },
  memory_mapping: {
    layout: 'control.memory_mapping',
    fields: { first_gfn: 0x100, first_mfn: 0x100, nr_mfns: 1, add_mapping: 1 },
    faults: [
      wrongField(0, 'first_gfn', { last: FAR }),
      wrongField(0, 'first_mfn', { beyond: '0x1000000000', last: FAR }),
      wrongField(0, 'nr_mfns', { none: 0, many: '0x1000000000', wraps: FAR }),
    ],
  },
  set_target: {
    layout: 'control.set_target',
    fields: { target: 0 },
    faults: [wrongField(0, 'target', { ...NO_DOMAIN, another: 1 })],
  },
  vm_event_op: {
    layout: 'control.vm_event_op',
    fields: { op: XEN_VM_EVENT_GET_VERSION, mode: 0 },
    faults: [wrong(0, 'argument 0', VM_EVENT_READ_ONLY), wrongField(0, 'op', { enable: 0, unknown: 9 })],
  },
};

const DOMCTL_LEFT_ALONE = ['first_mfn', 'nr_mfns'];
const domctl = (one: Command): Operation => {
  const { sub, command } = one;
  const own = OWN[sub];
  const fields = { cmd: command, interface_version: XEN_DOMCTL_INTERFACE_VERSION, domain: 0, ...own?.fields };
  return operation(`domctl/${sub}`, [struct(own?.layout ?? 'control.domctl', fields)], {
    spared: [...DOMCTL_LEFT_ALONE, 'target', 'allow_access', 'add_mapping', ...(own?.spared ?? [])],
    faults: [
      TORN,
      versions(0x14),
      wrongCommand(one, 999, XEN_DOMCTL.get_device_group),
      wrongField(0, 'domain', NO_DOMAIN),
      ...(own?.faults ?? []),
    ],
    variants: XEN_DOMCTL_LATE.includes(command) ? [[struct(own?.layout ?? 'control.domctl', { ...fields, domain: 1 })]] : [],
  });
};

const sysctl = (one: Command): Operation => {
  const own = OWN_SYSCTLS[one.sub];
  const fields = { cmd: one.command, interface_version: XEN_SYSCTL_INTERFACE_VERSION, ...own?.fields };
  return operation(`sysctl/${one.sub}`, [struct(own?.layout ?? 'control.sysctl', fields)], {
    faults: [
      TORN,
      one.sub === 'coverage_op' ? wrong(0, 'argument 0', COVERAGE_READ_ONLY) : [],
      versions(0x14),
      wrongCommand(one, 99, one.sub === 'lockprof_op' ? XEN_SYSCTL.psr_cmt_op : XEN_SYSCTL.lockprof_op),
      ...(own?.faults ?? []),
    ],
  });
};

const mca = ({ sub, command }: Command): Operation => {
  const layout: LayoutName = sub === 'fetch' ? 'mca.fetch' : sub === 'physcpuinfo' ? 'mca.physcpuinfo' : 'mca.head';
  const own: Fields =
    sub === 'fetch' ? { flags: 1, fetch_id: 0, data: va(PAGES.times) } : sub === 'physcpuinfo' ? { ncpus: 1, info: 0 } : {};
  return operation(`mca/${sub}`, [struct(layout, { cmd: command, interface_version: XEN_MCA_INTERFACE_VERSION, ...own })], {
    spared: ['flags', 'fetch_id', 'data', 'info', 'ncpus'],
    faults: [
      TORN,
      wrong(0, 'argument 0', MCA_READ_ONLY[sub] ?? {}),
      wrongField(0, 'interface_version', { older: 0x01ecc002, none: 0 }),
      wrongField(0, 'cmd', { unknown: 99 }),
      ...(sub === 'fetch'
        ? [wrongField(0, 'flags', { none: 0, both: 3, unknown: 8 }), wrongField(0, 'data', { none: 0 })]
        : sub === 'physcpuinfo'
          ? [wrongField(0, 'ncpus', { none: 0, many: '0xffffffff' }), wrongField(0, 'info', POINTERS)]
          : []),
    ],
  });
};

const xenoprof = ({ sub, command }: Command): Operation =>
  operation(`xenoprof_op/${sub}`, [command, { buffer: 64, show: 'nothing' }], {
    faults: [wrong(0, 'command', { unknown: XENOPROF_LAST + 1, negative: -1, 'far below': '0x80000000', 'the same': command + 2 ** 32 })],
  });
/** Domain 0 as the primary profiler is not modelled: it never becomes that. */
const becomesProfiler = operation('xenoprof_op/init', [XENOPROF_UNPRIVILEGED.init, { buffer: 128, show: 'nothing' }], {
  onlyWrong: true,
  faults: [wrong(0, 'command', { unknown: XENOPROF_LAST + 1 }), wrong(1, 'argument 1', { torn: va(PAGES.windows[1], 4096 - 8) })],
});
const PROFILED = commandsOf('xenoprof_op').filter(({ sub }) => sub !== 'init' && sub !== 'get_buffer');

const pagingContinued = operation(
  'paging_domctl_cont',
  [struct('control.domctl', { cmd: XEN_DOMCTL.shadow_op, interface_version: XEN_DOMCTL_INTERFACE_VERSION, domain: 0 })],
  {
    spared: DOMCTL_LEFT_ALONE,
    faults: [
      TORN,
      wrong(0, 'argument 0', SHADOW_READ_ONLY),
      versions(0x14),
      wrongField(0, 'cmd', { another: 2, unknown: 99 }),
      wrongField(0, 'domain', NO_DOMAIN),
    ],
  },
);

export const CONTROL_OPERATIONS: readonly Operation[] = [
  ...commandsOf('domctl').map(domctl),
  ...commandsOf('sysctl').map(sysctl),
  ...commandsOf('mca').map(mca),
  ...KEXEC,
  ...HYPFS,
  becomesProfiler,
  ...PROFILED.map(xenoprof),
  pagingContinued,
];
