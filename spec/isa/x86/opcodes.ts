/** The opcode table (row.ts says how to read it), put together from the groups of SDM volume 1, chapter 5. */
import { BINARY_ARITHMETIC } from './opcodes/binary_arithmetic.ts';
import { BIT_BYTE } from './opcodes/bit_byte.ts';
import { BMI } from './opcodes/bmi.ts';
import { CONTROL_TRANSFER } from './opcodes/control_transfer.ts';
import { CRYPTO } from './opcodes/crypto.ts';
import { DATA_TRANSFER } from './opcodes/data_transfer.ts';
import { DECIMAL } from './opcodes/decimal.ts';
import { FLAG } from './opcodes/flag.ts';
import { INPUT_OUTPUT } from './opcodes/input_output.ts';
import { LOGICAL } from './opcodes/logical.ts';
import { MISCELLANEOUS } from './opcodes/miscellaneous.ts';
import { MMX } from './opcodes/mmx.ts';
import { SAVE_RESTORE } from './opcodes/save_restore.ts';
import { SEGMENT } from './opcodes/segment.ts';
import { SHIFT_ROTATE } from './opcodes/shift_rotate.ts';
import { SSE_ROWS } from './opcodes/sse.ts';
import { SSE2_ROWS } from './opcodes/sse2.ts';
import { SSE3_ROWS, SSE4A_ROWS, SSSE3_ROWS } from './opcodes/sse3.ts';
import { SSE4_1_ROWS, SSE4_2_ROWS } from './opcodes/sse4.ts';
import { STRING } from './opcodes/string.ts';
import { SYSTEM } from './opcodes/system.ts';
import { unassigned } from './opcodes/unassigned.ts';
import { X87_ROWS } from './opcodes/x87.ts';
import type { Row } from './row.ts';

export { CONDITIONS } from './opcodes/make.ts';
export type { OpcodeMap, Row } from './row.ts';

/** Control registers that exist. MOV with another is #UD, which comes before the #GP(0) of ring 3; so are debug registers above 7. */
export const CONTROL_REGISTERS: readonly number[] = [0, 2, 3, 4, 8];
export const DEBUG_REGISTERS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7];

/** The groups by the names that reports and options use. */
export const OPCODE_GROUPS: Readonly<Record<string, readonly Row[]>> = {
  data_transfer: DATA_TRANSFER,
  binary_arithmetic: BINARY_ARITHMETIC,
  decimal: DECIMAL,
  logical: LOGICAL,
  shift_rotate: SHIFT_ROTATE,
  bit_byte: BIT_BYTE,
  control_transfer: CONTROL_TRANSFER,
  string: STRING,
  input_output: INPUT_OUTPUT,
  flag: FLAG,
  segment: SEGMENT,
  miscellaneous: MISCELLANEOUS,
  bmi: BMI,
  x87: X87_ROWS,
  mmx: MMX,
  sse: SSE_ROWS,
  sse2: SSE2_ROWS,
  sse3: SSE3_ROWS,
  ssse3: SSSE3_ROWS,
  sse4_1: SSE4_1_ROWS,
  sse4_2: SSE4_2_ROWS,
  sse4a: SSE4A_ROWS,
  crypto: CRYPTO,
  save_restore: SAVE_RESTORE,
  system: SYSTEM,
};

const ASSIGNED: readonly Row[] = Object.values(OPCODE_GROUPS).flat();

/** The first row that fits counts. */
export const OPCODES: readonly Row[] = [...ASSIGNED, ...unassigned(ASSIGNED)];
