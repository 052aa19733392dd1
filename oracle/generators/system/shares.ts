/** The shares of the privileged rows: each in each mode and ring has its turn, so that none waits for chance. */
import type { SystemCase } from '#oracle/image/bare/case.ts';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import type { Stream } from '../isa/stream.ts';
import type { Family } from './families/family.ts';
import { type Cell, isPlain, PRIVILEGED_ROWS, plain, wrongMode } from './families/privileged.ts';
import { MODE_RINGS } from './places.ts';

/** Families make what they like: so often they are asked for a case of one row, mode and ring before another row has its turn. */
const TRIES = 2000;
/** Has no divisor in common with the number of cells: neighbours in the table do not follow each other. */
const STRIDE = 389;

const makersOf = (cell: Cell, families: readonly Family[]): readonly Family[] =>
  families.filter(({ privileged }) => privileged?.test(OPCODES[cell.row].mnemonic) === true);

/** Every privileged row by mode and ring of which some family makes cases. */
export const privilegedCells = (families: readonly Family[]): readonly Cell[] =>
  PRIVILEGED_ROWS.flatMap((row) => MODE_RINGS.map((at) => ({ row, ...at }))).filter(
    (cell) => !wrongMode(cell.row, cell.mode === '64') && (isPlain(cell) || makersOf(cell, families).length > 0),
  );

/** The case of the `turn`-th turn: plain operands and what families make of the row by halves. Null where a family made none. */
export const sharedCase = (s: Stream, turn: number, cells: readonly Cell[], families: readonly Family[]): SystemCase | null => {
  const cell = cells[(turn * STRIDE) % cells.length];
  const makers = makersOf(cell, families);
  if (isPlain(cell) && (makers.length === 0 || s.one(2))) return plain(s, cell);
  for (let i = 0; i < TRIES; i++) {
    const made = s.pick(makers).make(s);
    if (made.row === cell.row && made.mode === cell.mode && made.ring === cell.ring) return made;
  }
  return isPlain(cell) ? plain(s, cell) : null;
};
