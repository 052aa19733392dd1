/** Privileged instructions that Xen carries out for the guest. Chapter: spec/chapters/emulation.md. */
import type { VcpuRef } from '#spec/event.ts';
import { CR4 } from '#spec/isa/x86/control_registers.ts';
import type { Instruction } from '../cpu/x86/instruction.ts';
import { VECTOR } from '../cpu/x86/outcome.ts';
import { RAX, RCX, RDX } from '../cpu/x86/state.ts';
import { addressOk } from '../guest_copy.ts';
import { cite, emit } from '../journal.ts';
import { setCpu, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { readTsc } from '../time/virtual_tsc.ts';
import { injectException, injectPageFault } from '../traps/exception.ts';
import { returnToGuest } from '../traps/return.ts';
import { addInt, fromNumber, type Word, word } from '../word/word.ts';
import { type CodeSegment, codeSegment } from './code_segment.ts';
import { readControlRegister, writeControlRegister } from './control_registers.ts';
import { readDebugRegister, writeDebugRegister } from './debug_registers.ts';
import { fetchAt, Unreadable } from './decode_at.ts';
import { instructionDone } from './done.ts';
import type { Emulated, EmulatedFault } from './emulated.ts';
import { xsetbv } from './extended_control.ts';
import { readMsr } from './msr.ts';
import { writeMsr } from './msr_write.ts';
import { metPorts } from './port_breakpoints.ts';
import { readPorts, writePorts } from './port_space.ts';
import { portString } from './port_strings.ts';
import { ioplAllows, portsAllowed } from './ports.ts';

type Rule = (machine: Machine, at: VcpuRef, instruction: Instruction, code: CodeSegment) => Emulated;

const UNDEFINED: EmulatedFault = { vector: VECTOR.UD, error: null };
const PROTECTION: EmulatedFault = { vector: VECTOR.GP, error: 0 };

const gpr = (machine: Machine, at: VcpuRef, r: number): Word => vcpuOf(machine, at).cpu.regs[r];
const setGpr = (machine: Machine, at: VcpuRef, r: number, value: Word): Machine => {
  const { cpu } = vcpuOf(machine, at);
  return setCpu(machine, at, { ...cpu, regs: cpu.regs.with(r, value) });
};
/** EDX:EAX, zero-extended. */
const setPair = (machine: Machine, at: VcpuRef, value: Word): Machine =>
  setGpr(setGpr(machine, at, RAX, word(0, value.lo)), at, RDX, word(0, value.hi));

/** A register of control or debugging has 64 bits in 64-bit code, else 32. */
const asWide = (value: Word, { mode }: CodeSegment): Word => (mode === '64' ? value : word(0, value.lo));

/** CLI and STI do nothing at all, when the virtual IOPL lets them. */
const interruptFlag: Rule = (machine, at) => (ioplAllows(machine, at) ? { machine: cite(machine, 'emulation/cli_sti') } : null);

const movFromCr: Rule = (machine, at, { dst, src }, code) => {
  const value = readControlRegister(machine, at, src.index);
  return value && { machine: setGpr(cite(machine, 'emulation/cr_read'), at, dst.index, asWide(value, code)) };
};

const movToCr: Rule = (machine, at, { dst, src }, code) => {
  const { machine: m, ok, retry } = writeControlRegister(machine, at, dst.index, asWide(gpr(machine, at, src.index), code));
  // What a refused base pointer did to page tables on the way stays.
  if (!ok) return { machine: m, fault: PROTECTION };
  return retry ? { machine: m, retry } : { machine: m };
};

const movFromDr: Rule = (machine, at, { dst, src }, code) => {
  const value = readDebugRegister(vcpuOf(machine, at), src.index);
  if (!value) return { machine: cite(machine, 'emulation/dr_absent'), fault: UNDEFINED };
  return { machine: setGpr(cite(machine, 'emulation/dr_read'), at, dst.index, asWide(value, code)) };
};

const movToDr: Rule = (machine, at, { dst, src }, code) => {
  const written = writeDebugRegister(vcpuOf(machine, at), dst.index, asWide(gpr(machine, at, src.index), code));
  if (written.kind === 'ENODEV') return { machine: cite(machine, 'emulation/dr_absent'), fault: UNDEFINED };
  if (written.kind !== 'written') return null;
  const { dr, ioBreakpoints } = written;
  return { machine: updateVcpu(cite(machine, 'emulation/dr_write'), at, { dr, ioBreakpoints }) };
};

const clts: Rule = (machine, at) => ({ machine: updateVcpu(cite(machine, 'emulation/clts'), at, { taskSwitched: false }) });
const wbinvd: Rule = (machine) => ({ machine: cite(machine, 'emulation/wbinvd') });

const rdmsr: Rule = (machine, at) => {
  const read = readMsr(machine, at, gpr(machine, at, RCX).lo >>> 0);
  return read && { machine: setPair(read.machine, at, read.value) };
};

const wrmsr: Rule = (machine, at) => {
  const value = word(gpr(machine, at, RDX).lo, gpr(machine, at, RAX).lo);
  const written = writeMsr(machine, at, gpr(machine, at, RCX).lo >>> 0, value);
  return written && { machine: cite(written, 'emulation/wrmsr') };
};

/** emulation/rdtsc: the processor's CR4.TSD brings it here; the guest's own keeps it from user mode. */
const rdtsc: Rule = (machine, at) => {
  const { mode, cr4 } = vcpuOf(machine, at);
  if (mode === 'user' && (cr4.lo & CR4.TSD) !== 0) return null;
  const read = readTsc(cite(machine, 'emulation/rdtsc'), at);
  return { machine: setPair(read.machine, at, read.value) };
};
const rdtscp: Rule = (machine, at, instruction, code) => {
  const read = rdtsc(machine, at, instruction, code);
  return read && { machine: setGpr(read.machine, at, RCX, fromNumber(vcpuOf(machine, at).tscAux)) };
};

const portOf = (machine: Machine, at: VcpuRef, operand: Instruction['src']): number =>
  (operand.kind === 'imm' ? operand.value.lo & 0xff : gpr(machine, at, RDX).lo) & 0xffff;

const inPort: Rule = (machine, at, { dst, src }) => {
  const port = portOf(machine, at, src);
  const permission = portsAllowed(machine, at, port, dst.size);
  if (!permission.allowed) return permission.refused;
  const asked = permission.machine;
  const met = metPorts(asked, at, port, dst.size);
  const { machine: m, value } = readPorts(asked, at, port, dst.size);
  const old = gpr(m, at, RAX);
  const mask = dst.size === 1 ? 0xff : 0xffff;
  const merged = dst.size === 4 ? word(0, value) : word(old.hi, (old.lo & ~mask) | (value & mask));
  return { machine: setGpr(cite(m, 'emulation/port'), at, RAX, merged), met };
};

const outPort: Rule = (machine, at, { dst, src }) => {
  const port = portOf(machine, at, dst);
  const permission = portsAllowed(machine, at, port, src.size);
  if (!permission.allowed) return permission.refused;
  const asked = permission.machine;
  const met = metPorts(asked, at, port, src.size);
  const value = gpr(machine, at, RAX).lo & (src.size === 1 ? 0xff : src.size === 2 ? 0xffff : -1);
  return { machine: cite(writePorts(asked, at, port, src.size, value >>> 0), 'emulation/port'), met };
};

/** Instructions that Xen looks at; `user`: also in user mode, where the virtual IOPL, CR4.TSD or CR4.OSXSAVE decides. */
const RULES: ReadonlyMap<string, { readonly rule: Rule; readonly user: boolean }> = new Map([
  ['cli', { rule: interruptFlag, user: true }],
  ['sti', { rule: interruptFlag, user: true }],
  ['in', { rule: inPort, user: true }],
  ['out', { rule: outPort, user: true }],
  ['ins', { rule: portString, user: true }],
  ['outs', { rule: portString, user: true }],
  ['rdtsc', { rule: rdtsc, user: true }],
  ['rdtscp', { rule: rdtscp, user: true }],
  ['mov_from_cr', { rule: movFromCr, user: false }],
  ['mov_to_cr', { rule: movToCr, user: false }],
  ['mov_from_dr', { rule: movFromDr, user: false }],
  ['mov_to_dr', { rule: movToDr, user: false }],
  ['clts', { rule: clts, user: false }],
  ['wbinvd', { rule: wbinvd, user: false }],
  ['rdmsr', { rule: rdmsr, user: false }],
  ['wrmsr', { rule: wrmsr, user: false }],
  ['xsetbv', { rule: xsetbv, user: true }],
]);

/** The emulator's own page fault goes to the guest in place of the #GP(0). It happens only where IRET refused to go to. */
const unreadable = (machine: Machine, at: VcpuRef, address: Word): Machine | null =>
  addressOk(address) ? returnToGuest(injectPageFault(cite(machine, 'emulation/unreadable'), at, 0, address), at, 'sysret') : null;

const faulted = (machine: Machine, at: VcpuRef, { vector, error, address }: EmulatedFault): Machine =>
  returnToGuest(address ? injectPageFault(machine, at, error!, address) : injectException(machine, at, vector, error), at, 'sysret');

/** After a #GP(0): carry the instruction at RIP out, or null when the guest is to have the exception. */
export const emulatePrivileged = (machine: Machine, at: VcpuRef): Machine | null => {
  const code = codeSegment(machine, at);
  if (code === null) return null;
  const instruction = fetchAt(code.machine, at, code);
  if (instruction instanceof Unreadable) return unreadable(code.machine, at, instruction.address);
  if (!instruction) return null;
  const found = RULES.get(instruction.mnemonic);
  if (!found || (!found.user && vcpuOf(machine, at).mode === 'user')) return null;
  const emulated = found.rule(code.machine, at, instruction, code);
  if (emulated === null) return null;
  if (emulated.fault) return faulted(emulated.machine, at, emulated.fault);
  if (emulated.retry) return returnToGuest(emulated.machine, at, 'iret');
  const told = emit(emulated.machine, { kind: 'emulated', at, instruction: instruction.mnemonic });
  return instructionDone(told, at, emulated.stays ? vcpuOf(told, at).cpu.rip : behind(told, at, instruction, code), emulated.met);
};

/** The address behind the instruction. */
const behind = (machine: Machine, at: VcpuRef, { length }: Instruction, code: CodeSegment): Word =>
  asWide(addInt(vcpuOf(machine, at).cpu.rip, length), code);
