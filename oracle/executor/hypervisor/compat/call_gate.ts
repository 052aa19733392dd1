/**
 * Call gates of 32-bit guests: Xen gives them DPL 0, so that a far CALL or JMP through one is a #GP that names it, and carries it out as the guest's
 * gate would have it. Source: Xen's behaviour, arch/x86/pv/emul-gate-op.c. Addresses are those of 64-bit mode: nothing wraps at 4 GiB.
 */
import { GP, NP, SS, TS } from '../../cpu/exit.ts';
import { RSP } from '../../cpu/interface.ts';
import type { Described } from '../../cpu/pv_entry.ts';
import type { Machine } from '../machine.ts';
import { injectException } from '../trap/inject.ts';
import { finishInstruction } from '../trap/privileged.ts';
import type { Vcpu } from '../vcpu.ts';
import { type Branch, decodeBranch } from './far_branch.ts';
import { PushFault, Stack } from './gate_stack.ts';
import { isKernelCode } from './selectors.ts';

/** Where a gate leads, and its own rights; `dpl`: what the guest asked for. */
export type Gate = {
  readonly selector: number;
  readonly offset: number;
  readonly dpl: number;
  readonly parameters: number;
  readonly present: boolean;
};

const KERNEL_RING = 1;
const ORDINARY = 0x10;
const PRESENT = 0x80;
const CODE = 8;
const CONFORMING = 4;
const WRITABLE = 2;
const has = ({ rights }: Described, bits: number): boolean => (rights & bits) === bits;
const dplOf = ({ rights }: Described): number => (rights >> 5) & 3;
const isWritableData = (d: Described): boolean => has(d, ORDINARY | WRITABLE) && !has(d, CODE);

/** What the guest gets instead: an exception with its error code. */
class Refused {
  readonly vector: number;
  readonly error: number;
  constructor(vector: number, error: number) {
    this.vector = vector;
    this.error = error;
  }
}

/** Carry out the branch at RIP that came to the gate named by `error`, or give the guest its fault. */
export const passGate = (machine: Machine, vcpu: Vcpu, gate: Gate, error: number): void => {
  try {
    pass(machine, vcpu, gate, error);
  } catch (thrown) {
    if (thrown instanceof Refused) injectException(vcpu, thrown.vector, thrown.error);
    else if (!(thrown instanceof PushFault)) throw thrown;
  }
};

const pass = (machine: Machine, vcpu: Vcpu, gate: Gate, error: number): void => {
  const cpl = vcpu.savedCs & 3;
  if (gate.dpl < cpl) throw new Refused(GP, error);
  if (!gate.present) throw new Refused(NP, error);
  const branch = decodeBranch(machine, vcpu);
  if (branch === 'fault') return;
  if (branch === null || (branch.selector & ~3) !== error || gate.dpl < (branch.selector & 3)) throw new Refused(GP, error);
  const target = vcpu.cpu.xen.describe(gate.selector);
  if (target === null || !isTarget(target, cpl, branch)) throw new Refused(GP, gate.selector);
  if (!has(target, PRESENT)) throw new Refused(NP, gate.selector);
  if (gate.offset > target.limit >>> 0) throw new Refused(GP, 0);
  const ring = branch.kind === 'call' && dplOf(target) < cpl ? dplOf(target) : cpl;
  if (branch.kind === 'call') {
    const stack = ring < cpl ? innerStack(machine, vcpu, gate, ring, error) : sameStack(machine, vcpu, ring, error);
    stack.push(vcpu.savedCs);
    stack.push(vcpu.cpu.ripLo() + branch.length);
    vcpu.cpu.setGprHalves(RSP, stack.esp | 0, 0);
    vcpu.savedSs = stack.selector;
  }
  vcpu.savedCs = gate.selector | ring;
  vcpu.kernelMode = isKernelCode(vcpu.savedCs);
  vcpu.cpu.setRipHalves(gate.offset | 0, 0);
  finishInstruction(machine, vcpu, 0, branch.name);
};

const isTarget = (target: Described, cpl: number, { kind }: Branch): boolean => {
  if (!has(target, ORDINARY | CODE)) return false;
  return kind === 'call' || has(target, CONFORMING) ? dplOf(target) <= cpl : dplOf(target) === cpl;
};

/** The kernel's stack, with the caller's stack pointer and parameters on it. */
const innerStack = (machine: Machine, vcpu: Vcpu, { parameters }: Gate, ring: number, error: number): Stack => {
  if (ring !== KERNEL_RING) throw new Refused(GP, error);
  const { xen } = vcpu.cpu;
  const ss = vcpu.kernelSs;
  const found = xen.describe(ss);
  if ((ss & 3) !== ring || found === null || dplOf(found) !== ring || !isWritableData(found)) throw new Refused(TS, ss & ~3);
  const stack = new Stack(machine, vcpu, ss, found, vcpu.kernelSp.lo >>> 0);
  if (!has(found, PRESENT) || !stack.holds(4 * (4 + parameters))) throw new Refused(SS, ss & ~3);
  if (!stack.isBelowXen(4 * (4 + parameters))) throw new Refused(GP, error);
  stack.push(vcpu.savedSs);
  stack.push(vcpu.cpu.gprLo(RSP));
  if (parameters > 0) copyParameters(machine, vcpu, parameters, stack, error);
  return stack;
};

/** From the caller's stack, the last one first. Xen holds the inner stack pointer, not the caller's, against the caller's limit. */
const copyParameters = (machine: Machine, vcpu: Vcpu, parameters: number, stack: Stack, error: number): void => {
  const bytes = 4 * parameters;
  const found = vcpu.cpu.xen.describe(vcpu.savedSs);
  if (found === null || dplOf(found) !== (vcpu.savedCs & 3) || !isWritableData(found)) throw new Refused(GP, error);
  const outer = new Stack(machine, vcpu, vcpu.savedSs, found, (stack.esp + bytes) >>> 0);
  if (!outer.holds(bytes)) throw new Refused(GP, error);
  const from = new Stack(machine, vcpu, vcpu.savedSs, found, (vcpu.cpu.gprLo(RSP) + bytes) >>> 0);
  if (!from.isBelowXen(bytes)) throw new Refused(GP, error);
  for (let i = 0; i < parameters; i++) stack.push(from.takeBelow());
};

const sameStack = (machine: Machine, vcpu: Vcpu, ring: number, error: number): Stack => {
  const found = vcpu.cpu.xen.describe(vcpu.savedSs);
  if (found === null || dplOf(found) !== ring) throw new Refused(GP, error);
  const stack = new Stack(machine, vcpu, vcpu.savedSs, found, vcpu.cpu.gprLo(RSP) >>> 0);
  if (!stack.holds(8)) throw new Refused(SS, 0);
  if (!stack.isBelowXen(8)) throw new Refused(GP, error);
  return stack;
};
