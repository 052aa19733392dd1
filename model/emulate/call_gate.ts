/**
 * Call gates of 32-bit guests. The processor sees them with DPL 0, so that CALL and JMP through one are a #GP that names it: Xen does what the gate
 * says. Chapter: spec/chapters/compat.md, "Call gates".
 */
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { guestDescriptor } from '../cpu/x86/guest_tables.ts';
import type { Instruction } from '../cpu/x86/instruction.ts';
import { effectiveAddress } from '../cpu/x86/operand.ts';
import { PF, VECTOR } from '../cpu/x86/outcome.ts';
import { started } from '../cpu/x86/running.ts';
import { CS, RIGHTS, RSP, SS } from '../cpu/x86/state.ts';
import { type Descriptor, isPresent, SYSTEM_TYPE, typeOf } from '../cpu/x86/system/descriptor.ts';
import { copyFromGuest, copyToGuestUnchecked } from '../guest_copy.ts';
import { cite, emit } from '../journal.ts';
import { domainOf, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { bytesOf } from '../memory/guest.ts';
import { withTables } from '../segment_loads.ts';
import { modeOf } from '../traps/compat_bounce.ts';
import { injectException, injectPageFault } from '../traps/exception.ts';
import { addInt, type Word, word, ZERO } from '../word/word.ts';
import { type EmulatedDescriptor, readDescriptor } from './code_segment.ts';
import { fetchAt, Unreadable } from './decode_at.ts';
import { behindInstruction } from './done.ts';

type Gate = {
  /** Of the code that it leads to. */
  readonly selector: number;
  readonly offset: number;
  /** What the guest asked for. */
  readonly dpl: number;
  readonly parameters: number;
  readonly present: boolean;
};

/** The exception that the guest gets in place of the transfer. */
class Refusal {
  readonly machine: Machine;
  readonly vector: number;
  readonly error: number;
  readonly clause: ClauseId;
  readonly address: Word | null;
  constructor(machine: Machine, vector: number, error: number, clause: ClauseId, address: Word | null = null) {
    this.machine = machine;
    this.vector = vector;
    this.error = error;
    this.clause = clause;
    this.address = address;
  }
}

const refuse = (machine: Machine, vector: number, error: number, clause: ClauseId): never => {
  throw new Refusal(machine, vector, error, clause);
};

/** Whether one of the bits in `rights` is missing. */
const lacks = ({ rights }: EmulatedDescriptor, bits: number): boolean => (rights & bits) !== bits;
const levelOf = ({ rights }: EmulatedDescriptor): number => (rights & RIGHTS.DPL) >> 5;
const CONFORMING = RIGHTS.CODE | 4;
const isWritableData = (d: EmulatedDescriptor): boolean => !lacks(d, RIGHTS.S | RIGHTS.WRITABLE) && (d.rights & RIGHTS.CODE) === 0;
const KERNEL_RING = 1;

/** What became of it, before the guest goes on; by which way it does. */
export type Gated = { readonly machine: Machine; readonly exit: 'iret' | 'sysret' };

/** #GP whose error code is the selector `named`: carry out the transfer that it stopped, or hand over the fault that is due. */
export const emulateCallGate = (machine: Machine, at: VcpuRef, named: number): Gated => {
  try {
    return transfer(machine, at, named);
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    const { vector, error, address, clause } = thrown;
    const told = cite(thrown.machine, clause);
    const m = address === null ? injectException(told, at, vector, error) : injectPageFault(told, at, error, address);
    return { machine: m, exit: 'sysret' };
  }
};

const transfer = (before: Machine, at: VcpuRef, named: number): Gated => {
  const { machine, gate } = gateOf(before, at, named);
  const { segments, regs } = vcpuOf(machine, at).cpu;
  const ring = segments.selectors[CS] & 3;
  if (gate === null || gate.dpl < ring) return refuse(machine, VECTOR.GP, named, 'compat/gate-none');
  if (!gate.present) return refuse(machine, VECTOR.NP, named, 'compat/gate-not_present');
  const branch = branchAt(machine, at, named);
  const { selector, length } = branch;
  if ((selector & ~3) !== named || gate.dpl < (selector & 3)) return refuse(branch.machine, VECTOR.GP, named, 'compat/gate-instruction');
  const target = codeOf(branch, at, gate, ring);
  if (!branch.calls) return goOn(cite(target.machine, 'compat/gate-jump'), at, branch, (gate.selector & ~3) | ring, gate.offset);
  const inner = levelOf(target) < ring;
  const to = inner ? levelOf(target) : ring;
  const stack = inner ? innerStack(target.machine, at, gate, to, named) : sameStack(target.machine, at, ring, named);
  const linked = push(push(stack, at, segments.selectors[CS]), at, vcpuOf(stack.machine, at).cpu.rip.lo + length);
  const moved = updateVcpu(linked.machine, at, {
    cpu: {
      ...vcpuOf(linked.machine, at).cpu,
      regs: regs.with(RSP, word(0, linked.pointer)),
      segments: { ...segments, selectors: segments.selectors.with(SS, linked.selector) },
    },
  });
  return goOn(moved, at, branch, (gate.selector & ~3) | to, gate.offset);
};

/** The selector of CS counts alone until the vCPU is back in the guest, which loads it. */
const goOn = (machine: Machine, at: VcpuRef, { calls }: Branch, selector: number, offset: number): Gated => {
  const { cpu } = vcpuOf(machine, at);
  const segments = { ...cpu.segments, selectors: cpu.segments.selectors.with(CS, selector) };
  const there = updateVcpu(cite(machine, 'compat/gate-done'), at, { mode: modeOf(selector), cpu: { ...cpu, segments } });
  const told = emit(there, { kind: 'emulated', at, instruction: calls ? 'call_far' : 'jmp_far' });
  return behindInstruction(told, at, word(0, offset));
};

/** compat/gate-none: the gate as the guest's table has it; null when it is none, or none of 32 bits. */
const gateOf = (machine: Machine, at: VcpuRef, selector: number): { readonly machine: Machine; readonly gate: Gate | null } => {
  const { gdtEntries, ldtEntries } = vcpuOf(machine, at).tables;
  const within = selector >= 4 && selector >> 3 < ((selector & 4) !== 0 ? ldtEntries : gdtEntries);
  const found = within ? withTables(machine, at, 0, (s) => ({ s, value: guestDescriptor(s, selector) })) : null;
  if (found === null || found.kind !== 'loaded' || found.value === null) return { machine, gate: null };
  const { lo, hi } = found.value;
  if (!isBareGate(found.value)) return { machine: found.machine, gate: null };
  const gate = {
    selector: (lo >>> 16) & 0xffff,
    offset: ((hi & 0xffff0000) | (lo & 0xffff)) >>> 0,
    dpl: (lo >>> 16) & 3,
    parameters: hi & 31,
    present: isPresent(found.value),
  };
  return { machine: found.machine, gate };
};

/** What compat/descriptor-accepted made of a call gate: its own DPL is 0. */
const isBareGate = (d: Descriptor): boolean => ((d.hi >>> 8) & (RIGHTS.S | RIGHTS.DPL)) === 0 && typeOf(d) === SYSTEM_TYPE.CALL32;

type Branch = { readonly machine: Machine; readonly calls: boolean; readonly selector: number; readonly length: number };

/** compat/gate-instruction: the instruction at CS:EIP, which must be a far CALL or JMP, and the selector that it names. */
const branchAt = (machine: Machine, at: VcpuRef, named: number): Branch => {
  const { segments } = vcpuOf(machine, at).cpu;
  const gp = (m: Machine): never => refuse(m, VECTOR.GP, named, 'compat/gate-instruction');
  const code = readDescriptor(machine, at, segments.selectors[CS]);
  if (code === null || lacks(code, RIGHTS.S | RIGHTS.P | RIGHTS.CODE)) return gp(machine);
  const mode = (code.rights & RIGHTS.BIG) !== 0 ? '32' : '16';
  const instruction = fetchAt(code.machine, at, { machine: code.machine, mode, base: code.base, limit: code.limit });
  if (instruction instanceof Unreadable) throw new Refusal(code.machine, VECTOR.PF, 0, 'compat/gate-unreadable', instruction.address);
  const calls = instruction?.mnemonic === 'call_far';
  if (instruction === null || !(calls || instruction.mnemonic === 'jmp_far')) return gp(code.machine);
  const { dst, length } = instruction;
  if (dst.kind === 'far') return { machine: code.machine, calls, selector: dst.index, length };
  const read = selectorIn(code.machine, at, instruction, code);
  return read === null ? gp(code.machine) : { machine: read.machine, calls, selector: read.selector, length };
};

/** The selector behind the offset in memory; null when the segment does not let it be read. */
const selectorIn = (
  machine: Machine,
  at: VcpuRef,
  instruction: Instruction,
  code: EmulatedDescriptor,
): { readonly machine: Machine; readonly selector: number } | null => {
  const { cpu, tables } = vcpuOf(machine, at);
  const { dst, size } = instruction;
  const running = started(cpu, machine.memory, { cpuid: [], tsc: ZERO });
  const offset = (effectiveAddress(running, instruction, dst).lo >>> 0) + (size === 2 ? 2 : 4);
  const segment = dst.segment === CS ? code : readDescriptor(machine, at, cpu.segments.selectors[dst.segment]);
  if (segment === null || tables === null) return null;
  if (dst.segment !== CS && !isReadable(segment)) return null;
  if (segment.limit < 1 || offset > segment.limit - 1) return null;
  const place = word(0, segment.base.lo + offset);
  const copied = copyFromGuest(segment.machine, at, place, 2);
  if (!copied.ok) throw new Refusal(copied.machine, VECTOR.PF, 0, 'compat/gate-unreadable', copied.fault);
  return { machine: copied.machine, selector: copied.bytes[0] | (copied.bytes[1] << 8) };
};

const isReadable = (d: EmulatedDescriptor): boolean =>
  !lacks(d, RIGHTS.S | RIGHTS.P) && ((d.rights & RIGHTS.CODE) === 0 || (d.rights & RIGHTS.READABLE) !== 0);

/** compat/gate-target: code that the caller's ring may come to by this gate. */
const codeOf = ({ machine, calls }: Branch, at: VcpuRef, gate: Gate, ring: number): EmulatedDescriptor => {
  const named = gate.selector & ~3;
  const code = readDescriptor(machine, at, named);
  const wrong = (d: EmulatedDescriptor): boolean =>
    lacks(d, RIGHTS.S | RIGHTS.CODE) || (calls || !lacks(d, CONFORMING) ? levelOf(d) > ring : levelOf(d) !== ring);
  if (code === null || wrong(code)) return refuse(machine, VECTOR.GP, named, 'compat/gate-target');
  if (lacks(code, RIGHTS.P)) return refuse(code.machine, VECTOR.NP, named, 'compat/gate-target');
  if (gate.offset > code.limit) return refuse(code.machine, VECTOR.GP, 0, 'compat/gate-target');
  return code;
};

/** A stack that is pushed to: `place` is the linear address of its top, of 64 bits, and `pointer` what SP becomes. */
type Stack = { readonly machine: Machine; readonly selector: number; readonly place: Word; readonly pointer: number };

/** Whether so many bytes below the pointer lie in the segment. */
const holds = ({ rights, limit }: EmulatedDescriptor, pointer: number, bytes: number): boolean => {
  const [lowest, last] = [(pointer - bytes) >>> 0, (pointer - 1) >>> 0];
  return lowest < last && ((rights & RIGHTS.EXPAND_DOWN) === 0 ? last <= limit : lowest > limit);
};

/** Whether so many bytes below `top` end before Xen's part of the addresses. */
const isGuests = (machine: Machine, { domid }: VcpuRef, top: number, bytes: number): boolean =>
  top - (bytes === 0 ? 0 : 1) < domainOf(machine, domid).pv32!.virtStart;

/** compat/gate-inner: the kernel's stack, with the caller's SS and ESP and its parameters. */
const innerStack = (machine: Machine, at: VcpuRef, { parameters }: Gate, ring: number, named: number): Stack => {
  const { kernelSs, kernelSp, cpu } = vcpuOf(machine, at);
  const bytes = 4 * (4 + parameters);
  const gp = (m: Machine): never => refuse(m, VECTOR.GP, named, 'compat/gate-inner');
  if (ring !== KERNEL_RING) return gp(machine);
  const segment = readDescriptor(machine, at, kernelSs);
  if ((kernelSs & 3) !== ring || segment === null || levelOf(segment) !== ring || !isWritableData(segment))
    return refuse(machine, VECTOR.TS, kernelSs & ~3, 'compat/gate-inner');
  const pointer = kernelSp.lo >>> 0;
  if (lacks(segment, RIGHTS.P) || !holds(segment, pointer, bytes))
    return refuse(segment.machine, VECTOR.SS, kernelSs & ~3, 'compat/gate-inner');
  const top = (segment.base.lo + pointer) >>> 0;
  if (!isGuests(segment.machine, at, top, bytes)) return gp(segment.machine);
  const empty = { machine: cite(segment.machine, 'compat/gate-inner'), selector: kernelSs, place: word(0, top), pointer };
  const stack = push(push(empty, at, cpu.segments.selectors[SS]), at, cpu.regs[RSP].lo);
  return parameters === 0 ? stack : withParameters(stack, at, parameters, named);
};

/** compat/gate-parameters: as many words as the gate says from the caller's stack, the last one first. */
const withParameters = (stack: Stack, at: VcpuRef, parameters: number, named: number): Stack => {
  const { cpu } = vcpuOf(stack.machine, at);
  const { selectors } = cpu.segments;
  const gp = (m: Machine): never => refuse(m, VECTOR.GP, named, 'compat/gate-parameters');
  const bytes = 4 * parameters;
  const segment = readDescriptor(stack.machine, at, selectors[SS]);
  if (segment === null || levelOf(segment) !== (selectors[CS] & 3) || !isWritableData(segment)) return gp(stack.machine);
  if (!holds(segment, stack.pointer + bytes, bytes)) return gp(segment.machine);
  const top = (segment.base.lo + cpu.regs[RSP].lo + bytes) >>> 0;
  if (!isGuests(segment.machine, at, top, bytes)) return gp(segment.machine);
  let filled: Stack = { ...stack, machine: cite(segment.machine, 'compat/gate-parameters') };
  for (let k = 1; k <= parameters; k++) {
    const place = addInt(word(0, top), -4 * k);
    const copied = copyFromGuest(filled.machine, at, place, 4);
    if (!copied.ok) throw new Refusal(copied.machine, VECTOR.PF, 0, 'compat/gate-fault', addInt(place, FAULT_OFFSET));
    filled = push({ ...filled, machine: copied.machine }, at, new DataView(copied.bytes.buffer, copied.bytes.byteOffset).getInt32(0, true));
  }
  return filled;
};

/** compat/gate-same: the caller's own stack. */
const sameStack = (machine: Machine, at: VcpuRef, ring: number, named: number): Stack => {
  const { regs, segments } = vcpuOf(machine, at).cpu;
  const selector = segments.selectors[SS];
  const segment = readDescriptor(machine, at, selector);
  if (segment === null || levelOf(segment) !== ring) return refuse(machine, VECTOR.GP, named, 'compat/gate-same');
  const pointer = regs[RSP].lo >>> 0;
  if (!holds(segment, pointer, 8)) return refuse(segment.machine, VECTOR.SS, 0, 'compat/gate-same');
  const top = (segment.base.lo + pointer) >>> 0;
  if (!isGuests(segment.machine, at, top, 8)) return refuse(segment.machine, VECTOR.GP, named, 'compat/gate-same');
  return { machine: cite(segment.machine, 'compat/gate-same'), selector, place: word(0, top), pointer };
};

/** compat/gate-fault: how far above the word that cannot be reached CR2 points: its width, and the number of EFAULT. */
const FAULT_OFFSET = 4 + 14;

const push = (stack: Stack, at: VcpuRef, value: number): Stack => {
  const place = addInt(stack.place, -4);
  const stored = copyToGuestUnchecked(stack.machine, at, place, bytesOf([word(0, value)]).subarray(0, 4));
  if (!stored.ok) throw new Refusal(stored.machine, VECTOR.PF, PF.WRITE, 'compat/gate-fault', addInt(place, FAULT_OFFSET));
  return { ...stack, machine: stored.machine, place, pointer: (stack.pointer - 4) >>> 0 };
};
