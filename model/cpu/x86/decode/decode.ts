/** From bytes to an instruction. A function of the bytes and the size of code alone, so that an answer may be remembered. */
import { NotModelled } from '#spec/failure.ts';
import type { DecodeMode } from '#spec/isa/x86/mode.ts';
import type { OpcodeMap, Row } from '#spec/isa/x86/row.ts';
import type { Size } from '../../../word/size.ts';
import { undefinedOpcode } from '../fault.ts';
import { Instruction, NONE, type Operand } from '../instruction.ts';
import { ruleOf } from '../registry.ts';
import { DS, RAX } from '../state.ts';
import { Bytes } from './bytes.ts';
import { type ModRm, readModRm } from './modrm.ts';
import { opcodeFor, selectRow } from './opcode_map.ts';
import { NO_OPERAND, readOperand } from './operands.ts';
import { type Prefixes, REX, readPrefixes } from './prefixes.ts';
import { isVex, readVex } from './vex.ts';

/**
 * Decode one instruction of 16, 32 or 64-bit code; `fetch` gives its bytes in order. Throws what `fetch` throws, #GP(0) beyond 15
 * bytes, #UD for an illegal LOCK and the like, and NotModelled for what the opcode table lacks, e.g. `instruction/0f28`.
 */
export const decode = (fetch: (index: number) => number, mode: DecodeMode = '64', hasVex = true): Instruction => {
  const bytes = new Bytes(fetch);
  const before = readPrefixes(bytes, mode);
  if (!hasVex && isVex(bytes, before)) throw undefinedOpcode('x86/mode-undefined');
  const { map, opcode, prefixes } = readOpcode(bytes, before);
  const { rows, modrm: hasModrm, registers } = opcodeFor(mode, prefixes.vex !== null, map, opcode);
  const modrm = hasModrm ? readModRm(bytes, prefixes, registers) : null;
  const row = selectRow(rows, modrm?.byte ?? 0, prefixes);
  if (!row && prefixes.vex && (rows.length > 0 || prefixes.vex.refused)) throw undefinedOpcode('x86/vex-undefined');
  if (!row)
    throw new NotModelled(`instruction/${prefixes.vex ? 'vex-' : ''}${map === '1' ? '' : map}${opcode.toString(16).padStart(2, '0')}`);
  return build(row, bytes, prefixes, modrm, opcode);
};

type Opcode = { readonly map: OpcodeMap; readonly opcode: number; readonly prefixes: Prefixes };

const readOpcode = (bytes: Bytes, prefixes: Prefixes): Opcode => {
  if (isVex(bytes, prefixes)) {
    const vex = readVex(bytes, prefixes);
    return { ...vex, opcode: vex.prefixes.opcode };
  }
  if (prefixes.opcode !== 0x0f) return { map: '1', opcode: prefixes.opcode, prefixes };
  const second = bytes.u8();
  if (second === 0x38) return { map: '0f38', opcode: bytes.u8(), prefixes };
  return second === 0x3a ? { map: '0f3a', opcode: bytes.u8(), prefixes } : { map: '0f', opcode: second, prefixes };
};

const build = (row: Row, bytes: Bytes, prefixes: Prefixes, modrm: ModRm | null, opcode: number): Instruction => {
  const size = operandSize(row, prefixes);
  const operand = (n: number): Operand =>
    n < row.operands.length ? readOperand(row.operands[n], size, bytes, prefixes, modrm, opcode) : NO_OPERAND;
  const operands = [operand(0), operand(1), operand(2)] as const;
  if (prefixes.lock && !(row.lock && operands[0].kind === 'mem')) throw undefinedOpcode('x86/lock-illegal');
  if (prefixes.vex && !vexFits(row, prefixes.vex)) throw undefinedOpcode('x86/vex-undefined');
  const mnemonic = nameOf(row, opcode, operands[0]);
  return new Instruction(
    mnemonic,
    row,
    ruleOf(row, mnemonic),
    bytes.taken,
    size,
    operands,
    prefixes.rep,
    prefixes.lock,
    prefixes.segment === NONE ? DS : prefixes.segment,
    prefixes.addressSize,
  );
};

/**
 * REX.W means 64 bits, 66 the other of 16 and 32; without them the row's default, else the mode's. 66 that selects the row changes
 * no size, nor is there one of 16 bits behind VEX.
 */
const operandSize = (row: Row, { mode, rex, operandSize: other, vex }: Prefixes): Size => {
  if (rex & REX.W) return 8;
  if (vex || row.prefix === '66') return 4;
  if (mode !== '64') return (mode === '32') === other ? 2 : 4;
  if (other) return 2;
  return row.size === 64 ? 8 : 4;
};

/** General registers are not vectors of 256 bits, and a register that no operand uses must read 1111. */
const vexFits = (row: Row, { long, register, refused }: NonNullable<Prefixes['vex']>): boolean =>
  !long && !refused && (register === 0 || row.operands.some((code) => code.startsWith('B')));

/** 90 is NOP, though its row exchanges RAX with a register: only a register other than RAX makes it an exchange. */
const nameOf = (row: Row, opcode: number, dst: Operand): string =>
  row.map === '1' && opcode === 0x90 && dst.index === RAX ? 'nop' : row.mnemonic;
