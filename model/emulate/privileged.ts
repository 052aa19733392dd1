/** Privileged instructions that Xen carries out for the guest. Chapter: spec/chapters/emulation.md. */
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Instruction } from '../cpu/x86/instruction.ts';
import { VECTOR } from '../cpu/x86/outcome.ts';
import { RAX, RCX, RDX } from '../cpu/x86/state.ts';
import { addressOk } from '../guest_copy.ts';
import { cite, emit } from '../journal.ts';
import { setCpu, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { injectException, injectPageFault } from '../traps/exception.ts';
import { returnToGuest } from '../traps/return.ts';
import { addInt, type Word, word } from '../word/word.ts';
import { readControlRegister, writeControlRegister } from './control_registers.ts';
import { readDebugRegister, writeDebugRegister } from './debug_registers.ts';
import { fetchAt, Unreadable } from './decode_at.ts';
import { instructionDone } from './done.ts';
import { readMsr, writeMsr } from './msr.ts';
import { ioplAllows, readPort, writePort } from './ports.ts';

/**
 * `machine`: carried out, with `retry` to be run again, with `refused` the guest's #GP(0) after all; `fault`: another exception than
 * the #GP(0) at hand; null: not for Xen, the guest gets its #GP(0).
 */
type Emulated = { readonly machine: Machine; readonly retry?: true; readonly refused?: true } | { readonly fault: number } | null;
type Rule = (machine: Machine, at: VcpuRef, instruction: Instruction) => Emulated;

const gpr = (machine: Machine, at: VcpuRef, r: number): Word => vcpuOf(machine, at).cpu.regs[r];
const setGpr = (machine: Machine, at: VcpuRef, r: number, value: Word): Machine => {
  const { cpu } = vcpuOf(machine, at);
  return setCpu(machine, at, { ...cpu, regs: cpu.regs.with(r, value) });
};

/** CLI and STI do nothing at all, when the virtual IOPL lets them. */
const interruptFlag: Rule = (machine, at) => (ioplAllows(machine, at) ? { machine: cite(machine, 'emulation/cli_sti') } : null);

const movFromCr: Rule = (machine, at, { dst, src }) => {
  const value = readControlRegister(machine, at, src.index);
  return value && { machine: setGpr(cite(machine, 'emulation/cr_read'), at, dst.index, value) };
};

const movToCr: Rule = (machine, at, { dst, src }) => {
  const written = writeControlRegister(machine, at, dst.index, gpr(machine, at, src.index));
  // What a refused base pointer did to page tables on the way stays.
  return written.ok ? written : { machine: written.machine, refused: true };
};

const movFromDr: Rule = (machine, at, { dst, src }) => {
  const value = readDebugRegister(vcpuOf(machine, at), src.index);
  return value ? { machine: setGpr(cite(machine, 'emulation/dr_read'), at, dst.index, value) } : { fault: VECTOR.UD };
};

const movToDr: Rule = (machine, at, { dst, src }) => {
  const written = writeDebugRegister(vcpuOf(machine, at), dst.index, gpr(machine, at, src.index));
  if (written.kind === 'ENODEV') return { fault: VECTOR.UD };
  return written.kind === 'written' ? { machine: updateVcpu(cite(machine, 'emulation/dr_write'), at, { dr: written.dr }) } : null;
};

const clts: Rule = (machine, at) => ({ machine: updateVcpu(cite(machine, 'emulation/clts'), at, { taskSwitched: false }) });
const wbinvd: Rule = (machine) => ({ machine: cite(machine, 'emulation/wbinvd') });

const rdmsr: Rule = (machine, at) => {
  const value = readMsr(machine, at, gpr(machine, at, RCX).lo >>> 0);
  return value && { machine: setGpr(setGpr(cite(machine, 'emulation/rdmsr'), at, RAX, word(0, value.lo)), at, RDX, word(0, value.hi)) };
};

const wrmsr: Rule = (machine, at) => {
  const value = word(gpr(machine, at, RDX).lo, gpr(machine, at, RAX).lo);
  const written = writeMsr(machine, at, gpr(machine, at, RCX).lo >>> 0, value);
  return written && { machine: cite(written, 'emulation/wrmsr') };
};

const portOf = (machine: Machine, at: VcpuRef, operand: Instruction['src']): number =>
  (operand.kind === 'imm' ? operand.value.lo & 0xff : gpr(machine, at, RDX).lo) & 0xffff;

const inPort: Rule = (machine, at, { dst, src }) => {
  if (!ioplAllows(machine, at)) return null;
  const value = readPort(at.domid, portOf(machine, at, src), dst.size);
  const old = gpr(machine, at, RAX);
  const mask = dst.size === 1 ? 0xff : 0xffff;
  const merged = dst.size === 4 ? word(0, value) : word(old.hi, (old.lo & ~mask) | (value & mask));
  return { machine: setGpr(cite(machine, 'emulation/port'), at, RAX, merged) };
};

const outPort: Rule = (machine, at, { dst, src }) => {
  if (!ioplAllows(machine, at)) return null;
  writePort(at.domid, portOf(machine, at, dst), src.size);
  return { machine: cite(machine, 'emulation/port') };
};

const stringPort: Rule = (machine, at) => {
  if (!ioplAllows(machine, at)) return null;
  throw new NotModelled('port/string');
};

const xsetbv: Rule = () => {
  throw new NotModelled('emulation/xsetbv');
};

/** Instructions that Xen looks at; `user`: also in user mode, where the virtual IOPL decides. */
const RULES: ReadonlyMap<string, { readonly rule: Rule; readonly user: boolean }> = new Map([
  ['cli', { rule: interruptFlag, user: true }],
  ['sti', { rule: interruptFlag, user: true }],
  ['in', { rule: inPort, user: true }],
  ['out', { rule: outPort, user: true }],
  ['ins', { rule: stringPort, user: true }],
  ['outs', { rule: stringPort, user: true }],
  ['mov_from_cr', { rule: movFromCr, user: false }],
  ['mov_to_cr', { rule: movToCr, user: false }],
  ['mov_from_dr', { rule: movFromDr, user: false }],
  ['mov_to_dr', { rule: movToDr, user: false }],
  ['clts', { rule: clts, user: false }],
  ['wbinvd', { rule: wbinvd, user: false }],
  ['rdmsr', { rule: rdmsr, user: false }],
  ['wrmsr', { rule: wrmsr, user: false }],
  ['xsetbv', { rule: xsetbv, user: false }],
]);

/** The emulator's own page fault goes to the guest in place of the #GP(0). It happens only where IRET refused to go to. */
const unreadable = (machine: Machine, at: VcpuRef, address: Word): Machine | null =>
  addressOk(address) ? returnToGuest(injectPageFault(cite(machine, 'emulation/unreadable'), at, 0, address), at, 'sysret') : null;

/** After a #GP(0): carry the instruction at RIP out, or null when the guest is to have the exception. */
export const emulatePrivileged = (machine: Machine, at: VcpuRef): Machine | null => {
  const { rip } = vcpuOf(machine, at).cpu;
  const instruction = fetchAt(machine, at);
  if (instruction instanceof Unreadable) return unreadable(machine, at, instruction.address);
  if (!instruction) return null;
  const found = RULES.get(instruction.mnemonic);
  if (!found || (!found.user && vcpuOf(machine, at).mode === 'user')) return null;
  const emulated = found.rule(machine, at, instruction);
  if (emulated === null) return null;
  if ('fault' in emulated)
    return returnToGuest(injectException(cite(machine, 'emulation/dr_absent'), at, emulated.fault, null), at, 'sysret');
  if (emulated.refused) return returnToGuest(injectException(emulated.machine, at, VECTOR.GP, 0), at, 'sysret');
  if (emulated.retry) return returnToGuest(emulated.machine, at, 'iret');
  const told = emit(emulated.machine, { kind: 'emulated', at, instruction: instruction.mnemonic });
  return instructionDone(told, at, addInt(rip, instruction.length));
};
