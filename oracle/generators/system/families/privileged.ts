/** Every privileged, system and I/O row in every mode and ring, with plain operands: who may, and what comes first. */
import type { SystemCase } from '#oracle/image/bare/case.ts';
import { OPCODE_GROUPS, OPCODES } from '#spec/isa/x86/opcodes.ts';
import type { Stream } from '../../isa/stream.ts';
import { dataAt, dataOffset, instruction, little } from '../assemble.ts';
import { store } from '../descriptor.ts';
import { MODE_RINGS, somePlace } from '../places.ts';
import type { Family } from './family.ts';

/** Rows whose success in ring 0 needs more care than plain operands: other families have them. */
const CARE = /^(hlt|mwait|sysret|sysexit|lgdt|lidt|mov_to_cr|mov_to_dr|wrmsr|in|out|ins|outs|syscall|sysenter)$/;
const IO = /^(in|out|ins|outs)$/;
/** Ports that the bitmap lets through, and that it does not or not to the end. Where nothing stands, reads are ones. */
const FREE_PORT = 0x30;
const BARRED_PORTS = [0xed, 0x36, 0x35, 0x3ff, 0xffff] as const;

const system = new Set(OPCODE_GROUPS['system']);
export const PRIVILEGED_ROWS: readonly number[] = [...OPCODES.keys()].filter((index) => {
  const row = OPCODES[index];
  return row.vex === undefined && (row.privileged === true || row.iopl === true || system.has(row) || IO.test(row.mnemonic));
});

/** A row in a mode and ring. */
export type Cell = Pick<SystemCase, 'row' | 'mode' | 'ring'>;

export const wrongMode = (index: number, long: boolean): boolean => OPCODES[index].modes === (long ? 'legacy' : 'long');

/** Whether plain operands do for a row in a mode and ring. */
export const isPlain = ({ row, mode, ring }: Cell): boolean =>
  // A row of the other kind of mode still decodes to something: a case for its neighbour, whose name it does not bear.
  !wrongMode(row, mode === '64') && !(ring === 0 && CARE.test(OPCODES[row].mnemonic) && !IO.test(OPCODES[row].mnemonic));

const somewhere = (s: Stream): SystemCase => {
  const cell = { row: s.pick(PRIVILEGED_ROWS), ...s.pick(MODE_RINGS) };
  return isPlain(cell) ? plain(s, cell) : somewhere(s);
};

/** A case of a row in a mode and ring. */
export const plain = (s: Stream, { row: index, mode, ring }: Cell): SystemCase => {
  const row = OPCODES[index];
  const at = somePlace(s, [mode], [ring]);
  const port = at.ring === 0 || s.one(2) ? FREE_PORT : s.pick(BARRED_PORTS);
  const immediate = row.operands.includes('Ib') ? [port & 0xff] : row.operands.includes('Jz') ? little(0, 4) : [];
  const value = (s.bits64() & ~0xffffn) | BigInt(s.pick([0, 1, 2, 0x10, 0x33]));
  return {
    ...at,
    row: index,
    note: `plain ${row.mnemonic}`,
    code: instruction(at, index, {
      reg: 1,
      rm: 0,
      ...(s.one(2) ? { memory: dataOffset(at, 0x20) } : {}),
      immediate,
      ...(s.one(6) ? { other: true } : {}),
    }),
    gpr: {
      0: IO.test(row.mnemonic) ? 0xffffffffn : value,
      1: BigInt(s.below(3)),
      2: BigInt(port),
      6: BigInt(dataOffset(at)),
      7: BigInt(dataOffset(at, 0x30)),
    },
    flags: s.one(3) && at.ring !== 0 ? 0x3000 : 0,
    cr4: s.pick([0, 0, 0x800, 0x40000, 4]),
    before: store(dataAt(at), [1, 2, 3, 4]),
  };
};

export const PRIVILEGED: readonly Family[] = [{ name: 'plain', weight: 10, make: somewhere }];
