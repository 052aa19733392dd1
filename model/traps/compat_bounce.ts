/** Frames on the stacks of 32-bit kernels, which run in ring 1. Chapter: spec/chapters/compat.md, "Frames". */
import { COMPAT } from '#spec/abi/compat.ts';
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { CrashReason, VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { CS, FS, RSP, type Segments, SS, segmentOf, withSegment } from '../cpu/x86/state.ts';
import { copyToGuest } from '../guest_copy.ts';
import { cite } from '../journal.ts';
import { domainOf, setCpu, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { read } from '../memory/access.ts';
import { bytesOf } from '../memory/guest.ts';
import { crashDomain } from '../sched/shutdown.ts';
import { loadByXen } from '../segment_loads.ts';
import { setVcpuInfo, vcpuInfo } from '../vcpu_info.ts';
import { word } from '../word/word.ts';
import { type Bounce, type Bounced, FLAG } from './bounce.ts';

/** Push a frame and turn the vCPU to the handler, in ring 1. */
export const compatBounce = (machine: Machine, at: VcpuRef, { address, error, mask, cs = 0 }: Bounce): Bounced => {
  const before = vcpuOf(machine, at);
  const { cpu } = before;
  const fromUser = before.mode === 'user';
  const selector = fromUser ? before.kernelSs : cpu.segments.selectors[SS];
  if (selector < 4) throw new NotModelled('compat/null_stack_selector');
  const loaded = loadByXen(machine, at, FS, selector);
  if (!loaded.segments) return crashed(cite(loaded.machine, 'compat/frame-bad_stack'), at, 'bounce-bad-selector');
  const stack = segmentOf(loaded.segments, FS);
  let m = cite(loaded.machine, fromUser ? 'compat/frame-user' : 'compat/frame-kernel');
  let sp = (fromUser ? before.kernelSp : cpu.regs[RSP]).lo;
  let ok = true;
  const store = (offset: number, value: number): void => {
    if (!ok) return;
    const stored = copyToGuest(m, at, word(0, stack.base.lo + sp + offset), bytesOf([word(0, value)]).subarray(0, 4));
    m = stored.machine;
    ok = stored.ok;
  };
  if (fromUser) {
    sp -= 8;
    store(0, cpu.regs[RSP].lo);
    store(4, cpu.segments.selectors[SS]);
  }
  if (!ok) return faulted(m, at);
  sp -= 12;
  const savedMask = maskOf(m, at);
  if (mask) m = setVcpuInfo(m, at, 'evtchn_upcall_mask', vcpuInfo(m, at, 'evtchn_upcall_mask') | 1);
  store(4, (savedMask << 16) | cpu.segments.selectors[CS]);
  const architectural = (domainOf(m, at.domid).vmAssist & (1n << BigInt(VMASST_TYPE.architectural_iopl))) !== 0n;
  const flags = (cpu.flags & ~(FLAG.IF | FLAG.IOPL)) | ((savedMask & 0xff) === 0 ? FLAG.IF : 0);
  store(8, flags | (architectural ? before.iopl << 12 : 0));
  store(0, cpu.rip.lo);
  if (error !== null) {
    sp -= 4;
    store(0, error);
  }
  if (!ok) return faulted(m, at);
  const now = vcpuOf(m, at).cpu;
  const cleared = FLAG.VM | FLAG.RF | FLAG.NT | FLAG.TF;
  const onStack: Segments = withSegment(now.segments, SS, { ...stack, selector });
  m = setCpu(m, at, { ...now, regs: now.regs.with(RSP, word(0, sp)), flags: now.flags & ~cleared, segments: onStack });
  if (cs < 4) return crashed(cite(m, 'compat/frame-no_handler'), at, 'bounce-no-handler');
  const entered = withSelector(onStack, cs);
  m = updateVcpu(cite(m, 'compat/frame-handler'), at, { mode: modeOf(cs), cpu: { ...vcpuOf(m, at).cpu, rip: address, segments: entered } });
  return { delivered: true, machine: m };
};

/** The way back loads CS from the tables; until then its selector alone counts. */
const withSelector = (segments: Segments, cs: number): Segments => ({ ...segments, selectors: segments.selectors.with(CS, cs) });

/** compat/ring-mode */
export const modeOf = (cs: number): 'kernel' | 'user' => ((cs & 3) === 1 ? 'kernel' : 'user');

const crashed = (machine: Machine, at: VcpuRef, why: CrashReason): Bounced => ({
  delivered: false,
  machine: crashDomain(machine, at.domid, why),
});
const faulted = (machine: Machine, at: VcpuRef): Bounced => crashed(cite(machine, 'compat/frame-fault'), at, 'bounce-frame-fault');

/** The upcall mask with the byte behind it: 16 bits of the CS slot. */
const maskOf = (machine: Machine, at: VcpuRef): number => {
  const { mfn, offset } = vcpuOf(machine, at).vcpuInfo;
  return read(machine.memory, mfn, offset + COMPAT.vcpu_info.fields.evtchn_upcall_mask.at, 2).lo;
};
