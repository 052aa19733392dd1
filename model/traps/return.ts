/**
 * The way out of Xen to a guest: pending NMI and event upcalls are pushed, then SYSRET or IRET. Chapter: spec/chapters/trap.md,
 * "Returning to the guest".
 */
import { FLAT, TI } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { type Fault, VECTOR } from '../cpu/x86/outcome.ts';
import { CS, DS, ES, R11, RCX } from '../cpu/x86/state.ts';
import { emulateCallGate } from '../emulate/call_gate.ts';
import { hasBreakpoints } from '../guest_system.ts';
import { cite, emit } from '../journal.ts';
import { domainOf, pcpuOf, replaceCpu, setCpu, takeRegisters, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { isCanonical } from '../memory/translate.ts';
import { isRunnable } from '../sched/runstate.ts';
import { onFlat } from '../segment_loads.ts';
import { eventsNeedDelivery } from '../vcpu_info.ts';
import { isZero, word } from '../word/word.ts';
import { bounce, FLAG } from './bounce.ts';
import { exitFromTrap, meetDebug } from './debug.ts';
import { injectException } from './exception.ts';
import { handleFault, injectTableFault, tableFault } from './fault.ts';
import { iretTo } from './iret_target.ts';

/** By which instruction Xen goes back: `sysret` clobbers RCX and R11. */
export type Exit = 'sysret' | 'iret';

const NMI = 2;
/** Flags that SYSRET and IRET load; the rest reads as zero, bit 1 as one. */
const SYSRET_FLAGS = 0x3c7fd7;
const IRET_FLAGS = 0x3e7fd5;

/** Leave Xen towards the guest, unless its vCPU can no longer run. */
export const returnToGuest = (machine: Machine, at: VcpuRef, exit: Exit): Machine => {
  const vcpu = vcpuOf(machine, at);
  if (pcpuOf(machine, at) < 0 || !isRunnable(machine, vcpu) || isPinnedElsewhere(machine, at)) return goesBackBy(machine, at, exit);
  if (vcpu.nmiPending && !vcpu.nmiMasked) return deliverNmi(machine, at, exit);
  if (eventsNeedDelivery(machine, at)) return deliverEvent(machine, at);
  const m = goesBackBy(machine, at, 'iret');
  if (domainOf(m, at.domid).pv32) return returnToCompat(m, at);
  return exit === 'sysret' ? sysret(m, at) : iret(m, at);
};

/**
 * compat/return-iret: a handler whose selector does not load is a fault again, and so frame follows frame until there is no room for one.
 */
const returnToCompat = (machine: Machine, at: VcpuRef): Machine => {
  let m = machine;
  for (let outer = 0; ; ) {
    const vcpu = vcpuOf(m, at);
    if (pcpuOf(m, at) < 0 || !isRunnable(m, vcpu)) return goesBackBy(m, at, 'sysret');
    if ((vcpu.nmiPending && !vcpu.nmiMasked) || eventsNeedDelivery(m, at)) return returnToGuest(m, at, 'sysret');
    const tried = iretTo(cite(goesBackBy(m, at, 'iret'), 'compat/return-iret'), at);
    if (tried.kind === 'loaded' || (tried.kind === 'fault' && tried.fault.error === 0)) return iret(cite(m, 'compat/return-iret'), at);
    if ((vcpu.cpu.segments.selectors[CS] & OUTER) !== 0 && ++outer > MOST_OUTER) throw new NotModelled('compat/handler-selector');
    const refused = cite(tried.machine, 'trap/return-refused');
    m = tried.kind === 'fault' ? refusedAt(refused, at, tried.fault) : injectTableFault(refused, at, tried.offset);
  }
};

/** compat/gate-return: a selector that is #GP may be a call gate, to the instruction that the vCPU stands at. */
const refusedAt = (machine: Machine, at: VcpuRef, { vector, error }: Fault): Machine =>
  vector === VECTOR.GP && error !== null && error !== 0
    ? emulateCallGate(cite(machine, 'compat/gate-return'), at, error).machine
    : injectException(machine, at, vector, error);

/** Rings 2 and 3 of a selector, and how many of its frames are looked at. */
const OUTER = 2;
const MOST_OUTER = 4;

/** It leaves this pCPU before it leaves Xen. */
export const isPinnedElsewhere = (machine: Machine, at: VcpuRef): boolean => {
  const { pinnedTo } = vcpuOf(machine, at);
  return pinnedTo !== null && pinnedTo !== pcpuOf(machine, at);
};

/** trap/return-held: a vCPU that stops inside Xen goes on as it would have; one that runs is interrupted, and goes on by IRET. */
export const goesBackBy = (machine: Machine, at: VcpuRef, wayBack: Exit): Machine => {
  if (vcpuOf(machine, at).wayBack === wayBack) return machine;
  return updateVcpu(wayBack === 'sysret' ? cite(machine, 'trap/return-held') : machine, at, { wayBack });
};

/** trap/return-nmi: the NMI handler is entry 2 of the virtual IDT. Without one the NMI is lost. */
const deliverNmi = (machine: Machine, at: VcpuRef, exit: Exit): Machine => {
  const entry = vcpuOf(machine, at).traps[NMI];
  const taken = updateVcpu(cite(machine, 'trap/return-nmi'), at, { nmiPending: false });
  if (isZero(entry.address)) return returnToGuest(cite(taken, 'trap/return-nmi_lost'), at, exit);
  const { delivered, machine: m } = bounce(updateVcpu(taken, at, { nmiMasked: true }), at, {
    address: entry.address,
    cs: entry.cs,
    error: null,
    mask: (entry.flags & TI.IF) !== 0,
  });
  return delivered ? returnToGuest(emit(m, { kind: 'callback', at, which: 'nmi' }), at, 'sysret') : m;
};

const deliverEvent = (machine: Machine, at: VcpuRef): Machine => {
  const { delivered, machine: m } = bounce(cite(machine, 'trap/return-event'), at, {
    address: vcpuOf(machine, at).callbacks.event,
    cs: vcpuOf(machine, at).callbackCs?.event ?? 0,
    error: null,
    mask: true,
  });
  return delivered ? returnToGuest(emit(m, { kind: 'callback', at, which: 'event' }), at, 'sysret') : m;
};

/** trap/return-sysret: RCX and R11 take RIP and RFLAGS, CS and SS the flat selectors. */
const sysret = (before: Machine, at: VcpuRef): Machine => {
  const { cpu, flagsAbove } = vcpuOf(before, at);
  const machine = flagsAbove === 0 ? before : cite(before, 'iret/frame-flags_above');
  const regs = takeRegisters(machine, at);
  regs[RCX] = cpu.rip;
  const restored = (cpu.flags & ~(FLAG.IOPL | FLAG.VM)) | FLAG.IF;
  regs[R11] = word(flagsAbove, restored);
  if (!isCanonical(cpu.rip)) return iret(cite(setCpu(machine, at, { ...cpu, regs, flags: restored }), 'trap/return-not_canonical'), at);
  const flags = (restored & SYSRET_FLAGS) | 2;
  const compat = cpu.segments.selectors[CS] === FLAT.RING3_CS32;
  const m = compat
    ? setCpu(cite(machine, 'trap/return-sysret_compat'), at, {
        ...cpu,
        regs,
        flags,
        rip: word(0, cpu.rip.lo),
        segments: onFlat(cpu.segments, FLAT.RING3_CS32),
      })
    : replaceCpu(cite(machine, 'trap/return-sysret'), at, { ...cpu, regs, flags, segments: onFlat(cpu.segments) });
  const gone = flagsSpent(m, at);
  return (restored & FLAG.TF) === 0 ? gone : returnToGuest(meetDebug(cite(gone, 'trap/return-sysret_tf'), at), at, exitFromTrap(gone, at));
};

/** iret/frame-flags_above: a way back that was refused keeps them for the next one. */
const flagsSpent = (machine: Machine, at: VcpuRef): Machine =>
  vcpuOf(machine, at).flagsAbove === 0 ? machine : updateVcpu(machine, at, { flagsAbove: 0 });

/** trap/return-iret: a target that IRET refuses comes back as a fault of the guest, at that target. */
const iret = (machine: Machine, at: VcpuRef): Machine => {
  const { cpu } = vcpuOf(machine, at);
  const tried = iretTo(machine, at);
  if (tried.kind === 'fault') return handleFault(cite(tried.machine, 'trap/return-refused'), at, tried.fault);
  if (tried.kind === 'missing') return tableFault(cite(tried.machine, 'trap/return-refused'), at, tried.offset);
  // RF matters to breakpoints alone, and is told only then.
  const resume = hasBreakpoints(vcpuOf(machine, at)) ? FLAG.RF : 0;
  const flags = (cpu.flags & (IRET_FLAGS | resume) & ~(FLAG.IOPL | FLAG.VM)) | FLAG.IF | 2;
  const nulls = tried.value.segments.selectors !== cpu.segments.selectors && hasOddNull(cpu.segments.selectors);
  const m = cite(flagsSpent(tried.machine, at), 'trap/return-iret');
  return setCpu(nulls ? cite(m, 'trap/return-null_selectors') : m, at, { ...cpu, ...tried.value, flags });
};

const hasOddNull = (selectors: readonly number[]): boolean =>
  [DS, ES].some((register) => selectors[register] > 0 && selectors[register] < 4);
