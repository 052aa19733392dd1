import { describe, expect, it } from 'vitest';
import { OPCODES, type OpcodeMap, type Row } from './opcodes.ts';

const PREFIXES = ['np', '66', 'f3', 'f2'] as const;
const MODES = ['long', 'legacy'] as const;

const fits = (row: Row, mode: 'long' | 'legacy', prefix: (typeof PREFIXES)[number], modrm: number): boolean =>
  (row.modes ?? mode) === mode &&
  (row.prefix === undefined || row.prefix === prefix || (row.prefix === 'none' && (prefix === 'np' || prefix === '66'))) &&
  (row.modrm === undefined || row.modrm === modrm) &&
  (row.ext === undefined || row.ext === ((modrm >> 3) & 7)) &&
  (row.mod === undefined || (row.mod === 'reg') === modrm >= 0xc0);

const label = ({ map, opcode, mnemonic, operands }: Row): string => `${map} ${opcode.toString(16)} ${mnemonic} ${operands}`;

const byOpcode = (rows: readonly Row[]): readonly (readonly Row[])[] => [
  ...Map.groupBy(rows, ({ map, opcode }) => `${map} ${opcode}`).values(),
];

describe('the opcode table', () => {
  it.each([
    ['legacy and SSE encodings', OPCODES.filter((row) => row.vex === undefined)],
    ['VEX encodings', OPCODES.filter((row) => row.vex === true)],
  ])('has at most one row for each selection of %s', (_, rows) => {
    const twice = new Set<string>();
    for (const group of byOpcode(rows))
      for (const mode of MODES)
        for (const prefix of PREFIXES)
          for (let modrm = 0; modrm < 256; modrm++) {
            const found = group.filter((row) => fits(row, mode, prefix, modrm));
            // A row with a mandatory prefix comes before one that takes any.
            const [first, second] = found;
            const ranked = first?.prefix !== undefined && second?.prefix === undefined && found.length === 2;
            if (found.length > 1 && !ranked) twice.add(found.map(label).join(' | '));
          }
    expect([...twice]).toEqual([]);
  });

  it('leaves no selection of an opcode with mandatory prefixes open', () => {
    const open = new Set<string>();
    for (const group of byOpcode(OPCODES.filter((row) => row.vex === undefined && row.map !== '1'))) {
      if (!group.some((row) => row.prefix !== undefined)) continue;
      for (const mode of MODES)
        for (const prefix of PREFIXES)
          for (let modrm = 0; modrm < 256; modrm++)
            if (!group.some((row) => fits(row, mode, prefix, modrm)))
              open.add(`${label(group[0])} ${mode} ${prefix} ${modrm.toString(16)}`);
    }
    expect([...open]).toEqual([]);
  });

  it('agrees with itself on whether an opcode has a modrm byte', () => {
    const inModrm = /^([EMRGSCDVWUPQN]([bwdqvzypat]|dq)?|STi)$/;
    const hasModrm = (row: Row): boolean =>
      row.ext !== undefined || row.modrm !== undefined || row.mod !== undefined || row.operands.some((code) => inModrm.test(code));
    const mixed = byOpcode(OPCODES.filter((row) => row.mnemonic !== 'invalid'))
      .flatMap((group) => MODES.map((mode) => group.filter((row) => (row.modes ?? mode) === mode)))
      .filter((group) => new Set(group.map(hasModrm)).size > 1);
    expect(mixed.map((group) => group.map(label))).toEqual([]);
  });

  it('finds what its manuals list, by map', () => {
    const count = (map: OpcodeMap): number => new Set(OPCODES.filter((row) => row.map === map).map((row) => row.opcode)).size;
    // 14 prefixes, 0F, and the REX prefixes' places which are INC and DEC elsewhere.
    expect(count('1')).toBe(256 - 12);
  });
});
