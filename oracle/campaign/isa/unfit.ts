/** Rows that this processor, or a program of ring 3 under this kernel, cannot be asked about: each with the reason. */
import { OPCODES, type Row } from '#spec/isa/x86/opcodes.ts';
import type { Mode } from '../../image/instruction/case.ts';
import type { Silicon } from '../../peers/silicon/silicon.ts';

type Unfit = { readonly why: string; readonly applies: (row: Row, mode: Mode) => boolean };

const named =
  (...names: readonly string[]) =>
  (row: Row): boolean =>
    names.includes(row.mnemonic);

const VIRTUALISATION = [0xc1, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff];

/** Whether a row takes one of these bytes as its modrm. */
const takes = (row: Row, modrm: number): boolean =>
  (row.modrm === undefined || row.modrm === modrm) && (row.ext === undefined || row.ext === ((modrm >> 3) & 7)) && row.mod !== 'mem';

const UNFIT: readonly Unfit[] = [
  {
    why: 'answered by the hypervisor that this machine runs under, or of a feature that the default machine lacks (SVM, MONITORX, CLZERO)',
    applies: (row) =>
      row.map === '0f' && row.opcode === 0x01 && row.mnemonic === 'invalid' && VIRTUALISATION.some((modrm) => takes(row, modrm)),
  },
  {
    why: 'emulated by the kernel where UMIP forbids it to programs',
    applies: named('sgdt', 'sidt', 'sldt', 'str', 'smsw'),
  },
  {
    why: 'shows the state of the kernel, or numbers that nobody can foresee',
    applies: named('rdpid', 'rdrand', 'rdseed', 'xgetbv'),
  },
  {
    why: 'a system call, which the kernel answers in its own way outside 64-bit mode',
    applies: (row, mode) => mode !== '64' && (row.mnemonic === 'syscall' || row.mnemonic === 'sysenter'),
  },
  {
    why: 'a #DB that the kernel cannot tell from a single step',
    applies: named('int1'),
  },
  {
    why: 'VEX and EVEX prefixes outside real mode',
    applies: (row) => row.mnemonic === 'invalid' && row.modes === 'legacy' && [0x62, 0xc4, 0xc5].includes(row.opcode),
  },
  {
    why: 'depends on what the processor knows of the state being as after a reset',
    applies: named('xsaveopt'),
  },
];

/** Null when the row can be tried here. */
export const whyNot = (silicon: Pick<Silicon, 'features'>, { row, mode }: { readonly row: number; readonly mode: Mode }): string | null => {
  const found = OPCODES[row];
  if (found.feature !== undefined && !silicon.features.has(found.feature)) return `the processor lacks ${found.feature}`;
  return UNFIT.find(({ applies }) => applies(found, mode))?.why ?? null;
};
