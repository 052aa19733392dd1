/** The iret hypercall of a 32-bit kernel. Chapter: spec/chapters/compat.md. */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { CS, RAX, RSP, SS } from '../../cpu/x86/state.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { domainOf, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { FLAG } from '../../traps/bounce.ts';
import { modeOf } from '../../traps/compat_bounce.ts';
import { setVcpuInfo } from '../../vcpu_info.ts';
import { word, ZERO } from '../../word/word.ts';
import { notModelled } from '../not_modelled.ts';
import type { HypercallResult, Perform } from '../result.ts';

/** EAX EIP CS EFLAGS, of four bytes each; behind them ESP and SS. */
const INNER = 16;
const OUTER = 24;

export const iret: Perform = (machine, caller) => {
  const { regs } = vcpuOf(machine, caller).cpu;
  const sp = word(0, regs[RSP].lo);
  const inner = copyFromGuest(machine, caller, sp, INNER);
  if (!inner.ok) return crash(cite(inner.machine, 'compat/iret-frame'));
  const field = (n: number): number => wordIn(inner.bytes, n * 4, 4).lo;
  const [eax, eip, cs, wanted] = [field(0), field(1), field(2) & 0xffff, field(3)];
  if ((wanted & FLAG.VM) !== 0) return notModelled(inner.machine, caller, 'compat/iret/vm86');
  if ((cs & 3) === 0) return crash(cite(inner.machine, 'compat/iret-ring0'));
  let m = inner.machine;
  let ss = vcpuOf(m, caller).cpu.segments.selectors[SS];
  let esp = sp.lo + INNER;
  if ((cs & 3) > 1) {
    const outer = copyFromGuest(m, caller, sp, OUTER);
    m = outer.machine;
    if (!outer.ok) return crash(cite(m, 'compat/iret-frame'));
    esp = wordIn(outer.bytes, INNER, 4).lo;
    ss = wordIn(outer.bytes, INNER + 4, 4).lo & 0xffff;
  }
  return into(cite(m, (cs & 3) > 1 ? 'compat/iret-user' : 'compat/iret-kernel'), caller, { eax, eip, cs, wanted, esp, ss });
};

type Frame = Readonly<Record<'eax' | 'eip' | 'cs' | 'wanted' | 'esp' | 'ss', number>>;

const into = (machine: Machine, at: VcpuRef, { eax, eip, cs, wanted, esp, ss }: Frame): HypercallResult => {
  const vcpu = vcpuOf(machine, at);
  const { cpu } = vcpu;
  const segments = { ...cpu.segments, selectors: cpu.segments.selectors.with(CS, cs).with(SS, ss) };
  const regs = cpu.regs.with(RAX, word(0, eax)).with(RSP, word(0, esp));
  const architectural = (domainOf(machine, at.domid).vmAssist & (1n << BigInt(VMASST_TYPE.architectural_iopl))) !== 0n;
  const m = updateVcpu(machine, at, {
    cpu: { ...cpu, regs, rip: word(0, eip), flags: (wanted & ~FLAG.IOPL) | FLAG.IF, segments },
    mode: modeOf(cs),
    iopl: architectural ? (wanted & FLAG.IOPL) >> 12 : vcpu.iopl,
    nmiMasked: false,
  });
  return { kind: 'no_reply', machine: setVcpuInfo(m, at, 'evtchn_upcall_mask', (wanted & FLAG.IF) === 0 ? 1 : 0), exit: 'iret' };
};

const crash = (machine: Machine): HypercallResult => ({
  kind: 'reply',
  machine: { ...machine, reschedule: true },
  value: ZERO,
  ending: { kind: 'crash', why: 'iret-frame' },
});
