/** Strings of bytes to decode: anything, or something that looks like an instruction. */
import type { Mode } from '#oracle/image/instruction/case.ts';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { instructionCase } from './instruction_case.ts';
import { rowsIn } from './rows.ts';
import { Stream } from './stream.ts';

/** More than the longest instruction has. */
export const STRING_BYTES = 16;

const PREFIXES = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65] as const;
const MAPS = { '1': [], '0f': [0x0f], '0f38': [0x0f, 0x38], '0f3a': [0x0f, 0x3a] } as const;

const ROWS = { '64': rowsIn('64'), '32': rowsIn('32'), '16': rowsIn('16') } as const;

const random = (s: Stream): number[] => Array.from({ length: STRING_BYTES }, () => s.below(256));

/** Some prefixes in any order, REX among them, and an opcode that the table has. */
const likely = (s: Stream, mode: Mode): number[] => {
  const { map, opcode, prefix } = s.pick(OPCODES);
  const prefixes = Array.from({ length: s.pick([0, 0, 1, 1, 2, 3, 5]) }, () =>
    mode === '64' && s.one(4) ? 0x40 | s.below(16) : s.pick(PREFIXES),
  );
  const mandatory = prefix === 'f2' ? [0xf2] : prefix === 'f3' ? [0xf3] : prefix === '66' ? [0x66] : [];
  const rex = mode === '64' && s.one(2) ? [0x40 | s.below(16)] : [];
  return [...prefixes, ...mandatory, ...rex, ...MAPS[map], opcode, ...random(s)];
};

/** A whole instruction of a case, now and then with one byte changed. */
const whole = (s: Stream, mode: Mode): number[] => {
  const code = [...instructionCase(s.pick(ROWS[mode]), s.bits() >>> 1, mode).code, ...random(s)];
  if (s.one(3)) code[s.below(6)] = s.below(256);
  return code;
};

/** String number `seed` for a mode. */
export const byteString = (seed: number, mode: Mode = '64'): Uint8Array => {
  const s = new Stream(seed, 0x10000);
  const bytes = s.one(2) ? random(s) : s.one(2) ? likely(s, mode) : whole(s, mode);
  return Uint8Array.from(bytes.slice(0, STRING_BYTES));
};
