/** The SYSCALL instruction: a hypercall from the guest kernel, a call of the guest kernel from guest user. */
import { FLAT_COMPAT } from '#spec/abi/compat.ts';
import { FLAT, TI } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { VECTOR } from '../cpu/x86/outcome.ts';
import { type CpuState, CS, R8, R9, R10, RAX, RDI, RDX, RSI, RSP, SS } from '../cpu/x86/state.ts';
import { callHypercall } from '../hypercall/dispatch.ts';
import type { Ending } from '../hypercall/result.ts';
import { cite, emit } from '../journal.ts';
import { replaceCpu, setCpu, takeRegisters, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { crashDomain, shutdownDomain } from '../sched/shutdown.ts';
import { type FlatCode, onFlat } from '../segment_loads.ts';
import { fireAtOnce } from '../time/timers.ts';
import { addInt, isZero, type Word } from '../word/word.ts';
import { bounce, FLAG } from './bounce.ts';
import { injectException } from './exception.ts';
import { returnToGuest } from './return.ts';

/** Length of the SYSCALL instruction. */
const SYSCALL = 2;
const ARGUMENTS = [RDI, RSI, RDX, R10, R8, R9] as const;

/** The vCPU executed SYSCALL; its state is as the processor leaves it to Xen. */
export const enterBySyscall = (machine: Machine, at: VcpuRef): Machine => {
  const { cpu, mode, tables } = vcpuOf(machine, at);
  if (tables.pv32) return callCompatKernel(machine, at);
  if (cpu.system.mode !== '64') return callGuestKernel(onSelectors(machine, at, FLAT.RING3_CS32), at, 'syscall32');
  const entered = onSelectors(machine, at, FLAT.RING3_CS64);
  return mode === 'kernel' ? hypercall(entered, at) : callGuestKernel(entered, at, 'syscall');
};

/** What Xen notes as the guest's CS and SS on this way in, whatever they were. */
const onSelectors = (machine: Machine, at: VcpuRef, code: FlatCode): Machine => {
  const { cpu } = vcpuOf(machine, at);
  const segments = onFlat(cpu.segments, code);
  return segments === cpu.segments ? machine : setCpu(machine, at, { ...cpu, segments });
};

const hypercall = (machine: Machine, at: VcpuRef): Machine => {
  const { regs } = vcpuOf(machine, at).cpu;
  const args = [regs[RDI], regs[RSI], regs[RDX], regs[R10], regs[R8], regs[R9]];
  const result = callHypercall(machine, at, regs[RAX], args, 0);
  const m = result.machine;
  if (result.kind === 'no_reply') return returnToGuest(fireAtOnce(m), at, result.exit);
  if (result.kind === 'reply') {
    const answered = withAnswer(m, at, result.value);
    return returnToGuest(fireAtOnce(result.ending ? end(answered, at, result.ending) : answered), at, 'sysret');
  }
  const { cpu } = vcpuOf(m, at);
  // hypercall/preempted: the guest finds itself at the instruction again, with what is left to do in its registers.
  const again = withRegs(cpu, [[RAX, regs[RAX]], ...result.args.map((value, i) => [ARGUMENTS[i], value] as const)]);
  const restarted = setCpu(cite(m, 'hypercall/preempted'), at, { ...again, rip: addInt(again.rip, -SYSCALL) });
  return returnToGuest(fireAtOnce(result.ending ? end(restarted, at, result.ending) : restarted), at, 'sysret');
};

const withAnswer = (machine: Machine, at: VcpuRef, value: Word): Machine => {
  const regs = takeRegisters(machine, at);
  regs[RAX] = value;
  return replaceCpu(machine, at, { ...vcpuOf(machine, at).cpu, regs });
};

const withRegs = (cpu: CpuState, values: readonly (readonly [number, CpuState['rip']])[]): CpuState => {
  const regs = cpu.regs.slice();
  for (const [r, value] of values) regs[r] = value;
  return { ...cpu, regs };
};

const end = (machine: Machine, at: VcpuRef, ending: Ending): Machine =>
  ending.kind === 'crash' ? crashDomain(machine, at.domid, ending.why) : shutdownDomain(machine, at.domid, ending.reason);

/**
 * trap/syscall-user, trap/syscall-compat: to the callback, or as #UD at the instruction when there is none. Whether events are masked is
 * the 64-bit callback's to say for both.
 */
const callGuestKernel = (before: Machine, at: VcpuRef, which: 'syscall' | 'syscall32'): Machine => {
  const machine = which === 'syscall32' ? cite(before, 'trap/syscall-compat') : before;
  const vcpu = vcpuOf(machine, at);
  const ways = waysOf(machine.config.release);
  const own = vcpu.callbacks[which];
  const address = isZero(own) && ways['syscall-compat_fallback'] === 'the 64-bit callback' ? vcpu.callbacks.syscall : own;
  if (isZero(address) && ways['syscall-no_callback'] === '#UD') return refuse(machine, at);
  const { delivered, machine: m } = bounce(cite(machine, 'trap/syscall-user'), at, { address, error: null, mask: vcpu.masking.syscall });
  if (!delivered) return m;
  return returnToGuest(emit(clobberFlags(m, at), { kind: 'callback', at, which: 'syscall' }), at, 'sysret');
};

/**
 * compat/syscall32: from ring 1 and 3 alike to the callback, or as #GP at the instruction when that has no selector. The frame is one of ring 3.
 */
const callCompatKernel = (before: Machine, at: VcpuRef): Machine => {
  const { cpu, callbacks, callbackCs, masking } = vcpuOf(before, at);
  const selectors = cpu.segments.selectors.with(CS, FLAT_COMPAT.USER_CS).with(SS, FLAT_COMPAT.USER_SS);
  const called = { ...cpu, segments: { ...cpu.segments, selectors } };
  const machine = updateVcpu(cite(before, 'compat/syscall32'), at, { mode: 'user', cpu: called });
  const cs = callbackCs?.syscall32 ?? 0;
  if (cs < 4) {
    const back = updateVcpu(machine, at, { cpu: { ...called, rip: addInt(called.rip, -SYSCALL) } });
    return returnToGuest(injectException(back, at, VECTOR.GP, 0), at, 'sysret');
  }
  const { delivered, machine: m } = bounce(machine, at, { address: callbacks.syscall32, cs, error: null, mask: masking.syscall32 });
  return delivered ? returnToGuest(emit(m, { kind: 'callback', at, which: 'syscall' }), at, 'sysret') : m;
};

const refuse = (machine: Machine, at: VcpuRef): Machine => {
  const { cpu, traps } = vcpuOf(machine, at);
  const back = setCpu(cite(machine, 'trap/syscall-no_callback'), at, { ...cpu, rip: addInt(cpu.rip, -SYSCALL) });
  const entry = traps[VECTOR.UD];
  const { delivered, machine: m } = bounce(back, at, { address: entry.address, error: null, mask: (entry.flags & TI.IF) !== 0 });
  if (!delivered) return m;
  const told = emit(m, { kind: 'exception', at, vector: VECTOR.UD, error: null, address: null });
  return returnToGuest(clobberFlags(told, at), at, 'sysret');
};

/** trap/syscall-flags: 4.17.7 keeps its mask for DF in a register that the frame's stack pointer has meanwhile overwritten. */
const clobberFlags = (machine: Machine, at: VcpuRef): Machine => {
  const { cpu } = vcpuOf(machine, at);
  const mask = waysOf(machine.config.release)['syscall-flags'] === 'without DF' ? ~FLAG.DF : cpu.regs[RSP].lo;
  return updateVcpu(cite(machine, 'trap/syscall-flags'), at, { cpu: { ...cpu, flags: cpu.flags & mask } });
};
