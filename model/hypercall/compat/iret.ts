/** The iret hypercall of a 32-bit kernel. Chapter: spec/chapters/compat.md. */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { type CpuState, CS, RAX, RSP, SS } from '../../cpu/x86/state.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { domainOf, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { FLAG } from '../../traps/bounce.ts';
import { modeOf } from '../../traps/compat_bounce.ts';
import { setVcpuInfo } from '../../vcpu_info.ts';
import { addInt, word, ZERO } from '../../word/word.ts';
import { notModelled } from '../not_modelled.ts';
import type { HypercallResult, Perform } from '../result.ts';

/** Bytes of a word, and of EAX, EIP, CS and EFLAGS; behind them lie ESP and SS. */
const [WORD, INNER] = [4, 16] as const;
const FRAME = { eax: 0, eip: 1, cs: 2, eflags: 3, esp: 4, ss: 5 } as const;
type Field = keyof typeof FRAME;

/** A machine in which the frame has been popped so far; null in place of it when the frame could not be read. */
type Popped = { readonly machine: Machine; readonly value: number | null };

const pop = (machine: Machine, at: VcpuRef, sp: number, field: Field): Popped => {
  const from = addInt(word(0, sp), FRAME[field] * WORD);
  const read = copyFromGuest(machine, at, from, WORD);
  return { machine: read.machine, value: read.ok ? wordIn(read.bytes, 0, WORD).lo : null };
};

const changed = (machine: Machine, at: VcpuRef, change: (cpu: CpuState) => Partial<CpuState>): Machine => {
  const { cpu } = vcpuOf(machine, at);
  return updateVcpu(machine, at, { cpu: { ...cpu, ...change(cpu) } });
};
const withRegister = (machine: Machine, at: VcpuRef, register: number, value: number): Machine =>
  changed(machine, at, ({ regs }) => ({ regs: regs.with(register, word(0, value)) }));
const withSelector = (machine: Machine, at: VcpuRef, register: number, value: number): Machine =>
  changed(machine, at, ({ segments }) => ({
    segments: { ...segments, selectors: segments.selectors.with(register, value & 0xffff) },
  }));

/** Registers take what was popped one after another: a domain that crashes on the way keeps those that it had got. */
const INTO: Readonly<Record<Field, (machine: Machine, at: VcpuRef, value: number) => Machine>> = {
  eax: (m, at, value) => withRegister(m, at, RAX, value),
  eip: (m, at, value) => changed(m, at, () => ({ rip: word(0, value) })),
  cs: (m, at, value) => updateVcpu(withSelector(m, at, CS, value), at, { mode: modeOf(value) }),
  eflags: (m, at, value) => {
    const flagged = changed(m, at, () => ({ flags: (value & ~FLAG.IOPL) | FLAG.IF }));
    const architectural = (domainOf(m, at.domid).vmAssist & (1n << BigInt(VMASST_TYPE.architectural_iopl))) !== 0n;
    return architectural ? updateVcpu(flagged, at, { iopl: (value & FLAG.IOPL) >> 12 }) : flagged;
  },
  esp: (m, at, value) => withRegister(m, at, RSP, value),
  ss: (m, at, value) => withSelector(m, at, SS, value),
};

export const iret: Perform = (machine, caller) => {
  const sp = vcpuOf(machine, caller).cpu.regs[RSP].lo;
  let m = withRegister(machine, caller, RSP, sp);
  const taken: Partial<Record<Field, number>> = {};
  const take = (...fields: readonly Field[]): boolean =>
    fields.every((field) => {
      const { machine: read, value } = pop(m, caller, sp, field);
      m = value === null ? cite(read, 'compat/iret-frame') : INTO[field](read, caller, value);
      if (value !== null) taken[field] = value;
      return value !== null;
    });
  if (!take('eax', 'eip', 'cs', 'eflags')) return crash(m);
  const [ring, flags] = [taken.cs! & 3, taken.eflags!];
  if ((flags & FLAG.VM) !== 0) return notModelled(m, caller, 'compat/iret/vm86');
  if (ring === 0) return crash(cite(m, 'compat/iret-ring0'));
  if (ring === 1) m = withRegister(cite(m, 'compat/iret-kernel'), caller, RSP, (sp + INNER) | 0);
  else if (!take('ss', 'esp')) return crash(m);
  else m = cite(m, 'compat/iret-user');
  const masked = (flags & FLAG.IF) === 0 ? 1 : 0;
  return {
    kind: 'no_reply',
    machine: setVcpuInfo(updateVcpu(m, caller, { nmiMasked: false }), caller, 'evtchn_upcall_mask', masked),
    exit: 'iret',
  };
};

const crash = (machine: Machine): HypercallResult => ({
  kind: 'reply',
  machine: { ...machine, reschedule: true },
  value: ZERO,
  ending: { kind: 'crash', why: 'iret-frame' },
});
