/**
 * What domain 0 does to other domains and to the machine, right and wrong: contexts, clocks, extended state, processors, interrupts. Other domains are
 * named that are there in crowds alone. Some of it would change a real machine for good, or stop it: machines of our own run these.
 */
import { XEN_DOMCTL, XEN_DOMCTL_INTERFACE_VERSION, XEN_SYSCTL_INTERFACE_VERSION } from '#spec/abi/control.ts';
import {
  MONITOR_EVENTS,
  VCPU_MSRS,
  XEN_DOMCTL_MODELLED,
  XEN_DOMCTL_SCHEDOP,
  XEN_DOMCTL_SHADOW_OP,
  XEN_DOMCTL_TOOLS,
  XEN_SCHEDULER_CREDIT2,
  XSTATE,
} from '#spec/abi/domctl.ts';
import type { LayoutName } from '#spec/abi/layouts.ts';
import { XEN_PCI_DEV_PXM } from '#spec/abi/physdev.ts';
import { XEN_SYSCTL_CPUPOOL_OP, XEN_SYSCTL_LIVEPATCH, XEN_SYSCTL_MODELLED, XEN_SYSCTL_TOOLS } from '#spec/abi/sysctl.ts';
import type { Argument, Call, Step, Value } from '#spec/program.ts';
import { POINTERS, struct, va } from '../operations/operation.ts';
import { type Generation, PAGES } from '../state.ts';
import { MACHINE, TORN_DEVICE } from './management_machine.ts';
import { call, type Theme } from './theme.ts';

type Fields = Readonly<Record<string, Argument>>;
type Draw = (g: Generation) => Call;

/** Xen may write here. */
const AREA: Value = va(PAGES.times, 0x400);
const NOWHERE = Object.values(POINTERS);
/** No domain's number. */
const NOBODY = 0x7fe0;
const FAR = '0xffffffffffffffff';

/** Mostly a domain that crowds have, and that is not the caller. */
const someone = ({ r }: Generation): number => (r.one(12) ? r.pick([0, NOBODY, 0x7ff0]) : r.pick([1, 1, 2, 3]));
const someVcpu = ({ r }: Generation): number => (r.one(4) ? r.pick([1, 1, 2, 8192]) : 0);
/** A place to write to, and now and then none. */
const place = ({ r }: Generation): Argument => (r.one(4) ? r.pick([0, ...NOWHERE]) : AREA);

const about = (g: Generation, cmd: number, layout: LayoutName, fields: Fields = {}): Call =>
  call('domctl', struct(layout, { cmd, interface_version: XEN_DOMCTL_INTERFACE_VERSION, domain: someone(g), ...fields }));
const system = (cmd: number, layout: LayoutName, fields: Fields): Call =>
  call('sysctl', struct(layout, { cmd, interface_version: XEN_SYSCTL_INTERFACE_VERSION, ...fields }));

const CONTEXT_WORDS = 646;
/** Words of a context: RSP of the kernel, where events are told, the descriptor table; and what is wrong there. */
const WRONG_WORDS = [
  [622, '0x800000000000'],
  [639, '0x800000000000'],
  [602, '0x1001'],
] as const;
/** What would be right is not modelled: one word is wrong. */
const wrongContext = ({ r }: Generation): Argument => {
  const [at, value] = r.pick(WRONG_WORDS);
  return { array: Array.from({ length: CONTEXT_WORDS }, (_, i) => (i === at ? value : 0)), size: 8, show: 'nothing' };
};

/** Components that are chosen, and were ever, how they are packed, what is reserved, and as many bytes. None of it is a state that would be set. */
const EXTENDED_STATES = [
  { chosen: 0, used: 0, bytes: XSTATE.HEAD },
  { chosen: 0, used: 0, bytes: XSTATE.LEAST },
  { chosen: 0, used: 0, packing: '0x8000000000000000', bytes: XSTATE.LEAST },
  { chosen: 3, used: 0, bytes: XSTATE.HEAD },
  { chosen: 3, used: 3, bytes: XSTATE.HEAD },
  { chosen: 7, used: 3, bytes: XSTATE.LEAST },
  { chosen: 2, used: 2, bytes: XSTATE.LEAST },
  { chosen: 5, used: 5, bytes: XSTATE.LEAST },
  { chosen: 0x203, used: 0x203, bytes: XSTATE.LEAST },
  { chosen: 3, used: 3, packing: 1, bytes: XSTATE.LEAST },
  { chosen: 3, used: 3, reserved: 1, bytes: XSTATE.LEAST },
  { chosen: 7, used: 7, bytes: XSTATE.LEAST },
  { chosen: 3, used: 3, bytes: XSTATE.LEAST + 8 },
] as const;
const [PACKING, RESERVED] = [(16 + 520) / 8, (16 + 528) / 8];
const extendedState = ({ r }: Generation): Fields => {
  const { chosen, used, bytes, ...more }: { chosen: number; used: number; bytes: number; packing?: Value; reserved?: Value } =
    r.pick(EXTENDED_STATES);
  const words: readonly Value[] = Array.from({ length: bytes / 8 }, (_, i) =>
    i === 0 ? chosen : i === 1 ? used : i === PACKING ? (more.packing ?? 0) : i === RESERVED + r.int(0, 5) ? (more.reserved ?? 0) : 0,
  );
  return { size: r.one(12) ? r.pick([0, 8, FAR]) : bytes, buffer: { array: words, size: 8, show: 'nothing' } };
};

const { createdomain } = XEN_DOMCTL;
const { get_vcpu_msrs, scheduler_op, get_ext_vcpucontext, subscribe } = XEN_DOMCTL_MODELLED;
const T = XEN_DOMCTL_TOOLS;

const address = ({ r }: Generation): Value => r.pick([0, va(PAGES.data[0]), '0x7fffffffffff', '0xffff800000000000', '0x800000000000']);

const DOMCTLS: readonly Draw[] = [
  // Without a version of grant tables it is none that could be made, nor in a pool that is not there.
  (g) =>
    about(g, createdomain, 'domctl.createdomain', {
      domain: g.r.pick([0, 1, NOBODY, NOBODY]),
      ...{ flags: g.r.pick([0, 0, 0, 1, 256]), max_vcpus: g.r.pick([1, 1, 1, 0, 8193]), max_evtchn_port: 1023 },
      ...{ max_grant_frames: 4, max_maptrack_frames: 4 },
      ...(g.r.one(2) ? { grant_opts: 1, cpupool_id: 7 } : { grant_opts: 0, cpupool_id: g.r.pick([0, 7, 0xffffffff]) }),
    }),
  (g) => about(g, get_vcpu_msrs, 'domctl.vcpu_msrs', { vcpu: someVcpu(g), msr_count: g.r.pick([0, 1, VCPU_MSRS]), msrs: place(g) }),
  (g) => about(g, T.set_vcpu_msrs, 'domctl.vcpu_msrs', { vcpu: someVcpu(g), msr_count: g.r.pick([0, VCPU_MSRS + 1, FAR]), msrs: place(g) }),
  (g) => about(g, T.max_vcpus, 'domctl.max_vcpus', { max: g.r.pick([0, 1, 2, 8193]) }),
  (g) => about(g, T.getvcpucontext, 'domctl.vcpucontext', { vcpu: someVcpu(g), ctxt: g.r.pick(NOWHERE) }),
  (g) => about(g, T.setvcpucontext, 'domctl.vcpucontext', { vcpu: someVcpu(g), ctxt: g.r.one(4) ? g.r.pick(NOWHERE) : wrongContext(g) }),
  (g) =>
    about(g, T.monitor_op, 'domctl.monitor_op', { op: g.r.pick([0, 1, 2, 3, 4, 9]), event: g.r.pick([0, 3, 31, MONITOR_EVENTS, 255]) }),
  (g) =>
    about(g, scheduler_op, 'domctl.scheduler_op', {
      ...{ sched_id: g.r.pick([XEN_SCHEDULER_CREDIT2, XEN_SCHEDULER_CREDIT2, 5]), operation: g.r.pick(Object.values(XEN_DOMCTL_SCHEDOP)) },
      ...{ weight: g.r.pick([0, 1, 300, 65535]), cap: g.r.pick([0, 50, 65535]) },
    }),
  (g) =>
    about(g, T.set_ext_vcpucontext, 'domctl.set_ext_vcpucontext', {
      ...{ vcpu: someVcpu(g), size: g.r.pick([0, 31, 32, 40, 64, 128]), mcg_cap: g.r.pick([0, 1, 2, 0x102, 0x109]) },
      ...{ syscall32_callback_eip: address(g), sysenter_callback_eip: address(g), mci_ctl2_bank0: g.r.pick([0, 1]) },
      ...{ syscall32_callback_cs: g.r.pick([0, 0xe020]), sysenter_callback_cs: 0xe033, sysenter_disables_events: g.r.int(0, 1) },
    }),
  (g) => about(g, get_ext_vcpucontext, 'domctl.ext_vcpucontext', { vcpu: someVcpu(g) }),
  (g) =>
    about(g, T.settscinfo, 'domctl.tsc_info', {
      ...{ tsc_mode: g.r.pick([0, 1, 2, 3]), gtsc_khz: g.r.pick([0, 500_000, 1_000_000, 3_000_001]) },
      ...{ incarnation: g.r.pick([0, 7, '0xffffffff']), elapsed_nsec: g.r.pick([0, 1_000_000, '0x100000000', FAR]) },
    }),
  (g) => about(g, T.gettscinfo, 'domctl.tsc_info'),
  (g) => about(g, subscribe, 'domctl.subscribe', { port: g.r.int(0, 6) }),
  (g) => about(g, T.set_cpu_policy, 'domctl.cpu_policy'),
  (g) => about(g, T.setdebugging, 'domctl.setdebugging', { enable: g.r.int(0, 2) }),
  (g) =>
    about(g, T.getvcpuextstate, 'domctl.vcpuextstate', {
      ...{ vcpu: someVcpu(g), xfeature_mask: g.r.pick([0, XSTATE.MASK, XSTATE.MASK, 7]) },
      ...{ size: g.r.pick([0, 8, XSTATE.HEAD, XSTATE.HEAD]), buffer: place(g) },
    }),
  (g) => about(g, T.setvcpuextstate, 'domctl.vcpuextstate', { vcpu: someVcpu(g), ...extendedState(g) }),
  // What was written is told of domains that are watched, which is not modelled: there the mode is wrong.
  (g) =>
    about(g, T.shadow_op, 'domctl.shadow_op', {
      shadow: g.r.pick(Object.values(XEN_DOMCTL_SHADOW_OP)),
      mode: g.r.pick([2, 4, 6, 8, 0x1c]),
    }),
];

const { ADDCPU, INFO } = XEN_SYSCTL_CPUPOOL_OP;
const SYSCTLS: readonly Draw[] = [
  (g) =>
    system(XEN_SYSCTL_TOOLS.cpupool_op, 'sysctl.cpupool_op', {
      ...{ op: g.r.pick([0, INFO, ADDCPU, 8, 99]), cpupool_id: g.r.pick([0, 1]), sched_id: 99, domid: someone(g), cpu: 300 },
      ...{ cpumap: AREA, bits: 64 },
    }),
  // What a processor is switched by is no call for a multicall.
  (g) => system(XEN_SYSCTL_TOOLS.cpu_hotplug, 'sysctl.cpu_hotplug', { cpu: g.r.int(0, 3), op: g.r.pick([2, 3, 4, 99]) }),
];

const word = (low: number, high: number): Value => `0x${(BigInt(high) * 2n ** 32n + BigInt(low)).toString(16)}`;
/** Structures that are answered, and cannot be written: what begins each, 256 bytes apart. */
const READ_ONLY: readonly (readonly [call: 'domctl' | 'sysctl', words: readonly Value[]])[] = [
  ['domctl', [word(XEN_DOMCTL_MODELLED.get_address_size, XEN_DOMCTL_INTERFACE_VERSION), 0]],
  ['domctl', [word(XEN_DOMCTL_MODELLED.getdomaininfo, XEN_DOMCTL_INTERFACE_VERSION), 0]],
  ['domctl', [word(T.gettscinfo, XEN_DOMCTL_INTERFACE_VERSION), 1]],
  ['domctl', [word(T.shadow_op, XEN_DOMCTL_INTERFACE_VERSION), 1]],
  ['sysctl', [word(XEN_SYSCTL_MODELLED.sched_id, XEN_SYSCTL_INTERFACE_VERSION)]],
  ['sysctl', [word(XEN_SYSCTL_MODELLED.getcpuinfo, XEN_SYSCTL_INTERFACE_VERSION), 0, 0]],
  ['sysctl', [word(XEN_SYSCTL_TOOLS.livepatch_op, XEN_SYSCTL_INTERFACE_VERSION), word(XEN_SYSCTL_LIVEPATCH.GET, 0), 0, 0]],
];
const APART = 256;
const [PAGE, WINDOW] = [PAGES.data[5], PAGES.windows[3]];
const readOnly: readonly Draw[] = READ_ONLY.map(
  ([name], i): Draw =>
    () =>
      call(name, va(WINDOW, APART * i)),
);

const step = (g: Generation, made: object): Step => g.step(made as never);
const write = (g: Generation, page: number, plus: number, size: 4 | 8, value: Value): Step =>
  step(g, { do: 'access', how: 'write', at: { page, as: 'va', plus }, size, value });
const map = (g: Generation, window: number, entry: Value): Step =>
  step(g, { do: 'hypercall', call: 'update_va_mapping', args: [{ page: window, as: 'va' }, entry, 2] });

const prepare = (g: Generation): readonly Step[] => [
  ...READ_ONLY.flatMap(([, words], i) => words.map((value, n) => write(g, PAGE, APART * i + 8 * n, 8, value))),
  map(g, WINDOW, { page: PAGE, as: 'pte', flags: '0x61' }),
  write(g, PAGES.windows[1], 4096 - TORN_DEVICE, 4, 0x80900),
  write(g, PAGES.windows[1], 4096 - TORN_DEVICE + 4, 4, XEN_PCI_DEV_PXM),
  map(g, PAGES.windows[2], 0),
  step(g, {
    do: 'calls',
    calls: [
      [0, 0],
      [7, 0],
      [0, 1],
      [7, 1],
    ].map(([cpu, op]) => system(XEN_SYSCTL_TOOLS.cpu_hotplug, 'sysctl.cpu_hotplug', { cpu: cpu!, op: op! })),
  }),
];

const KINDS: readonly (readonly Draw[])[] = [DOMCTLS, DOMCTLS, DOMCTLS, SYSCTLS, readOnly, MACHINE];

export const management: Theme = {
  name: 'management',
  weight: 10,
  needs: [],
  only: 'pv64_dom0',
  prepare,
  call: (g) => g.r.pick(g.r.pick(KINDS))(g),
};
