/** Segment registers at a vCPU's switch onto a pCPU, and the failsafe callback. Chapter: spec/chapters/descriptor.md, "Loads by Xen". */
import { FLAT_COMPAT } from '#spec/abi/compat.ts';
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { CS, DS, ES, FS, GS, R11, RCX, RSP, type Segments, SS } from '../cpu/x86/state.ts';
import { withoutInner } from '../cpu/x86/system/segments.ts';
import { copyToGuest } from '../guest_copy.ts';
import { cite, emit } from '../journal.ts';
import { domainOf, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { bytesOf } from '../memory/guest.ts';
import { crashDomain } from '../sched/shutdown.ts';
import { loadByXen, onFlat } from '../segment_loads.ts';
import { setVcpuInfo, vcpuInfo } from '../vcpu_info.ts';
import { addInt, fromNumber, type Word, word } from '../word/word.ts';
import { FLAG } from './bounce.ts';
import { toggleMode } from './mode.ts';

/** Bits of a selector that name a ring. */
const RPL = 3;

/** `bad`: a selector could not be loaded. `selectors`: those that the vCPU had before. */
type Reloaded = { readonly machine: Machine; readonly bad: boolean };

/** descriptor/switch-reload: FS, GS, DS and ES from the tables as they are now; bases of FS and GS stay. */
const reload = (machine: Machine, at: VcpuRef): Reloaded => {
  const before = vcpuOf(machine, at).cpu.segments;
  let m = cite(machine, 'descriptor/switch-reload');
  let bad = false;
  for (const register of [FS, GS, DS, ES]) {
    const tried = loadByXen(m, at, register, before.selectors[register]);
    const loaded = tried.segments ? tried : loadByXen(tried.machine, at, register, 0);
    bad ||= tried.segments === null;
    const outer = withoutInner(loaded.segments!, before.selectors[CS] & RPL);
    m = withLoaded(loaded.machine, at, { ...outer, fsBase: before.fsBase, gsBase: before.gsBase });
  }
  return { machine: m, bad };
};

const withLoaded = (machine: Machine, at: VcpuRef, segments: Segments): Machine =>
  updateVcpu(machine, at, { cpu: { ...vcpuOf(machine, at).cpu, segments } });

/** The vCPU's segment registers are loaded for it. `failsafe`: it stands at its failsafe callback now. */
export const loadSegments = (machine: Machine, at: VcpuRef): { readonly machine: Machine; readonly failsafe: boolean } => {
  const { selectors } = vcpuOf(machine, at).cpu.segments;
  const { machine: m, bad } = reload(machine, at);
  return bad
    ? { machine: failsafe(cite(m, 'descriptor/switch-failsafe'), at, selectors), failsafe: true }
    : { machine: m, failsafe: false };
};

/** From the top down: SS RSP RFLAGS CS RIP GS FS ES DS R11 RCX, the selectors as they should have been. */
const failsafe = (machine: Machine, at: VcpuRef, selectors: readonly number[]): Machine => {
  if (domainOf(machine, at.domid).pv32) return compatFailsafe(machine, at, selectors);
  const { cpu, mode, kernelSp, iopl } = vcpuOf(machine, at);
  const stack = mode === 'kernel' ? cpu.regs[RSP] : kernelSp;
  let m = mode === 'user' ? toggleMode(machine, at) : machine;
  const masked = vcpuInfo(m, at, 'evtchn_upcall_mask');
  const architectural = (domainOf(m, at.domid).vmAssist & (1n << BigInt(VMASST_TYPE.architectural_iopl))) !== 0n;
  const flags = (cpu.flags & ~(FLAG.IF | FLAG.IOPL)) | (masked === 0 ? FLAG.IF : 0) | (architectural ? iopl << 12 : 0);
  const code = mode === 'kernel' ? selectors[CS] & ~3 : selectors[CS];
  const data = [GS, FS, ES, DS].map((register) => fromNumber(selectors[register]));
  const words: Word[] = [fromNumber(selectors[SS]), cpu.regs[RSP], word(0, flags), word(masked, code), cpu.rip, ...data];
  words.push(cpu.regs[R11], cpu.regs[RCX]);
  const top = word(stack.hi, stack.lo & ~15);
  let stored = true;
  for (const [k, value] of words.entries()) {
    const one = copyToGuest(m, at, addInt(top, -8 * (k + 1)), bytesOf([value]));
    m = one.machine;
    stored &&= one.ok;
  }
  if (!stored) m = crashDomain(m, at.domid, 'bounce-frame-fault');
  const { masking, callbacks } = vcpuOf(m, at);
  if (masking.failsafe) m = setVcpuInfo(m, at, 'evtchn_upcall_mask', 1);
  const now = vcpuOf(m, at).cpu;
  const entered = {
    ...now,
    rip: callbacks.failsafe,
    regs: now.regs.with(RSP, addInt(top, -8 * words.length)),
    flags: now.flags & ~(FLAG.AC | FLAG.VM | FLAG.RF | FLAG.NT | FLAG.IOPL | FLAG.TF),
    segments: onFlat(now.segments),
  };
  const turned = updateVcpu(m, at, { cpu: entered });
  return stored ? emit(turned, { kind: 'callback', at, which: 'failsafe' }) : turned;
};

/**
 * compat/failsafe-frame: from the top down SS and ESP, from another ring than 1, then EFLAGS, CS with the upcall mask, EIP, GS, FS, ES and DS, at a flat
 * address. The handler runs on Xen's selectors.
 */
const compatFailsafe = (machine: Machine, at: VcpuRef, selectors: readonly number[]): Machine => {
  const { cpu, kernelSp, iopl } = vcpuOf(machine, at);
  const inner = (selectors[CS] & RPL) === 1;
  const masked = vcpuInfo(machine, at, 'evtchn_upcall_mask');
  const architectural = (domainOf(machine, at.domid).vmAssist & (1n << BigInt(VMASST_TYPE.architectural_iopl))) !== 0n;
  const flags = (cpu.flags & ~(FLAG.IF | FLAG.IOPL)) | (masked === 0 ? FLAG.IF : 0) | (architectural ? iopl << 12 : 0);
  const values = inner ? [] : [selectors[SS], cpu.regs[RSP].lo];
  values.push(flags, selectors[CS] | (masked << 16), cpu.rip.lo, ...[GS, FS, ES, DS].map((register) => selectors[register]));
  const top = inner ? cpu.regs[RSP] : kernelSp;
  let m = cite(machine, 'compat/failsafe-frame');
  let stored = true;
  for (const [k, value] of values.entries()) {
    const one = copyToGuest(m, at, addInt(top, -4 * (k + 1)), bytesOf([word(0, value)]).subarray(0, 4));
    m = one.machine;
    stored &&= one.ok;
  }
  if (!stored) m = crashDomain(m, at.domid, 'bounce-frame-fault');
  const { masking, callbacks } = vcpuOf(m, at);
  if (masking.failsafe) m = setVcpuInfo(m, at, 'evtchn_upcall_mask', 1);
  const now = vcpuOf(m, at).cpu;
  const entered = now.segments.selectors.with(CS, FLAT_COMPAT.KERNEL_CS).with(SS, FLAT_COMPAT.KERNEL_SS);
  const turned = updateVcpu(m, at, {
    mode: 'kernel',
    cpu: {
      ...now,
      rip: callbacks.failsafe,
      regs: now.regs.with(RSP, word(0, addInt(top, -4 * values.length).lo)),
      flags: now.flags & ~(FLAG.VM | FLAG.RF | FLAG.NT | FLAG.IOPL | FLAG.TF),
      segments: { ...now.segments, selectors: entered },
    },
  });
  return stored ? emit(turned, { kind: 'callback', at, which: 'failsafe' }) : turned;
};
