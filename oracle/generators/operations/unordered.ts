/** Which rows of the matrix have no program that is wrong in two ways at once, and why. */
import { kindOf, MATRIX, nameOf } from '#spec/matrix/matrix.ts';
import { isAnswered, OPERATIONS } from './index.ts';
import { type Operation, pairs } from './operation.ts';

const ONE_ARGUMENT = 'one argument, which can be wrong in one way at a time';
const NO_ARGUMENT = 'whatever the argument, it is right';

/** Rows that have no order of checks, since there is but one check or none. */
export const WITHOUT_ORDER: Readonly<Record<string, string>> = {
  fpu_taskswitch: NO_ARGUMENT,
  set_timer_op: NO_ARGUMENT,
  'hvm_op/guest_request_vm_event': ONE_ARGUMENT,
  get_debugreg: ONE_ARGUMENT,
  set_trap_table: 'each entry is read and then looked at for one thing, its address; entries follow each other',
  'sched_op_compat/shutdown':
    'right with whatever argument, and nothing comes after it; a command that nobody has is asked at yield and block',
};

/** What an operation's command is called among its arguments. */
const COMMANDS: readonly string[] = ['command', 'cmd', 'which', 'operation'];
const pairsOf = (operations: readonly Operation[]): number => operations.reduce((sum, one) => sum + pairs(one).length, 0);

/** All commands without a name share a row: each of a hypercall's operations asks for one of them, together with its other mistakes. */
const asked = (call: string, sub: string | null, name: string): readonly Operation[] =>
  sub === '(any other)'
    ? OPERATIONS.filter((one) => one.call === call && one.faults.some(({ argument }) => COMMANDS.includes(argument)))
    : OPERATIONS.filter(({ row }) => name === row || name.startsWith(`${row}/`));

/** Rows that both engines answer to some caller, and that no pair of mistakes is made for. */
export const rowsWithoutPairs = (): readonly string[] =>
  MATRIX.filter(
    (row) =>
      (['pv64_dom0', 'pv64_domU'] as const).some(
        (caller) => kindOf(row.cells[caller]) !== 'not modelled' && isAnswered(nameOf(row), caller),
      ) && pairsOf(asked(row.call, row.sub, nameOf(row))) === 0,
  ).map(nameOf);
