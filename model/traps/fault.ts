/** Exceptions that the guest ran into, as Xen treats them. Chapter: spec/chapters/trap.md, "Exceptions". */
import { TI, XEN_PRIVATE_RANGES } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { ModelBug } from '#spec/failure.ts';
import { type Fault, PF, VECTOR } from '../cpu/x86/outcome.ts';
import { emulateCallGate } from '../emulate/call_gate.ts';
import { emulateForced } from '../emulate/forced.ts';
import { assisted, emulatePageTableWrite } from '../emulate/page_table_write.ts';
import { emulatePrivileged } from '../emulate/privileged.ts';
import { linearlyRead } from '../emulate/read_only_mapping.ts';
import { emulateReadOnlyMmio } from '../emulate/read_only_mmio.ts';
import { addressOk } from '../guest_copy.ts';
import { cite } from '../journal.ts';
import { domainOf, setCpu, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { isCanonical } from '../memory/translate.ts';
import { addInt, toBigInt, type Word } from '../word/word.ts';
import { injectException, injectPageFault } from './exception.ts';
import { returnToGuest } from './return.ts';
import { injectSoftwareInterrupt } from './software_interrupt.ts';

/** Deal with a fault, and go back to the guest. */
export const handleFault = (machine: Machine, at: VcpuRef, fault: Fault): Machine => {
  switch (fault.vector) {
    case VECTOR.PF:
      return pageFault(machine, at, fault.error!, fault.address!);
    case VECTOR.GP:
      return generalProtection(machine, at, fault.error!);
    case VECTOR.NM:
      return bounced(withoutTs(cite(machine, 'trap/exception-no_device'), at), at, VECTOR.NM, null);
    case VECTOR.UD:
      return emulateForced(machine, at) ?? bounced(machine, at, VECTOR.UD, null);
    default:
      return bounced(machine, at, fault.vector, fault.error);
  }
};

/** The guest's TS is cleared, and the state of x87, MMX and SSE is there: trap/fpu-loaded. */
const withoutTs = (machine: Machine, at: VcpuRef): Machine => {
  const { cpu } = vcpuOf(machine, at);
  const system = { ...cpu.system, fpuAside: false };
  return updateVcpu(machine, at, { taskSwitched: false, cpu: { ...cpu, system } });
};

/**
 * The processor needs a descriptor from a page of the local table that cannot be mapped, at byte `offset` of it. descriptor/ldt-fault,
 * descriptor/ldt-not_canonical.
 */
export const tableFault = (machine: Machine, at: VcpuRef, offset: number): Machine =>
  returnToGuest(injectTableFault(machine, at, offset), at, 'sysret');

/** The same, without the way back. */
export const injectTableFault = (machine: Machine, at: VcpuRef, offset: number): Machine => {
  const address = addInt(vcpuOf(machine, at).tables.ldtBase, offset);
  if (!isCanonical(address)) return injectException(cite(machine, 'descriptor/ldt-not_canonical'), at, VECTOR.GP, offset | LOCAL);
  return injectPageFault(cite(machine, 'descriptor/ldt-fault'), at, 0, address);
};
/** A selector of the local table, in an error code. */
const LOCAL = 4;

const bounced = (machine: Machine, at: VcpuRef, vector: number, error: number | null): Machine =>
  returnToGuest(injectException(machine, at, vector, error), at, 'sysret');

const pageFault = (before: Machine, at: VcpuRef, seen: number, address: Word): Machine => {
  if ((seen & PF.RESERVED) !== 0) throw new ModelBug('a guest page table with a reserved bit');
  const xens = inXen(before, address);
  const error = xens ? seen | PF.PRESENT : seen;
  const writesReadOnly = (error & (PF.WRITE | PF.PRESENT | PF.FETCH)) === (PF.WRITE | PF.PRESENT);
  const emulated = writesReadOnly && vcpuOf(before, at).mode === 'kernel';
  const machine = emulated && addressOk(address) && assisted(before, at.domid) ? linearlyRead(before, at, address) : before;
  if (emulated) {
    const passedOver = emulateReadOnlyMmio(machine, at, address);
    if (passedOver) return passedOver;
    const attempt = emulatePageTableWrite(machine, at, address);
    return attempt.fixed ? attempt.machine : reflected(attempt.machine, at, { error, address, xens });
  }
  return reflected(machine, at, { error, address, xens });
};

type Reflected = { readonly error: number; readonly address: Word; readonly xens: boolean };

const reflected = (machine: Machine, at: VcpuRef, { error, address, xens }: Reflected): Machine =>
  returnToGuest(injectPageFault(xens ? cite(machine, 'trap/page_fault-xen_range') : machine, at, error, address), at, 'sysret');

/** What Xen maps for itself is present, and forbidden. */
const inXen = (machine: Machine, address: Word): boolean => {
  const va = toBigInt(address);
  return XEN_PRIVATE_RANGES.some(
    ({ start, bytes }) => va >= start && va < start + BigInt(bytes === 'ram' ? machine.config.frames * 4096 : bytes),
  );
};

/** An error code with this bit names a gate: the guest executed INT n. */
const GATE = 2;

const generalProtection = (machine: Machine, at: VcpuRef, error: number): Machine => {
  const vcpu = vcpuOf(machine, at);
  if ((error & GATE) !== 0) {
    const vector = error >> 3;
    const allowed = (vcpu.traps[vector].flags & TI.DPL_MASK) >= (vcpu.mode === 'kernel' ? 1 : 3);
    if (!allowed) return bounced(cite(machine, 'trap/software_interrupt-dpl'), at, VECTOR.GP, error);
    return injectSoftwareInterrupt(setCpu(machine, at, { ...vcpu.cpu, rip: addInt(vcpu.cpu.rip, 2) }), at, vector);
  }
  if (error !== 0 && domainOf(machine, at.domid).pv32) {
    const gated = emulateCallGate(machine, at, error);
    return returnToGuest(gated.machine, at, gated.exit);
  }
  const emulated = error === 0 ? emulatePrivileged(machine, at) : null;
  return emulated ?? bounced(machine, at, VECTOR.GP, error);
};
