/** Rows of the opcode table for which cases can be made, by mode. */
import type { Mode } from '#oracle/image/instruction/case.ts';
import { OPCODES, type Row } from '#spec/isa/x86/opcodes.ts';

/** Operand codes that the generators know how to fill. */
const KNOWN = /^([EMRGSCDIJOXYZ]([bwdqvzyp]|dq)?|sb|AL|AX|rAX|eAX|CL|DX|[ECSDFG]S|1)$/;

const inMode = (row: Row, mode: Mode): boolean =>
  (row.modes ?? (mode === '64' ? 'long' : 'legacy')) === (mode === '64' ? 'long' : 'legacy');

/** What not both engines carry out so far. */
const LATER =
  /^(int1|s[gil]dt|str|smsw|lar|lsl|ver[rw]|monitor|mwait|clac|stac|invpcid|clflushopt|clwb|rd(rand|seed|pid)|(rd|wr)[fg]sbase|l[sfg]s|xgetbv|crc32|ad[co]x)$/;

const generated = (row: Row): boolean =>
  row.vex === undefined &&
  !LATER.test(row.mnemonic) &&
  (row.state === undefined || row.state === 'wait') &&
  row.operands.every((code) => KNOWN.test(code));

/** Indexes of the rows that a mode has. */
export const rowsIn = (mode: Mode): readonly number[] =>
  [...OPCODES.keys()].filter((row) => inMode(OPCODES[row], mode) && generated(OPCODES[row]));
