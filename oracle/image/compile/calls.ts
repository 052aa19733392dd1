/** A step of many hypercalls: a table of them, and a loop of the runtime that goes through it. */
import type { StepOf } from '#spec/program.ts';
import { addressOf, at, imm } from '../asm/operand.ts';
import { VAR } from '../layout.ts';
import { CALL_ROW } from '../runtime/calls.ts';
import { Arguments, callNumber } from './arguments.ts';
import { fieldTable, printFields } from './code.ts';
import { type Context, R } from './context.ts';
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

export const callsStep = (c: Context, step: StepOf<'calls'>, title: string): void => {
  const { a } = c;
  const { calls, draws, seed = 0 } = step;
  const report = c.label();
  const end = c.label();
  loadLabel(c, 'esi', report);
  loadLabel(c, 'edx', 'row_syscall');
  c.call('step_begin');
  const rows = rowsOf(c, step);
  a.op('mov32', R.r12d, imm(rows));
  a.op('mov32', R.r14d, imm(draws ?? calls.length));
  if (draws !== undefined) {
    a.op('mov32', R.r13d, imm(calls.length));
    a.op('mov32', R.r15d, imm(seed));
  }
  c.call(draws === undefined ? 'list_calls' : 'draw_calls');
  if (draws !== undefined) a.op('mov', at(64, VAR.args), R.rbx);
  if (calls.some(({ call }) => CHANGES_MAPPINGS.includes(callNumber(call)))) c.call('flush_tlb');
  a.label(report);
  c.say(title, 'report_begin');
  const trapped = c.label();
  a.op('jne', addressOf(trapped));
  if (draws === undefined) {
    a.op('mov32', R.r12d, imm(rows));
    a.op('mov32', R.ebx, imm(calls.length));
    c.call('put_results');
  } else printFields(c, fieldTable(c, [{ name: 'mix', address: VAR.args, size: 8, kind: 'hex' }]));
  a.op('jmp', addressOf(end));
  a.label(trapped);
  printFields(c, fieldTable(c, [{ name: 'left', address: VAR.registers + 8 * COUNTER, size: 8, kind: 'number' }]));
  a.label(end);
  c.call('report_end');
};
