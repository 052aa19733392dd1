/**
 * INT 0x82 of a 32-bit guest's kernel: arguments in EBX, ECX, EDX, ESI, EDI, EBP, the number and the result in EAX. Handlers are told 64-bit arguments, whose
 * upper halves are zero.
 */
import { ERRNO } from '#spec/abi/errno.ts';
import { HYPERCALL_ARGS, HYPERCALL_NAME, suboperation } from '#spec/abi/hypercall.ts';
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI } from '../../cpu/interface.ts';
import { CALL_STATE } from '../hypercall/continuation.ts';
import { emitCall, emitUnanswered, texts, widen } from '../hypercall/dispatch.ts';
import type { Machine } from '../machine.ts';
import { NO_RETURN } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';
import { COMPAT_HANDLERS } from './table.ts';

const ARGUMENT_REGISTERS = [RBX, RCX, RDX, RSI, RDI, RBP] as const;
const SHOWN_AT_MOST = 5;

/** Calls that take another number of arguments than those of 64-bit guests. */
const OWN_COUNTS: Readonly<Record<string, number>> = {
  set_callbacks: 4,
  update_descriptor: 4,
  update_va_mapping: 4,
  update_va_mapping_otherdomain: 5,
  set_timer_op: 2,
};

const CALLS = Array.from({ length: 64 }, (_, number) => {
  const name: string = HYPERCALL_NAME.get(number) ?? `hypercall_${number}`;
  return { name, shown: OWN_COUNTS[name] ?? (HYPERCALL_ARGS as Readonly<Record<string, number>>)[name] ?? SHOWN_AT_MOST };
});
const callOf = (number: number): { readonly name: string; readonly shown: number } =>
  CALLS[number] ?? { name: `hypercall_${number}`, shown: SHOWN_AT_MOST };

const call = (machine: Machine, vcpu: Vcpu, number: number, args: Int32Array): number => {
  const handler = COMPAT_HANDLERS[number];
  if (handler) return handler(machine, vcpu, args);
  const name = HYPERCALL_NAME.get(number);
  if (name !== undefined) {
    const operation = suboperation(name, args[0]);
    machine.notModelled(vcpu, `compat/${operation === undefined ? name : `${name}/${operation}`}`);
  }
  return -ERRNO.ENOSYS;
};

/** The result as EAX has it. */
const narrowed = (answer: number): void => {
  widen(answer);
  CALL_STATE.wideHi = 0;
};

const liveArguments = new Int32Array(12);
const nestedArguments = new Int32Array(12);

/** Xen has been entered; EIP is behind the instruction. */
export const compatHypercall = (machine: Machine, vcpu: Vcpu): void => {
  const { cpu } = vcpu;
  const number = cpu.gprLo(RAX) >>> 0;
  ARGUMENT_REGISTERS.forEach((register, i) => {
    liveArguments[2 * i] = cpu.gprLo(register);
    liveArguments[2 * i + 1] = 0;
  });
  CALL_STATE.preempted = false;
  CALL_STATE.inMulticall = false;
  CALL_STATE.gaveUp = false;
  const since = machine.events.length;
  const { name, shown } = callOf(number);
  const spelled = texts(liveArguments, shown);
  machine.work.call(vcpu.domain.domid, number, liveArguments[0]);
  const answer = call(machine, vcpu, number, liveArguments);
  machine.work.outside(vcpu.domain.domid);
  if (CALL_STATE.preempted) {
    rewind(vcpu, number);
    emitUnanswered(machine, vcpu, name, spelled, 0, since);
  } else if (answer === NO_RETURN) emitUnanswered(machine, vcpu, name, spelled, 0, since);
  else {
    narrowed(answer);
    cpu.setGprHalves(RAX, CALL_STATE.wideLo, 0);
    emitCall(machine, vcpu, name, spelled, 0);
  }
};

/** Make the guest execute its INT again, with the arguments that the continuation chose. */
const rewind = (vcpu: Vcpu, number: number): void => {
  const { cpu } = vcpu;
  const next = CALL_STATE.continuation;
  for (let i = 0; i < CALL_STATE.continuationCount; i++) cpu.setGprHalves(ARGUMENT_REGISTERS[i], next[2 * i], 0);
  cpu.setGprHalves(RAX, number, 0);
  cpu.setRipHalves((cpu.ripLo() - 2) | 0, 0);
};

/** Where multicall puts the six arguments of the entry at work. */
export const compatEntryArguments = (): Int32Array => nestedArguments;

/** One entry of a multicall; see `nestedCall` of 64-bit guests. */
export const compatNestedCall = (machine: Machine, vcpu: Vcpu, number: number): void => {
  const since = machine.events.length;
  const { name, shown } = callOf(number);
  const spelled = texts(nestedArguments, shown);
  machine.work.entry(vcpu.domain.domid, number, nestedArguments[0]);
  const answer = call(machine, vcpu, number, nestedArguments);
  if (CALL_STATE.preempted) {
    nestedArguments.set(CALL_STATE.continuation.subarray(0, 2 * CALL_STATE.continuationCount));
    narrowed(number);
    emitUnanswered(machine, vcpu, name, spelled, 1, since);
  } else if (answer === NO_RETURN) {
    CALL_STATE.wideLo = vcpu.cpu.gprLo(RAX);
    CALL_STATE.wideHi = 0;
    emitUnanswered(machine, vcpu, name, spelled, 1, since);
  } else {
    narrowed(answer);
    emitCall(machine, vcpu, name, spelled, 1);
  }
};
