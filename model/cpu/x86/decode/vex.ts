/** VEX: prefixes, REX and escape bytes of newer instructions in two or three bytes. */
import { NotModelled } from '#spec/failure.ts';
import type { OpcodeMap } from '#spec/isa/x86/row.ts';
import { undefinedOpcode } from '../fault.ts';
import type { Bytes } from './bytes.ts';
import { readModRm } from './modrm.ts';
import type { Prefixes } from './prefixes.ts';

const MAPS: Readonly<Record<number, OpcodeMap>> = { 1: '0f', 2: '0f38', 3: '0f3a' };
const TWO = 0xc5;
const THREE = 0xc4;
const EVEX = 0x62;

/**
 * Whether VEX begins here. Outside 64-bit mode the bytes are LES and LDS, whose operand is in memory: only with mod = 3, which they
 * do not have, it is VEX. So it is with BOUND and EVEX.
 */
export const isVex = (bytes: Bytes, { mode, opcode }: Prefixes): boolean =>
  (opcode === THREE || opcode === TWO || opcode === EVEX) && (mode === '64' || bytes.peek() >= 0xc0);

/**
 * The opcode behind VEX, with what VEX says in place of prefixes. Throws #UD for a map that does not exist, and behind REX, which makes
 * an opcode with an operand of LES, LDS and BOUND: x86/vex-undefined.
 */
export const readVex = (bytes: Bytes, before: Prefixes): { readonly map: OpcodeMap; readonly prefixes: Prefixes } => {
  if (before.rex !== 0) {
    readModRm(bytes, before);
    throw undefinedOpcode('x86/vex-undefined');
  }
  if (before.opcode === EVEX) throw new NotModelled('instruction/evex');
  const first = bytes.u8();
  const second = before.opcode === THREE ? bytes.u8() : first & 0x7f;
  const extensions = before.opcode === THREE ? ~first >> 5 : (~first >> 5) & 4;
  const map = before.opcode === THREE ? MAPS[first & 31] : '0f';
  const opcode = bytes.u8();
  if (!map) throw undefinedOpcode('x86/vex-undefined');
  const register = (~second >> 3) & (before.mode === '64' ? 15 : 7);
  const wide = before.mode === '64' ? (second & 0x80) >> 4 : 0;
  const prefixes: Prefixes = {
    ...before,
    operandSize: (second & 3) === 1,
    rep: (['none', 'none', 'rep', 'repne'] as const)[second & 3],
    rex: wide | (before.mode === '64' ? extensions & 7 : 0),
    vex: { long: (second & 4) !== 0, register, refused: before.operandSize || before.rep !== 'none' || before.lock },
    lock: false,
    opcode,
  };
  return { map, prefixes };
};
