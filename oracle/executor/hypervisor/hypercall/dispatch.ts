/**
 * From a SYSCALL in kernel mode to the handler of its number and back: reading arguments, the result in RAX, the event, and the
 * rewinding of a preempted call.
 */
import { ERRNO } from '#spec/abi/errno.ts';
import { HYPERCALL, HYPERCALL_ARGS, HYPERCALL_NAME, suboperation } from '#spec/abi/hypercall.ts';
import type { Event } from '#spec/event.ts';
import { type GuestCpu, R8, R10, RAX, RDI, RDX, RSI } from '../../cpu/interface.ts';
import type { Machine } from '../machine.ts';
import { NO_RETURN, WIDE } from '../result.ts';
import { hexText, highHalf } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { CALL_STATE } from './continuation.ts';
import { HANDLERS } from './table.ts';

/**
 * A handler reads its arguments as halves (`args[2 * i]` low, `args[2 * i + 1]` high) and answers a signed number for RAX, or one of
 * the two marks of result.ts. It must not keep `args`.
 */
export type Handler = (machine: Machine, vcpu: Vcpu, args: Int32Array) => number;

const ARGUMENT_REGISTERS = [RDI, RSI, RDX, R10, R8] as const;
const MOST_ARGUMENTS = ARGUMENT_REGISTERS.length;

/** What each number is called in events, and how many arguments the event shows. */
const CALLS = Array.from({ length: 64 }, (_, number) => {
  const name: string = HYPERCALL_NAME.get(number) ?? `hypercall_${number}`;
  return { name, shown: (HYPERCALL_ARGS as Readonly<Record<string, number>>)[name] ?? MOST_ARGUMENTS };
});
const callOf = (lo: number, hi: number): { readonly name: string; readonly shown: number } =>
  hi === 0 && lo >= 0 && lo < CALLS.length
    ? CALLS[lo]!
    : { name: `hypercall_${(BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)}`, shown: MOST_ARGUMENTS };

const text = (args: Int32Array, i: number): string => hexText(args[2 * i], args[2 * i + 1]);
/** The spelling of the first arguments. Written out, because arrays that grow cost more than all the rest. */
export const texts = (args: Int32Array, count: number): string[] => {
  switch (count) {
    case 0:
      return [];
    case 1:
      return [text(args, 0)];
    case 2:
      return [text(args, 0), text(args, 1)];
    case 3:
      return [text(args, 0), text(args, 1), text(args, 2)];
    case 4:
      return [text(args, 0), text(args, 1), text(args, 2), text(args, 3)];
    default:
      return [text(args, 0), text(args, 1), text(args, 2), text(args, 3), text(args, 4)];
  }
};

/** The event of a call with its result, which stands in CALL_STATE.wide*. */
export const emitCall = (machine: Machine, vcpu: Vcpu, call: string, args: string[], depth: number): void => {
  const result = hexText(CALL_STATE.wideLo, CALL_STATE.wideHi);
  machine.emit({ kind: 'hypercall', at: vcpu.ref, call, args, result, depth });
};

/** The event of a call that shows no result. `since`: how many events there were before it. */
export const emitUnanswered = (machine: Machine, vcpu: Vcpu, call: string, args: string[], depth: number, since: number): void => {
  const { events } = machine;
  const event: Event = { kind: 'hypercall', at: vcpu.ref, call, args, result: null, depth };
  for (let i = since; i < events.length; i++) {
    if (!isEndOf(events[i]!, vcpu.domain.domid)) continue;
    events.splice(i, 0, event);
    return;
  }
  machine.emit(event);
};

/** The call that ends its caller's domain is told before that end. */
const isEndOf = (event: Event, domid: number): boolean => (event.kind === 'crash' || event.kind === 'shutdown') && event.domid === domid;

/** Run the handler of a number; -ENOSYS for numbers that Xen does not know. */
export const call = (machine: Machine, vcpu: Vcpu, numberLo: number, numberHi: number, args: Int32Array): number => {
  const handler = numberHi === 0 && numberLo >>> 0 < HANDLERS.length ? HANDLERS[numberLo] : undefined;
  if (handler) return handler(machine, vcpu, args);
  const name = numberHi === 0 ? HYPERCALL_NAME.get(numberLo) : undefined;
  if (name !== undefined) {
    const operation = suboperation(name, args[0]);
    machine.notModelled(vcpu, operation === undefined ? name : `${name}/${operation}`);
  }
  return -ERRNO.ENOSYS;
};

/** Store a handler's answer as 64 bits in CALL_STATE.wide*. */
export const widen = (answer: number): void => {
  if (answer === WIDE) return;
  CALL_STATE.wideLo = answer | 0;
  CALL_STATE.wideHi = answer >= -0x80000000 && answer <= 0x7fffffff ? answer >> 31 : highHalf(answer);
  if (answer > 0x7fffffff || answer < -0x80000000) CALL_STATE.wideLo = Number(BigInt.asIntN(32, BigInt(answer)));
};

const liveArguments = new Int32Array(12);
const nestedArguments = new Int32Array(12);

/** Written out: the registers' places are known then. */
const readArguments = (s: Int32Array): void => {
  liveArguments[0] = s[2 * RDI];
  liveArguments[1] = s[2 * RDI + 1];
  liveArguments[2] = s[2 * RSI];
  liveArguments[3] = s[2 * RSI + 1];
  liveArguments[4] = s[2 * RDX];
  liveArguments[5] = s[2 * RDX + 1];
  liveArguments[6] = s[2 * R10];
  liveArguments[7] = s[2 * R10 + 1];
  liveArguments[8] = s[2 * R8];
  liveArguments[9] = s[2 * R8 + 1];
};

/** One hypercall of a guest kernel: the SYSCALL has been carried out, RIP is behind it. */
export const hypercall = (machine: Machine, vcpu: Vcpu): void => {
  const { cpu } = vcpu;
  const { s } = cpu;
  const numberLo = s[2 * RAX];
  const numberHi = s[2 * RAX + 1];
  readArguments(s);
  CALL_STATE.preempted = false;
  CALL_STATE.inMulticall = false;
  CALL_STATE.gaveUp = false;
  const since = machine.events.length;
  const { name, shown } = callOf(numberLo, numberHi);
  // Spelled before the call: handlers may be told other arguments.
  const args = texts(liveArguments, shown);
  if (numberHi === 0) machine.work.call(vcpu.domain.domid, numberLo, liveArguments[0]);
  const answer = call(machine, vcpu, numberLo, numberHi, liveArguments);
  machine.work.outside(vcpu.domain.domid);
  if (CALL_STATE.preempted) {
    rewind(vcpu, numberLo);
    emitUnanswered(machine, vcpu, name, args, 0, since);
  } else if (answer === NO_RETURN) emitUnanswered(machine, vcpu, name, args, 0, since);
  else {
    widen(answer);
    cpu.setGprHalves(RAX, CALL_STATE.wideLo, CALL_STATE.wideHi);
    emitCall(machine, vcpu, name, args, 0);
  }
};

/** RIP back to the two-byte instruction before it. */
export const stepBack = (cpu: GuestCpu): void => {
  cpu.rip = BigInt.asUintN(64, cpu.rip - 2n);
};

/** Make the guest execute its SYSCALL again, with the arguments that the continuation chose. */
const rewind = (vcpu: Vcpu, number: number): void => {
  const { cpu } = vcpu;
  const next = CALL_STATE.continuation;
  for (let i = 0; i < CALL_STATE.continuationCount; i++) cpu.setGprHalves(ARGUMENT_REGISTERS[i], next[2 * i], next[2 * i + 1]);
  cpu.setGprHalves(RAX, number, 0);
  stepBack(cpu);
};

/**
 * One entry of a multicall. Its arguments are in `entryArguments()`. Leaves the result in CALL_STATE.wide* (when preempted: the call's
 * number, and the arguments replaced by the continuation's) and emits the event of depth 1.
 */
export const nestedCall = (machine: Machine, vcpu: Vcpu, numberLo: number, numberHi: number): void => {
  const since = machine.events.length;
  const { name, shown } = callOf(numberLo, numberHi);
  const args = texts(nestedArguments, shown);
  if (numberHi === 0) machine.work.entry(vcpu.domain.domid, numberLo, nestedArguments[0]);
  const answer = call(machine, vcpu, numberLo, numberHi, nestedArguments);
  if (CALL_STATE.preempted) {
    nestedArguments.set(CALL_STATE.continuation.subarray(0, 2 * CALL_STATE.continuationCount));
    widen(numberLo);
    emitUnanswered(machine, vcpu, name, args, 1, since);
  } else if (answer === NO_RETURN) {
    // The handler has put into RAX what Xen stores as the entry's result.
    CALL_STATE.wideLo = vcpu.cpu.gprLo(RAX);
    CALL_STATE.wideHi = vcpu.cpu.gprHi(RAX);
    emitUnanswered(machine, vcpu, name, args, 1, since);
  } else {
    widen(answer);
    emitCall(machine, vcpu, name, args, 1);
  }
};

/** Where multicall puts the six arguments of the entry at work. */
export const entryArguments = (): Int32Array => nestedArguments;

/** Number of the iret hypercall: the only one after which a multicall stops. */
export const IRET = HYPERCALL.iret;
