/** A hypercall step. */
import { HYPERCALL_NAME, type HypercallName, suboperation } from '#spec/abi/hypercall.ts';
import type { Argument, Page, StepOf } from '#spec/program.ts';
import { addressOf, at, imm, via } from '../asm/operand.ts';
import { HYPERCALL_PAGE, VAR } from '../layout.ts';
import { Arguments, callNumber, type Placed } from './arguments.ts';
import { printFields } from './code.ts';
import { type Context, R } from './context.ts';
import { movedInfo, printSeen, reportSilence, requestCall } from './second_vcpu.ts';
import { literal, loadLabel, loadValue } from './values.ts';

const REGISTERS = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'] as const;

/** Calls that select what they do by their first argument. */
const BY_FIRST: readonly HypercallName[] = [
  'event_channel_op',
  'sched_op',
  'xen_version',
  'console_io',
  'vm_assist',
  'callback_op',
  'grant_table_op',
  'vcpu_op',
  'memory_op',
];
/** Calls that change what is mapped where. */
export const CHANGES_MAPPINGS: readonly number[] = (
  ['mmu_update', 'update_va_mapping', 'mmuext_op', 'grant_table_op', 'memory_op', 'multicall', 'stack_switch'] as const
).map(callNumber);

const constantArgument = (argument: Argument | undefined): number | undefined =>
  typeof argument === 'number' ? argument : typeof argument === 'string' ? Number(literal(argument)) : undefined;

/** `event_channel_op/close`, `mmu_update`, `hypercall_63`. */
export const operationName = (call: HypercallName | number, args: readonly Argument[]): string => {
  const name = typeof call === 'string' ? call : HYPERCALL_NAME.get(call);
  if (!name) return `hypercall_${call}`;
  if (!BY_FIRST.includes(name)) return name;
  const command = constantArgument(args[0]);
  if (command === undefined) return name;
  return `${name}/${suboperation(name, command) ?? command}`;
};

export const hypercallStep = (c: Context, step: StepOf<'hypercall'>, title: string): void => {
  const { a } = c;
  const number = callNumber(step.call);
  const report = c.label();
  const code = c.label();
  loadLabel(c, 'esi', report);
  loadLabel(c, 'edx', code);
  c.call('step_begin');

  const placement = new Arguments(c);
  const placed = step.args.map((argument) => placement.place(argument, ''));
  placed.forEach((p, i) => {
    if ('constant' in p) return;
    loadValue(c, p.value);
    c.storeRax(VAR.args + 8 * i);
  });
  const silent = c.label();
  const issue = () => {
    if (!step.vcpu) return issueCall(c, step, placed, code);
    requestCall(c, number, placed, silent);
    a.label(code);
  };
  const info = newInfo(step);
  if (info?.vcpu === 0 && !step.vcpu) movingInfo(c, info, issue);
  else issue();
  if (info?.vcpu === 1)
    onSuccess(c, () => {
      loadValue(c, { page: info.page, as: 'va', plus: info.offset });
      movedInfo(c);
    });
  if (CHANGES_MAPPINGS.includes(number)) c.call('flush_tlb');
  afterwards(c, step, placement);
  a.label(report);
  c.say(title, 'report_begin');
  const end = c.label();
  a.op('jne', addressOf(end));
  c.call('put_result');
  const slot = c.slotFor(step, 'rc');
  if (slot !== 0) {
    a.op('mov', R.rax, at(64, VAR.rc));
    c.storeRax(slot);
  }
  printFields(c, placement.table(step));
  if (step.vcpu) printSeen(c);
  a.label(end);
  c.call('report_end');
  if (!step.vcpu) return;
  const told = c.label();
  a.op('jmp', addressOf(told));
  a.label(silent);
  reportSilence(c, title);
  a.label(told);
};

/** Load the registers and go, by SYSCALL here or in the hypercall page. */
const issueCall = (c: Context, step: StepOf<'hypercall'>, placed: readonly Placed[], code: string): void => {
  const { a } = c;
  const number = callNumber(step.call);
  REGISTERS.forEach((register, i) => {
    const p = placed[i];
    if (p === undefined) c.load(register, 0);
    else if ('constant' in p) c.load(register, p.constant);
    else a.op('mov', R[register], at(64, VAR.args + 8 * i));
  });
  if (step.via === 'page' && number < 128) {
    a.op('mov32', R.eax, imm(HYPERCALL_PAGE + 32 * number));
    a.label(code);
    a.op('call', R.rax);
  } else {
    c.load('rax', number);
    a.label(code);
    a.op('syscall');
  }
  c.storeRax(VAR.rc);
};

/** What the runtime must learn from a success: where the timer's port is. */
const afterwards = (c: Context, step: StepOf<'hypercall'>, placement: Arguments): void => {
  const [first, second] = step.args;
  if (step.call === 'event_channel_op' && first === 1) {
    const port = placement.reports.find((r) => r.name === 'port');
    if (!port || typeof second !== 'object' || !('struct' in second) || second.fields['virq'] !== 0 || second.fields['vcpu'] !== 0) return;
    onSuccess(c, () => {
      c.a.op('mov', R.eax, at(32, port.address));
      c.storeRax(VAR.timer_port);
    });
  }
};

type NewInfo = { readonly vcpu: number; readonly page: Page; readonly offset: number };

/** Page and offset to which a vCPU's vcpu_info would move. */
const newInfo = (step: StepOf<'hypercall'>): NewInfo | null => {
  const [command, number, argument] = step.args;
  if (
    step.call !== 'vcpu_op' ||
    command !== 10 ||
    (number !== 0 && number !== 1) ||
    typeof argument !== 'object' ||
    !('struct' in argument)
  )
    return null;
  const { mfn, offset } = argument.fields;
  if (typeof mfn !== 'object' || !('page' in mfn)) return null;
  return { vcpu: number, page: mfn.page, offset: constantArgument(offset) ?? 0 };
};

/** An upcall at the end of the call would look for its port where vcpu_info was, so keep upcalls out until the new place is known. */
const movingInfo = (c: Context, { page, offset }: NewInfo, call: () => void): void => {
  const { a } = c;
  const byte = via(8, 'rbx', 1);
  a.op('mov', R.rbx, at(64, VAR.vcpu_info));
  a.op('movzx', R.eax, byte);
  c.storeRax(VAR.saved);
  a.op('mov', byte, imm(1));
  call();
  onSuccess(c, () => {
    loadValue(c, { page, as: 'va', plus: offset });
    c.storeRax(VAR.vcpu_info);
  });
  a.op('mov', R.rbx, at(64, VAR.vcpu_info));
  a.op('mov', R.eax, at(32, VAR.saved));
  a.op('mov', byte, R.al);
  c.call('enter_xen');
};

const onSuccess = (c: Context, then: () => void): void => {
  const failed = c.label();
  c.a.op('cmp', at(64, VAR.rc), imm(0));
  c.a.op('jne', addressOf(failed));
  then();
  c.a.label(failed);
};
