/** A step of many hypercalls: a table of them that a loop of the runtime goes through, or code that draws from them. */
import type { StepOf } from '#spec/program.ts';
import { addressOf, at, imm } from '../asm/operand.ts';
import { VAR } from '../layout.ts';
import { CALL_ROW } from '../runtime/calls.ts';
import { Arguments, callNumber } from './arguments.ts';
import { fieldTable, printFields } from './code.ts';
import { type Context, R } from './context.ts';
import { drawnCalls } from './drawn.ts';
import { CHANGES_MAPPINGS } from './hypercall.ts';
import { loadLabel } from './values.ts';

/** Index of R14, which counts down, among the registers that a trap keeps. */
const COUNTER = 14;

/** Lays the rows out; what is known only when the program runs is filled in then. */
const rowsOf = (c: Context, { calls }: StepOf<'calls'>): number => {
  const rows = c.data.reserve(CALL_ROW * calls.length);
  const placement = new Arguments(c);
  calls.forEach(({ call, args }, i) => {
    const row = rows + CALL_ROW * i;
    c.data.put(row, 8, callNumber(call));
    args.forEach((argument, n) => {
      placement.store(row + 8 + 8 * n, 8, argument, '');
    });
  });
  return rows;
};

/** Makes each call once. Where the rows are, with the results. */
const listedCalls = (c: Context, step: StepOf<'calls'>): number => {
  const rows = rowsOf(c, step);
  c.a.op('mov32', R.r12d, imm(rows));
  c.a.op('mov32', R.r14d, imm(step.calls.length));
  c.call('list_calls');
  return rows;
};

export const callsStep = (c: Context, step: StepOf<'calls'>, title: string): void => {
  const { a } = c;
  const { calls, draws } = step;
  const report = c.label();
  const end = c.label();
  const drawn = draws !== undefined;
  const code = drawn ? c.label() : 'row_syscall';
  loadLabel(c, 'esi', report);
  loadLabel(c, 'edx', code);
  c.call('step_begin');
  let rows = 0;
  if (drawn) {
    a.label(code);
    drawnCalls(c, step);
    a.op('mov', at(64, VAR.args), R.rbx);
  } else rows = listedCalls(c, step);
  if (calls.some(({ call }) => CHANGES_MAPPINGS.includes(callNumber(call)))) c.call('flush_tlb');
  a.label(report);
  c.say(title, 'report_begin');
  const trapped = c.label();
  a.op('jne', addressOf(trapped));
  if (drawn) printFields(c, fieldTable(c, [{ name: 'mix', address: VAR.args, size: 8, kind: 'hex' }]));
  else {
    a.op('mov32', R.r12d, imm(rows));
    a.op('mov32', R.ebx, imm(calls.length));
    c.call('put_results');
  }
  a.op('jmp', addressOf(end));
  a.label(trapped);
  printFields(c, fieldTable(c, [{ name: 'left', address: VAR.registers + 8 * COUNTER, size: 8, kind: 'number' }]));
  a.label(end);
  c.call('report_end');
};
