/** Running small pieces of guest code on a machine, for tests: every step takes the way that a guest's steps take. */
import { HYPERCALL, type HypercallName } from '#spec/abi/hypercall.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { Event, VcpuRef } from '#spec/event.ts';
import type { Input } from '#spec/input.ts';
import { R8, R9, R10, RAX, RDI, RDX, RSI } from '../cpu/x86/state.ts';
import { updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { step } from '../step.ts';
import { fromBigInt, toBigInt, type Word } from '../word/word.ts';
import { poke } from './guest.ts';

/** A page of the initial mapping that holds the code under test. */
export const CODE = 0x3e0000;
const SYSCALL = [0x0f, 0x05];

export const wordOf = (n: number | bigint): Word => fromBigInt(BigInt.asUintN(64, BigInt(n)));

/** Put instructions at CODE and the vCPU before them. */
export const load = (machine: Machine, at: VcpuRef, code: readonly number[]): Machine => {
  const m = poke(machine, at, CODE, Uint8Array.from(code));
  return updateVcpu(m, at, { cpu: { ...vcpuOf(m, at).cpu, rip: wordOf(CODE) } });
};

/** Set general registers by number. */
export const setRegs = (machine: Machine, at: VcpuRef, values: Readonly<Record<number, number | bigint>>): Machine => {
  const { cpu } = vcpuOf(machine, at);
  const regs = cpu.regs.slice();
  for (const [index, value] of Object.entries(values)) regs[Number(index)] = wordOf(value);
  return updateVcpu(machine, at, { cpu: { ...cpu, regs } });
};

export const reg = (machine: Machine, at: VcpuRef, index: number): bigint => toBigInt(vcpuOf(machine, at).cpu.regs[index]);
export const rip = (machine: Machine, at: VcpuRef): bigint => toBigInt(vcpuOf(machine, at).cpu.rip);

export type Ran = {
  readonly machine: Machine;
  readonly events: readonly Event[];
  readonly clauses: readonly ClauseId[];
  readonly kinds: readonly string[];
};

/** Apply inputs one after another; events and clauses of all. */
export const apply = (machine: Machine, ...inputs: readonly Input[]): Ran => {
  let m = machine;
  const events: Event[] = [];
  const clauses: ClauseId[] = [];
  for (const input of inputs) {
    const outcome = step(m, input);
    m = outcome.machine;
    events.push(...outcome.events);
    clauses.push(...outcome.clauses);
  }
  return { machine: m, events, clauses, kinds: events.map(({ kind }) => kind) };
};

/** Run `steps` steps on pCPU 0. */
export const run = (machine: Machine, steps = 1): Ran => apply(machine, { kind: 'execute', cpu: 0, steps });

/** Issue one hypercall by SYSCALL at CODE from the vCPU that pCPU 0 holds. `rc`: RAX as a signed number. */
export const hypercall = (
  machine: Machine,
  at: VcpuRef,
  name: HypercallName | number,
  ...args: readonly (number | bigint)[]
): Ran & { readonly rc: number } => {
  const number = typeof name === 'number' ? name : HYPERCALL[name];
  const [rdi = 0, rsi = 0, rdx = 0, r10 = 0, r8 = 0, r9 = 0] = args;
  const ready = setRegs(load(machine, at, SYSCALL), at, {
    [RAX]: number,
    [RDI]: rdi,
    [RSI]: rsi,
    [RDX]: rdx,
    [R10]: r10,
    [R8]: r8,
    [R9]: r9,
  });
  const ran = run(ready);
  return { ...ran, rc: Number(BigInt.asIntN(64, reg(ran.machine, at, RAX))) };
};
