/**
 * Bounce frames: what Xen pushes onto the guest kernel's stack when it hands over an exception, an event, an NMI or a system
 * call. Chapter: spec/chapters/trap.md, "Frames".
 */
import { HYPERVISOR_VIRT_END, HYPERVISOR_VIRT_START, VMASST_TYPE, vcpu_info } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { CS, R11, RCX, RSP, SS } from '../cpu/x86/state.ts';
import { writeGuestWord } from '../guest_copy.ts';
import { cite } from '../journal.ts';
import { domainOf, setCpu, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { read } from '../memory/access.ts';
import { crashDomain } from '../sched/shutdown.ts';
import { onFlat } from '../segment_loads.ts';
import { setVcpuInfo, vcpuInfo } from '../vcpu_info.ts';
import { addInt, below, fromBigInt, fromNumber, isZero, type Word, word } from '../word/word.ts';
import { compatBounce } from './compat_bounce.ts';
import { toggleMode } from './mode.ts';

export const FLAG = { TF: 1 << 8, IF: 1 << 9, DF: 1 << 10, IOPL: 3 << 12, NT: 1 << 14, RF: 1 << 16, VM: 1 << 17, AC: 1 << 18 } as const;
/** Flags that a handler never starts with. */
const CLEARED = FLAG.AC | FLAG.VM | FLAG.RF | FLAG.NT | FLAG.TF;

export type Bounce = {
  /** The handler; zero crashes the domain, after the frame was written. */
  readonly address: Word;
  /** Pushed between R11 and RIP; null = no error code in the frame. */
  readonly error: number | null;
  /** Mask event upcalls. */
  readonly mask: boolean;
  /** Of 32-bit domains: the handler's code selector. */
  readonly cs?: number;
};

/** `delivered`: the vCPU stands at the handler's first instruction. Otherwise the domain has crashed. */
export type Bounced = { readonly delivered: boolean; readonly machine: Machine };

const PRIVATE_FIRST = fromBigInt(HYPERVISOR_VIRT_START + 1n);
const PRIVATE_END = fromBigInt(HYPERVISOR_VIRT_END + 64n);

/** Push a frame and turn the vCPU to the handler. */
export const bounce = (machine: Machine, at: VcpuRef, to: Bounce): Bounced =>
  domainOf(machine, at.domid).pv32 ? compatBounce(machine, at, to) : wideBounce(machine, at, to);

const wideBounce = (machine: Machine, at: VcpuRef, { address, error, mask }: Bounce): Bounced => {
  const fromUser = vcpuOf(machine, at).mode === 'user';
  const interrupted = vcpuOf(machine, at).cpu;
  let m = fromUser ? cite(toggleMode(machine, at), 'trap/frame-user') : cite(machine, 'trap/frame-kernel');
  const stack = fromUser ? vcpuOf(m, at).kernelSp : interrupted.regs[RSP];
  const top = word(stack.hi, stack.lo & ~15);
  if (!below(top, PRIVATE_FIRST) && below(top, PRIVATE_END)) return crashed(cite(m, 'trap/frame-xen_range'), at);

  const store = (slot: Word, value: Word): boolean => {
    const stored = writeGuestWord(m, at, slot, value);
    m = stored.machine;
    return stored.ok;
  };
  const below7 = addInt(top, -56);
  const slot = (n: number): Word => addInt(below7, n * 8);

  if (!store(slot(6), fromNumber(interrupted.segments.selectors[SS]))) return faulted(m, at);
  if (!store(slot(5), interrupted.regs[RSP])) return faulted(m, at);
  const savedMask = maskAndNeighbours(m, at);
  if (mask) m = cite(setVcpuInfo(m, at, 'evtchn_upcall_mask', vcpuInfo(m, at, 'evtchn_upcall_mask') | 1), 'trap/frame-mask');
  const selector = interrupted.segments.selectors[CS] & (fromUser ? 0xffff : 0xfffc);
  if (!store(slot(3), word(savedMask, selector))) return faulted(m, at);
  const iopl = domainOf(m, at.domid).vmAssist & (1n << BigInt(VMASST_TYPE.architectural_iopl)) ? vcpuOf(m, at).iopl << 12 : 0;
  const flags = (interrupted.flags & ~(FLAG.IF | FLAG.IOPL)) | ((savedMask & 0xff) === 0 ? FLAG.IF : 0) | iopl;
  if (!store(slot(4), word(0, flags))) return faulted(m, at);
  if (!store(slot(2), interrupted.rip)) return faulted(m, at);
  const bottom = error === null ? below7 : addInt(below7, -8);
  if (error !== null && !store(addInt(bottom, 16), word(0, error))) return faulted(m, at);
  if (!store(addInt(bottom, 8), interrupted.regs[R11])) return faulted(m, at);
  if (!store(bottom, interrupted.regs[RCX])) return faulted(m, at);

  const { cpu } = vcpuOf(m, at);
  const regs = cpu.regs.slice();
  regs[RSP] = bottom;
  m = setCpu(m, at, { ...cpu, regs, flags: cpu.flags & ~CLEARED, segments: onFlat(cpu.segments) });
  if (isZero(address)) return { delivered: false, machine: crashDomain(cite(m, 'trap/frame-no_handler'), at.domid, 'bounce-no-handler') };
  return { delivered: true, machine: updateVcpu(m, at, { cpu: { ...vcpuOf(m, at).cpu, rip: address } }) };
};

const crashed = (machine: Machine, at: VcpuRef): Bounced => ({
  delivered: false,
  machine: crashDomain(machine, at.domid, 'bounce-frame-fault'),
});
const faulted = (machine: Machine, at: VcpuRef): Bounced => crashed(cite(machine, 'trap/frame-fault'), at);

/** The upcall mask with the three bytes behind it, as Xen saves them into the upper half of the CS slot. */
const maskAndNeighbours = (machine: Machine, at: VcpuRef): number => {
  const { mfn, offset } = vcpuOf(machine, at).vcpuInfo;
  return read(machine.memory, mfn, offset + vcpu_info.fields.evtchn_upcall_mask.at, 4).lo;
};
