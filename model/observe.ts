/** The machine through the small window by which engines are compared (spec/observation.ts). */

import { CREDIT2_WEIGHT } from '#spec/abi/domctl.ts';
import { EVTCHNS_PER_BUCKET } from '#spec/abi/event_channel.ts';
import { CALLBACKTYPE } from '#spec/abi/xen.ts';
import { digestText } from '#spec/digest.ts';
import type { DomainObservation, FifoObservation, Observation, PortObservation, VcpuObservation } from '#spec/observation.ts';
import { observeFpu } from './cpu/x86/fpu/observe.ts';
import type { GuestTables } from './cpu/x86/guest_tables.ts';
import { CS, DS, ES, FS, GS, SS } from './cpu/x86/state.ts';
import type { Channel, Domain, EvtchnFifo } from './domain.ts';
import { readDebugRegister } from './emulate/debug_registers.ts';
import { frameSums } from './frame_table.ts';
import type { Machine } from './machine.ts';
import { memoryDigest } from './memory/access.ts';
import { itemAt, itemsOf, NONE_NUMBERED } from './numbered.ts';
import type { TrapInfo, Vcpu } from './vcpu.ts';
import { isZero, toHex } from './word/word.ts';

const NMI = 2;
/** Bits of RFLAGS that exist. */
const RFLAGS = 0x3f7fd7;

export const observe = (machine: Machine): Observation => ({
  now: machine.now,
  retired: machine.retired,
  halted: machine.halted,
  cpus: machine.cpus.map(({ current, loaded }, cpu) => ({ current, holds: loaded ?? null, flushes: machine.tlb.flushes[cpu]! })),
  domains: machine.domains.map(observeDomain),
  ...(machine.virqHandlers?.size ? { virq_handlers: [...machine.virqHandlers].sort(([a], [b]) => a - b) } : {}),
  memory: memoryDigest(machine.memory),
  frames: digestText(...frameSums(machine.frames)),
});

const observeDomain = (domain: Domain): DomainObservation => ({
  domid: domain.domid,
  ...observeControl(domain),
  pages: domain.pages,
  max_pages: domain.maxPages,
  claimed: domain.claimed,
  memory_map: domain.memoryMap?.map(({ addr, size, type }) => [toHex(addr), toHex(size), type] as const) ?? null,
  shared_info: domain.sharedInfo,
  shutdown: domain.shutdown,
  shutdown_code: domain.shutdownCode,
  vm_assist: `0x${domain.vmAssist.toString(16)}`,
  vcpus: domain.vcpus.map(observeVcpu),
  ports: itemsOf(domain.channels).map(([port, channel]) => observePort(domain, channel, port)),
  ...(domain.fifo ? { fifo: observeFifo(domain, domain.fifo) } : {}),
  grant_frames: domain.grants.frames,
  ...(domain.grants.version === 2 ? { grant_version: 2 as const } : {}),
  ...(domain.grants.statusFrames?.length ? { status_frames: domain.grants.statusFrames } : {}),
  active_grants: itemsOf(domain.grants.active).map(([ref, { mfn, domid, hostRead, hostWrite, deviceRead, deviceWrite }]) => ({
    ref,
    mfn,
    domid,
    host_read: hostRead,
    host_write: hostWrite,
    device_read: deviceRead,
    device_write: deviceWrite,
  })),
  maptrack: domain.grants.maptrack.flatMap((entry, handle) =>
    entry ? [{ handle, domid: entry.domid, ref: entry.ref, flags: entry.flags }] : [],
  ),
  watchdogs: domain.watchdogs.map(({ deadline }) => deadline),
  console_bytes: domain.consoleBytes,
});

/** What domain 0 has set, where it differs from what a domain begins with. */
const observeControl = ({
  domid,
  ioports,
  iomem,
  dying,
  pauses,
  handle,
  credit,
  suspendPort,
  eoiMap,
  debugged,
  nodes,
  timeOffset,
  tsc,
}: Domain): Partial<DomainObservation> => ({
  ...(dying ? { dying: dying.stage === 'dead' ? 'dead' : 'dying' } : {}),
  ...(pauses ? { pauses } : {}),
  ...(handle?.some((byte) => byte !== 0) ? { handle: [...handle].map((byte) => byte.toString(16).padStart(2, '0')).join('') } : {}),
  ...(credit && (credit.weight !== CREDIT2_WEIGHT || credit.cap !== 0) ? { credit: [credit.weight, credit.cap] } : {}),
  ...(suspendPort ? { suspend_port: suspendPort } : {}),
  ...(eoiMap === undefined ? {} : { eoi_map: eoiMap }),
  ...(debugged ? { debugged } : {}),
  ...(timeOffset ? { time_offset: `0x${BigInt.asUintN(64, timeOffset).toString(16)}` } : {}),
  ...(tsc && (tsc.mode !== 0 || tsc.incarnation !== 1) ? { tsc: [tsc.mode, tsc.incarnation] } : {}),
  ...(domid !== 0 && ioports?.length ? { io_ports: ioports } : {}),
  ...(domid !== 0 && iomem?.length ? { io_frames: iomem } : {}),
  ...(nodes === undefined ? {} : { nodes: `0x${nodes.toString(16)}` }),
});

const observeFifo = ({ validPorts, fifoPorts }: Domain, { eventArray, vcpus }: EvtchnFifo): FifoObservation => ({
  array: eventArray,
  vcpus: vcpus.map(({ controlBlock, tails }) => ({ control_block: controlBlock && [controlBlock.mfn, controlBlock.offset], tails })),
  kept: itemsOf(fifoPorts ?? NONE_NUMBERED)
    .filter(([port, { kept }]) => kept && port < Math.max(EVTCHNS_PER_BUCKET, validPorts))
    .map(([port]) => port),
});

const observePort = ({ fifo, fifoPorts }: Domain, channel: Channel, port: number): PortObservation => ({
  port,
  status: channel.state,
  vcpu: channel.vcpu,
  remote_dom: channel.state === 'unbound' || channel.state === 'interdomain' ? channel.remoteDom : null,
  remote_port: channel.state === 'interdomain' ? channel.remotePort : null,
  number: channel.state === 'virq' ? channel.virq : channel.state === 'pirq' ? channel.pirq : null,
  ...(fifo ? { priority: itemAt(fifoPorts ?? NONE_NUMBERED, port)?.priority ?? 0 } : {}),
});

const observeVcpu = (vcpu: Vcpu): VcpuObservation => {
  const { regs, rip, flags, segments } = vcpu.cpu;
  const { selectors } = segments;
  return {
    vcpu: vcpu.id,
    mode: vcpu.mode,
    initialised: vcpu.initialised,
    online: vcpu.online,
    runstate: vcpu.runstate.state,
    polling: vcpu.poll !== null,
    gpr: regs.map(toHex),
    rip: toHex(rip),
    // Xen's copy of the register may have bits that no processor loads, and lack the one that is always set.
    rflags: `0x${(((flags & RFLAGS) | 2) >>> 0).toString(16)}`,
    cs: selectors[CS],
    ss: selectors[SS],
    ds: selectors[DS],
    es: selectors[ES],
    fs: selectors[FS],
    gs: selectors[GS],
    fs_base: toHex(segments.fsBase),
    gs_base: toHex(segments.gsBase),
    gs_base_other: toHex(vcpu.gsBaseOther),
    kernel_table: vcpu.kernelTable,
    user_table: vcpu.userTable,
    ...(vcpu.oldGuestTable === null ? {} : { put_off: vcpu.oldGuestTable.mfn }),
    kernel_ss: vcpu.kernelSs,
    kernel_sp: toHex(vcpu.kernelSp),
    event_callback: toHex(vcpu.callbacks.event),
    failsafe_callback: toHex(vcpu.callbacks.failsafe),
    syscall_callback: toHex(vcpu.callbacks.syscall),
    syscall32_callback: toHex(vcpu.callbacks.syscall32),
    sysenter_callback: toHex(vcpu.callbacks.sysenter),
    nmi_callback: toHex(vcpu.traps[NMI].address),
    masking_callbacks: Object.keys(CALLBACKTYPE).filter((name) => (vcpu.masking as Readonly<Record<string, boolean>>)[name]),
    traps: vcpu.traps.flatMap(observeTrap),
    dr: [0, 1, 2, 3, 6, 7].map((n) => toHex(readDebugRegister(vcpu, n)!)),
    fpu: observeFpu(vcpu.cpu.fpu),
    task_switched: vcpu.taskSwitched,
    iopl: vcpu.iopl,
    gdt: { entries: vcpu.tables.gdtEntries, frames: vcpu.tables.gdtFrames },
    ldt: observeLdt(vcpu.tables),
    io_bitmap: vcpu.ioBitmap && { address: toHex(vcpu.ioBitmap.address), ports: vcpu.ioBitmap.ports },
    cr4: toHex(vcpu.cr4),
    periodic_period: vcpu.timers.period === 0 ? null : vcpu.timers.period,
    singleshot: vcpu.timers.singleshot,
    poll_deadline: vcpu.timers.pollDeadline,
    vcpu_info: [vcpu.vcpuInfo.mfn, vcpu.vcpuInfo.offset],
    runstate_area: vcpu.runstateArea && toHex(vcpu.runstateArea),
    time_area: vcpu.timeArea && toHex(vcpu.timeArea),
    nmi_pending: vcpu.nmiPending,
  };
};

const observeLdt = ({ ldtBase, ldtEntries, ldtFrames }: GuestTables): VcpuObservation['ldt'] => {
  const frames = ldtFrames.flatMap((mfn, page) => (mfn === undefined ? [] : [[page, mfn] as const]));
  return { base: toHex(ldtBase), entries: ldtEntries, ...(frames.length > 0 ? { frames } : {}) };
};

const observeTrap = ({ flags, cs, address }: TrapInfo, vector: number): [number, number, number, string][] =>
  isZero(address) ? [] : [[vector, flags, cs, toHex(address)]];
