/** The executor's only face to the judge: the machine as an Observation. */

import { CREDIT2_WEIGHT } from '#spec/abi/domctl.ts';
import { RUNSTATE } from '#spec/abi/xen.ts';
import type { DomainView } from '#spec/engine.ts';
import type {
  DomainObservation,
  FifoObservation,
  FrameObservation,
  Observation,
  PortObservation,
  VcpuObservation,
} from '#spec/observation.ts';
import type { DescriptorTables } from './cpu/descriptor_tables.ts';
import { CS, DS, ES, FS, GS, SS_REG } from './cpu/interface.ts';
import { observeFpu } from './cpu/observe_fpu.ts';
import { hexOf } from './hex.ts';
import type { Domain } from './hypervisor/domain.ts';
import type { FifoState } from './hypervisor/event_channel/fifo.ts';
import { gdtPages } from './hypervisor/global_descriptor_table.ts';
import type { Machine } from './hypervisor/machine.ts';
import { ECS, type Port } from './hypervisor/port.ts';
import type { RangeSet } from './hypervisor/range_set.ts';
import { RUNSTATE_NAMES } from './hypervisor/scheduler.ts';
import { hexText, type U64 } from './hypervisor/u64.ts';
import { type Vcpu, VPF } from './hypervisor/vcpu.ts';

const GPRS = 16;
const VECTORS = 256;
const NMI = 2;
const PAGE = 4096;

export const observe = (machine: Machine): Observation => ({
  now: machine.now,
  retired: machine.retired,
  halted: machine.halted,
  cpus: machine.pcpus.map(({ id, current, loaded }) => ({
    current: current === null ? null : { ...current.ref },
    holds: loaded?.loadedOn === id ? { ...loaded.ref } : null,
    flushes: machine.tlb.flushes[id],
  })),
  domains: machine.domains.map(observeDomain),
  ...observeHandlers(machine),
  memory: machine.memory.digest(),
  frames: machine.frames.digest(),
});

const observeHandlers = ({ virqHandlers }: Machine): Pick<Observation, 'virq_handlers'> => {
  const others = [...virqHandlers].flatMap(([virq, { domid }]) => (domid === 0 ? [] : [[virq, domid] as const]));
  return others.length === 0 ? {} : { virq_handlers: others.sort(([a], [b]) => a - b) };
};

export const observeOne = (machine: Machine, domid: number): DomainView => {
  const domain = machine.domainById(domid);
  return { domain: domain ? observeDomain(domain) : null, memory: machine.memory.digest(), frames: machine.frames.digest() };
};

/** Frames that a domain has a part in, ascending; those of one owner, when one is named. */
export function* observeFrames(machine: Machine, owner?: number): Generator<FrameObservation> {
  for (let mfn = 0; mfn < machine.frames.count; mfn++) {
    if (owner !== undefined && machine.frames.owner[mfn] !== owner) continue;
    const frame = machine.frames.observe(mfn);
    if (frame !== null) yield frame;
  }
}

const observeDomain = (domain: Domain): DomainObservation => ({
  domid: domain.domid,
  ...(domain.dying === null ? {} : { dying: domain.dying }),
  ...(domain.pauses === 0 ? {} : { pauses: domain.pauses }),
  ...(domain.handle.every((byte) => byte === 0) ? {} : { handle: handleText(domain.handle) }),
  ...(domain.weight === CREDIT2_WEIGHT && domain.cap === 0 ? {} : { credit: [domain.weight, domain.cap] as const }),
  ...(domain.suspendPort === 0 ? {} : { suspend_port: domain.suspendPort }),
  ...(domain.debugged ? { debugged: true as const } : {}),
  ...(domain.timeOffset === 0n ? {} : { time_offset: `0x${BigInt.asUintN(64, domain.timeOffset).toString(16)}` }),
  ...(domain.tscMode === 0 && domain.tscIncarnation === 1 ? {} : { tsc: [domain.tscMode, domain.tscIncarnation] as const }),
  ...(domain.nodes === null ? {} : { nodes: hexOf(domain.nodes) }),
  ...(domain.eoiMapMfn < 0 ? {} : { eoi_map: domain.eoiMapMfn }),
  ...(domain.domid === 0 || domain.ioPorts.isEmpty() ? {} : { io_ports: rangesOf(domain.ioPorts) }),
  ...(domain.domid === 0 || domain.ioFrames.isEmpty() ? {} : { io_frames: rangesOf(domain.ioFrames) }),
  pages: domain.pages,
  max_pages: domain.maxPages,
  claimed: domain.claimed,
  memory_map: domain.memoryMap?.map(([address, size, type]) => [hexOf(address), hexOf(size), type] as const) ?? null,
  shared_info: domain.sharedInfoMfn,
  shutdown: domain.shutdown,
  shutdown_code: domain.shutdownCode,
  vm_assist: hexText(domain.vmAssist, domain.vmAssistHigh),
  vcpus: domain.vcpus.map(observeVcpu),
  ports: domain.ports.flatMap((port) => (port === null ? [] : observePort(port, domain.fifo !== null))),
  ...(domain.fifo === null ? {} : { fifo: observeFifo(domain, domain.fifo) }),
  grant_frames: [...domain.grants.frames],
  ...(domain.grants.version === 1 ? {} : { grant_version: domain.grants.version, status_frames: [...domain.grants.statusFrames] }),
  active_grants: domain.grants.observeActive(),
  maptrack: domain.grants.observeMaptrack(),
  watchdogs: [...domain.watchdogs],
  console_bytes: domain.consoleBytes,
});

const rangesOf = ({ ranges }: RangeSet): (readonly [number, number])[] => ranges.map(({ first, last }) => [first, last] as const);

const handleText = (handle: Uint8Array): string => Array.from(handle, (byte) => byte.toString(16).padStart(2, '0')).join('');

const STATUS = {
  [ECS.unbound]: 'unbound',
  [ECS.interdomain]: 'interdomain',
  [ECS.pirq]: 'pirq',
  [ECS.virq]: 'virq',
  [ECS.ipi]: 'ipi',
} as const;

const observePort = ({ port, state, vcpu, remoteDom, remotePort, number, priority }: Port, hasPriority: boolean): PortObservation[] => {
  const status = (STATUS as Readonly<Record<number, PortObservation['status'] | undefined>>)[state];
  if (status === undefined) return [];
  return [
    {
      port,
      status,
      vcpu,
      remote_dom: status === 'unbound' || status === 'interdomain' ? remoteDom : null,
      remote_port: status === 'interdomain' ? remotePort : null,
      number: status === 'virq' || status === 'pirq' ? number : null,
      ...(hasPriority ? { priority } : {}),
    },
  ];
};

const observeFifo = ({ ports }: Domain, { array, vcpus }: FifoState): FifoObservation => ({
  array: [...array],
  vcpus: vcpus.map(({ controlBlock, tails }) => ({
    control_block: controlBlock === 0 ? null : [Math.floor(controlBlock / PAGE), controlBlock % PAGE],
    tails: [...tails],
  })),
  kept: ports.flatMap((port) => (port?.kept ? [port.port] : [])),
});

const text = ({ lo, hi }: Pick<U64, 'lo' | 'hi'>): string => hexText(lo, hi);

/** A 32-bit guest changes rings without Xen, too. */
const isInKernel = ({ domain, kernelMode, inXen, cpu }: Vcpu): boolean =>
  domain.compat && !inXen ? (cpu.selector(CS) & 3) === 1 : kernelMode;

const observeVcpu = (vcpu: Vcpu): VcpuObservation => {
  const { cpu } = vcpu;
  const area = (found: { lo: number; hi: number } | null): string | null => (found === null ? null : hexText(found.lo, found.hi));
  return {
    vcpu: vcpu.id,
    mode: isInKernel(vcpu) ? 'kernel' : 'user',
    initialised: vcpu.initialised,
    online: (vcpu.pauseFlags & VPF.down) === 0,
    runstate: RUNSTATE_NAMES[vcpu.runstate] ?? RUNSTATE_NAMES[RUNSTATE.offline],
    polling: vcpu.domain.polling.has(vcpu.id),
    gpr: Array.from({ length: GPRS }, (_, register) => hexText(cpu.gprLo(register), cpu.gprHi(register))),
    rip: cpu.legacy && !vcpu.inXen ? hexOf(BigInt(cpu.ip)) : hexOf(cpu.rip),
    rflags: hexOf(cpu.rflags),
    cs: cpu.selector(CS),
    ss: cpu.selector(SS_REG),
    ds: cpu.selector(DS),
    es: cpu.selector(ES),
    fs: cpu.selector(FS),
    gs: cpu.selector(GS),
    fs_base: hexOf(cpu.fsBase),
    gs_base: hexOf(cpu.gsBase),
    gs_base_other: text(vcpu.gsBaseOther),
    kernel_table: vcpu.kernelTable,
    user_table: vcpu.userTable,
    ...(vcpu.oldGuestTable < 0 ? {} : { put_off: vcpu.oldGuestTable }),
    kernel_ss: vcpu.kernelSs,
    kernel_sp: text(vcpu.kernelSp),
    event_callback: text(vcpu.eventCallback),
    failsafe_callback: text(vcpu.failsafeCallback),
    syscall_callback: text(vcpu.syscallCallback),
    syscall32_callback: text(vcpu.syscall32Callback),
    sysenter_callback: text(vcpu.sysenterCallback),
    nmi_callback: hexText(vcpu.trapLo[NMI], vcpu.trapHi[NMI]),
    masking_callbacks: maskingCallbacks(vcpu),
    traps: traps(vcpu),
    dr: [
      ...Array.from({ length: 4 }, (_, i) => hexText(vcpu.dr[2 * i], vcpu.dr[2 * i + 1])),
      hexText(vcpu.dr6, 0),
      hexText(vcpu.dr7 | vcpu.dr7Io, 0),
    ],
    fpu: observeFpu(cpu.s),
    task_switched: vcpu.taskSwitched,
    iopl: vcpu.iopl,
    gdt: observeGdt(vcpu),
    ldt: observeLdt(cpu.tables),
    io_bitmap: vcpu.ioBitmap === null ? null : { address: text(vcpu.ioBitmap), ports: vcpu.ioBitmap.ports },
    cr4: hexText(vcpu.cr4, 0),
    periodic_period: vcpu.periodicPeriod,
    singleshot: vcpu.singleshot,
    poll_deadline: vcpu.pollDeadline,
    vcpu_info: [vcpu.infoMfn, vcpu.infoOffset],
    runstate_area: area(vcpu.runstateArea),
    time_area: area(vcpu.timeArea),
    nmi_pending: vcpu.nmiPending,
  };
};

/** The guest's own frames. */
const observeLdt = ({ ldt, ldtLo, ldtHi, ldtEntries }: DescriptorTables): VcpuObservation['ldt'] => {
  const frames: [number, number][] = [];
  for (const [page, mfn] of ldt.entries()) if (mfn !== 0) frames.push([page, mfn]);
  return { base: hexText(ldtLo, ldtHi), entries: ldtEntries, ...(frames.length > 0 ? { frames } : {}) };
};

const observeGdt = ({ gdtEntries, cpu }: Vcpu): VcpuObservation['gdt'] => ({
  entries: gdtEntries,
  frames: [...cpu.tables.gdt.subarray(0, gdtPages(gdtEntries))],
});

const maskingCallbacks = (vcpu: Vcpu): string[] => [
  ...(vcpu.failsafeDisablesEvents ? ['failsafe'] : []),
  ...(vcpu.syscallDisablesEvents ? ['syscall'] : []),
  ...(vcpu.sysenterDisablesEvents ? ['sysenter'] : []),
  ...(vcpu.syscall32DisablesEvents ? ['syscall32'] : []),
];

const traps = (vcpu: Vcpu): [number, number, number, string][] => {
  const set: [number, number, number, string][] = [];
  for (let vector = 0; vector < VECTORS; vector++) {
    const [lo, hi] = [vcpu.trapLo[vector], vcpu.trapHi[vector]];
    if ((lo | hi) !== 0) set.push([vector, vcpu.trapFlags[vector], vcpu.trapCs[vector], hexText(lo, hi)]);
  }
  return set;
};
