/** No row of the opcode map is without a handler. */

import { expect, test } from 'vitest';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { BUILD } from './build.ts';
import { CODE, fixture, STACK_END } from './fixture.ts';
import { RSP } from './interface.ts';

test('every mnemonic that is not privileged has a builder, and no builder is unused', () => {
  const wanted = new Set(OPCODES.filter((row) => !row.privileged).map((row) => row.mnemonic));
  expect([...wanted].filter((name) => BUILD[name] === undefined)).toEqual([]);
  expect(Object.keys(BUILD).filter((name) => !wanted.has(name))).toEqual([]);
});

test('every row builds in register, memory, wide and narrow form', () => {
  const { cpu, poke } = fixture();
  for (const row of OPCODES) {
    for (const prefix of [[], [0x66], [0x48], [0x67], [0xf0]]) {
      for (const mod of ['reg', 'mem'] as const) {
        if (row.mod !== undefined && row.mod !== mod) continue;
        if (row.prefix !== undefined && prefix.length > 0 && prefix[0] !== 0x48) continue;
        const mandatory = row.prefix === 'f3' ? [0xf3] : [];
        const map = { '1': [], '0f': [0x0f], '0f38': [0x0f, 0x38], '0f3a': [0x0f, 0x3a] }[row.map];
        const modrm = row.modrm ?? (mod === 'mem' ? 0x03 : 0xc3) | ((row.ext ?? 0) << 3);
        poke(CODE, [...mandatory, ...prefix, ...map, row.opcode, modrm, 1, 0, 0, 0, 0, 0, 0, 0]);
        cpu.rip = CODE;
        cpu.setGpr(RSP, STACK_END - 64n);
        cpu.rflags = 2n;
        expect(() => cpu.run(1), `${row.mnemonic} ${row.operands} ${prefix}`).not.toThrow();
      }
    }
  }
});
