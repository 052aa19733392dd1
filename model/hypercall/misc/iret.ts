/** The iret hypercall: back from a handler, or into user mode. Chapter: spec/chapters/iret.md. */
import { iret_context, VGCF, VMASST_TYPE } from '#spec/abi/xen.ts';
import type { CrashReason, VcpuRef } from '#spec/event.ts';
import { CS, R11, RAX, RCX, RSP, SS } from '../../cpu/x86/state.ts';
import { readGuestWords } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { domainOf, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { FLAG } from '../../traps/bounce.ts';
import { toggleMode } from '../../traps/mode.ts';
import { setVcpuInfo } from '../../vcpu_info.ts';
import { type Word, ZERO } from '../../word/word.ts';
import type { HypercallResult, Perform } from '../result.ts';

/** Fields of the frame are words, at these indexes. */
const { rax, r11, rcx, flags, rip, cs, rflags, rsp, ss } = iret_context.fields;

export const iret: Perform = (machine, caller) => {
  const { words, machine: m } = readGuestWords(machine, caller, vcpuOf(machine, caller).cpu.regs[RSP], iret_context.size / 8);
  if (!words) return crash(cite(m, 'iret/frame-fault'), 'iret-frame');
  const frame = (field: { readonly at: number }): Word => words[field.at / 8];
  if ((frame(cs).lo & 3) !== 3) return into(cite(m, 'iret/frame-kernel'), caller, frame);
  if (vcpuOf(m, caller).userTable === 0) return crash(cite(m, 'iret/frame-no_user_table'), 'iret-no-user-table');
  return into(cite(toggleMode(m, caller), 'iret/frame-user'), caller, frame);
};

/** iret/frame-restored: selectors get RPL 3; RFLAGS lose IOPL and VM and have IF; the upcall mask follows the frame's IF. */
const into = (machine: Machine, at: VcpuRef, frame: (field: { readonly at: number }) => Word): HypercallResult => {
  const vcpu = vcpuOf(machine, at);
  const { lo: wanted, hi: above } = frame(rflags);
  const selectors = vcpu.cpu.segments.selectors.slice();
  selectors[CS] = (frame(cs).lo & 0xffff) | 3;
  selectors[SS] = (frame(ss).lo & 0xffff) | 3;
  const regs = vcpu.cpu.regs.slice();
  regs[RAX] = frame(rax);
  regs[RSP] = frame(rsp);
  const inSyscall = (frame(flags).lo & VGCF.in_syscall) !== 0;
  if (!inSyscall) {
    regs[RCX] = frame(rcx);
    regs[R11] = frame(r11);
  }
  const cpu = {
    ...vcpu.cpu,
    regs,
    rip: frame(rip),
    flags: (wanted & ~(FLAG.IOPL | FLAG.VM)) | FLAG.IF,
    segments: { ...vcpu.cpu.segments, selectors },
  };
  const architectural = (domainOf(machine, at.domid).vmAssist & (1n << BigInt(VMASST_TYPE.architectural_iopl))) !== 0n;
  const iopl = architectural ? (wanted & FLAG.IOPL) >> 12 : vcpu.iopl;
  const restored = updateVcpu(cite(machine, 'iret/frame-restored'), at, { cpu, iopl, nmiMasked: false, flagsAbove: above });
  const masked = setVcpuInfo(restored, at, 'evtchn_upcall_mask', (wanted & FLAG.IF) === 0 ? 1 : 0);
  return {
    kind: 'no_reply',
    machine: cite(masked, inSyscall ? 'iret/exit-sysret' : 'iret/exit-iret'),
    exit: inSyscall ? 'sysret' : 'iret',
  };
};

/** The domain ends; RAX reads zero. */
const crash = (machine: Machine, why: CrashReason): HypercallResult => ({
  kind: 'reply',
  machine: { ...machine, reschedule: true },
  value: ZERO,
  ending: { kind: 'crash', why },
});
