/** From bytes to an instruction. A function of the bytes alone, so that an answer may be remembered. */
import { NotModelled } from '#spec/failure.ts';
import type { OpcodeMap, Row } from '#spec/isa/x86/opcodes.ts';
import type { Size } from '../../../word/size.ts';
import { undefinedOpcode } from '../fault.ts';
import { Instruction, type Operand } from '../instruction.ts';
import { ruleOf } from '../registry.ts';
import { RAX } from '../state.ts';
import { Bytes } from './bytes.ts';
import { type ModRm, readModRm } from './modrm.ts';
import { hasModrm, namesRegister, rowsFor, selectRow } from './opcode_map.ts';
import { NO_OPERAND, readOperand } from './operands.ts';
import { type Prefixes, REX, readPrefixes } from './prefixes.ts';

/**
 * Decode one instruction; `fetch` gives its bytes in order. Throws what `fetch` throws, #GP(0) beyond 15 bytes, #UD for an
 * illegal LOCK, and NotModelled, e.g. `instruction/0f28`.
 */
export const decode = (fetch: (index: number) => number): Instruction => {
  const bytes = new Bytes(fetch);
  const prefixes = readPrefixes(bytes);
  const [map, opcode] = readOpcode(bytes, prefixes.opcode);
  const rows = rowsFor(map, opcode);
  const modrm = hasModrm(rows) ? readModRm(bytes, prefixes, namesRegister(rows)) : null;
  const row = selectRow(rows, modrm?.byte ?? 0, prefixes);
  if (!row) throw new NotModelled(`instruction/${map === '1' ? '' : map}${opcode.toString(16).padStart(2, '0')}`);
  return build(row, bytes, prefixes, modrm, opcode);
};

const readOpcode = (bytes: Bytes, first: number): readonly [OpcodeMap, number] => {
  if (first !== 0x0f) return ['1', first];
  const second = bytes.u8();
  if (second === 0x38) return ['0f38', bytes.u8()];
  return second === 0x3a ? ['0f3a', bytes.u8()] : ['0f', second];
};

const build = (row: Row, bytes: Bytes, prefixes: Prefixes, modrm: ModRm | null, opcode: number): Instruction => {
  const size = operandSize(row, prefixes);
  const operand = (n: number): Operand =>
    n < row.operands.length ? readOperand(row.operands[n], size, bytes, prefixes, modrm, opcode) : NO_OPERAND;
  const operands = [operand(0), operand(1), operand(2)] as const;
  if (prefixes.lock && !(row.lock && operands[0].kind === 'mem')) throw undefinedOpcode('x86/lock-illegal');
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
    prefixes.segment,
    prefixes.addressSize,
  );
};

/** REX.W means 64 bits, 66 means 16; without them the row's default, else 32. */
const operandSize = (row: Row, { rex, operandSize: narrow }: Prefixes): Size => {
  if (rex & REX.W) return 8;
  if (narrow) return 2;
  return row.size === 64 ? 8 : 4;
};

/** 90 is NOP, though its row exchanges RAX with a register: only a register other than RAX makes it an exchange. */
const nameOf = (row: Row, opcode: number, dst: Operand): string =>
  row.map === '1' && opcode === 0x90 && dst.index === RAX ? 'nop' : row.mnemonic;
