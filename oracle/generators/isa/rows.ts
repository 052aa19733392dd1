/** Rows of the opcode table for which cases can be made, by mode. */
import type { Mode } from '#oracle/image/instruction/case.ts';
import { OPCODES, type Row } from '#spec/isa/x86/opcodes.ts';

/** Operand codes that the generators know how to fill. */
const KNOWN = /^([EMRGSCDIJOXYZVWUPQNB]([bwdqvzypat]|dq)?|Ap|STi?|XMM0|sb|AL|AX|rAX|eAX|CL|DX|[ECSDFG]S|1)$/;

const inMode = (row: Row, mode: Mode): boolean =>
  (row.modes ?? (mode === '64' ? 'long' : 'legacy')) === (mode === '64' ? 'long' : 'legacy');

const generated = (row: Row): boolean => row.operands.every((code) => KNOWN.test(code));

/** Indexes of the rows that a mode has. */
export const rowsIn = (mode: Mode): readonly number[] =>
  [...OPCODES.keys()].filter((row) => inMode(OPCODES[row], mode) && generated(OPCODES[row]));
