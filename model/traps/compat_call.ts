/** INT 0x82: a hypercall of a 32-bit kernel. Chapter: spec/chapters/compat.md, "Hypercalls". */
import type { VcpuRef } from '#spec/event.ts';
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI } from '../cpu/x86/state.ts';
import { callCompat } from '../hypercall/compat/call.ts';
import type { Ending } from '../hypercall/result.ts';
import { cite } from '../journal.ts';
import { setCpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { crashDomain, shutdownDomain } from '../sched/shutdown.ts';
import { fireAtOnce } from '../time/timers.ts';
import { type Word, word } from '../word/word.ts';
import { returnToGuest } from './return.ts';

const ARGUMENTS = [RBX, RCX, RDX, RSI, RDI, RBP] as const;
/** Length of INT n. */
const INT = 2;

const low = ({ lo }: Word): Word => word(0, lo);

/** The vCPU executed INT 0x82 in ring 1; EIP is behind it. */
export const enterByInt = (machine: Machine, at: VcpuRef): Machine => {
  const { regs } = vcpuOf(machine, at).cpu;
  const args = ARGUMENTS.map((register) => low(regs[register]));
  const result = callCompat(cite(machine, 'compat/call-int'), at, low(regs[RAX]), args, 0);
  const m = result.machine;
  if (result.kind === 'no_reply') return returnToGuest(fireAtOnce(m), at, 'iret');
  const { cpu } = vcpuOf(m, at);
  const after = cpu.regs.slice();
  if (result.kind === 'reply') {
    after[RAX] = low(result.value);
    return leave(setCpu(m, at, { ...cpu, regs: after }), at, result.ending);
  }
  after[RAX] = low(regs[RAX]);
  for (const [i, value] of result.args.entries()) after[ARGUMENTS[i]] = low(value);
  const again = { ...cpu, regs: after, rip: word(0, cpu.rip.lo - INT) };
  return leave(setCpu(cite(m, 'compat/call-preempted'), at, again), at, result.ending);
};

const leave = (machine: Machine, at: VcpuRef, ending: Ending | undefined): Machine => {
  if (!ending) return returnToGuest(fireAtOnce(machine), at, 'iret');
  const ended = ending.kind === 'crash' ? crashDomain(machine, at.domid, ending.why) : shutdownDomain(machine, at.domid, ending.reason);
  return returnToGuest(fireAtOnce(ended), at, 'iret');
};
