/** Handlers and rows of the opcode table belong together. */

import { expect, test } from 'vitest';
import { NotModelled } from '#spec/failure.ts';
import { OPCODES, type Row } from '#spec/isa/x86/opcodes.ts';
import { TABLES } from './build.ts';
import { decode } from './decode.ts';
import { CODE, fixture, STACK_END } from './fixture.ts';
import { RSP } from './interface.ts';

test('no builder is unused', () => {
  const known = new Set(OPCODES.map((row) => row.mnemonic));
  expect(TABLES.flatMap((table) => Object.keys(table)).filter((name) => !known.has(name))).toEqual([]);
});

/** An encoding of the row with memory or register operands. */
const encode = (row: Row, prefix: readonly number[], mod: 'reg' | 'mem'): readonly number[] => {
  const mandatory = { f3: [0xf3], f2: [0xf2], '66': [0x66], none: [], np: [] }[row.prefix ?? 'np'];
  const map = { '1': [], '0f': [0x0f], '0f38': [0x0f, 0x38], '0f3a': [0x0f, 0x3a] }[row.map];
  const modrm = row.modrm ?? (mod === 'mem' ? 0x03 : 0xc3) | ((row.ext ?? 0) << 3);
  return [...mandatory, ...prefix, ...map, row.opcode, modrm, 1, 0, 0, 0, 0, 0, 0, 0];
};

/** What may stop a single step: nothing, or an instruction that has no handler. */
const isNamed = (run: () => void): boolean => {
  try {
    run();
    return true;
  } catch (error) {
    return error instanceof NotModelled;
  }
};

test('every row of 64-bit mode runs in register, memory, wide and narrow form', () => {
  const { cpu, poke } = fixture();
  for (const row of OPCODES) {
    if (row.modes === 'legacy' || row.vex) continue;
    for (const prefix of [[], [0x66], [0x48], [0x67], [0xf0]]) {
      for (const mod of ['reg', 'mem'] as const) {
        if (row.mod !== undefined && row.mod !== mod) continue;
        if (row.prefix !== undefined && prefix.length > 0 && prefix[0] !== 0x48) continue;
        poke(CODE, encode(row, prefix, mod));
        cpu.rip = CODE;
        cpu.setGpr(RSP, STACK_END - 64n);
        cpu.rflags = 2n;
        expect(
          isNamed(() => cpu.run(1)),
          `${row.mnemonic} ${row.operands} ${prefix}`,
        ).toBe(true);
      }
    }
  }
});

test('every row decodes as itself in each of its modes', () => {
  for (const kind of ['64', '32', '16'] as const) {
    for (const row of OPCODES) {
      if (row.vex || row.modes === (kind === '64' ? 'legacy' : 'long')) continue;
      for (const mod of ['reg', 'mem'] as const) {
        if (row.mod !== undefined && row.mod !== mod) continue;
        // Where there are VEX and EVEX, these begin them.
        if (row.map === '1' && [0x62, 0xc4, 0xc5].includes(row.opcode) && (kind === '64' || mod === 'reg')) continue;
        if (row.modrm !== undefined && (mod === 'reg') !== row.modrm >= 0xc0) continue;
        const bytes = encode(row, [], mod);
        const found = decode((at) => bytes[at] ?? 0, kind).row;
        expect(`${found.mnemonic} ${found.operands}`, `${kind}: ${bytes}`).toBe(`${row.mnemonic} ${row.operands}`);
      }
    }
  }
});
