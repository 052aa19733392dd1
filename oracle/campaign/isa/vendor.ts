/**
 * Where processors of other vendors do otherwise than AMD's, whose processor the table describes: rows, and which cases of them. On a
 * host that is not AMD's such a difference is counted under its finding, and is no failure.
 */
import { OPCODES, type Row } from '#spec/isa/x86/opcodes.ts';
import type { InstructionCase } from '../../image/instruction/case.ts';

export const TABLE_VENDOR = 'AuthenticAMD';

export type VendorDifference = {
  readonly finding: string;
  readonly why: string;
  readonly applies: (row: Row, c: InstructionCase) => boolean;
};

const named =
  (...names: readonly string[]) =>
  (row: Row): boolean =>
    names.includes(row.mnemonic);

const hasPrefix = (c: InstructionCase, ...prefixes: readonly number[]): boolean => prefixes.some((byte) => c.code.includes(byte));
const isRelative = (row: Row): boolean => row.operands[0]?.startsWith('J') ?? false;

export const VENDOR_DIFFERENCES: readonly VendorDifference[] = [
  {
    finding: 'F-036',
    why: '66 does not make near branches of 64-bit mode 16 bits wide',
    applies: (row, c) => c.mode === '64' && hasPrefix(c, 0x66) && (isRelative(row) || ['call', 'jmp', 'ret'].includes(row.mnemonic)),
  },
  {
    finding: 'F-037',
    why: 'REX.W makes far pointers in memory 16:64',
    applies: named('call_far', 'jmp_far', 'lss', 'lfs', 'lgs'),
  },
  {
    finding: 'F-038',
    why: 'the address with the base of FS or GS added must be canonical, not the offset',
    applies: (_, c) => c.mode === '64' && hasPrefix(c, 0x64, 0x65),
  },
  {
    finding: 'F-039',
    why: 'F2 and F3 before LOOPE and LOOPNE mean nothing',
    applies: (row, c) => named('loope', 'loopne')(row) && hasPrefix(c, 0xf2, 0xf3),
  },
  {
    finding: 'F-040',
    why: 'moves of control registers that do not exist are #GP in ring 3',
    applies: named('mov_from_cr', 'mov_to_cr', 'mov_from_dr', 'mov_to_dr'),
  },
  {
    finding: 'F-042',
    why: 'UD0 and UD1 have a ModRM byte',
    applies: named('ud0', 'ud1'),
  },
  {
    finding: 'F-046',
    why: 'what a far CALL, ENTER or PUSHA that faults had pushed is not seen',
    applies: named('call_far', 'enter', 'pusha', 'popa'),
  },
  {
    finding: 'F-048',
    why: 'MOVSXD with 66 reads 16 bits',
    applies: (row, c) => row.mnemonic === 'movsxd' && hasPrefix(c, 0x66),
  },
  {
    finding: 'F-065',
    why: 'SHA’s memory operands must be aligned',
    applies: (row) => row.feature === 'sha',
  },
  {
    finding: 'F-066',
    why: 'SYSENTER and SYSEXIT exist in long mode',
    applies: (row) => row.map === '0f' && (row.opcode === 0x34 || row.opcode === 0x35),
  },
  {
    finding: 'F-069',
    why: 'PUNPCKL reads 8 bytes, and MMX state and order of faults of its conversions differ',
    applies: (row) => row.state === 'mmx' || row.mnemonic.startsWith('cvtpi2'),
  },
  {
    finding: 'F-071',
    why: 'results of x87 instructions that the manuals leave open, condition codes and the order of faults in their memory areas, differ',
    applies: (row) => row.state === 'x87' || row.state === 'x87_nowait' || row.state === 'fx' || row.state === 'xsave',
  },
  {
    finding: 'F-071',
    why: 'which of several faults comes first, alignment among them, differs',
    applies: (row) => row.align !== undefined,
  },
  {
    finding: 'F-071',
    why: 'selections that the manuals leave open differ: 66 before wide NOPs, fetching of immediates, features that AMD’s processors lack',
    applies: (row) => row.mnemonic === 'invalid',
  },
];

/** The finding for a case that differs on a processor of this vendor; null on AMD's, or when nothing is known. */
export const vendorFinding = (vendor: string, c: InstructionCase): string | null =>
  vendor === TABLE_VENDOR ? null : (VENDOR_DIFFERENCES.find(({ applies }) => applies(OPCODES[c.row], c))?.finding ?? null);
