import { expect, it } from 'vitest';
import { OPCODE_GROUPS, OPCODES } from '#spec/isa/x86/opcodes.ts';
import { totalsOf } from '../../campaign/isa/report.ts';
import { checkSilicon } from '../../campaign/isa/silicon_check.ts';
import { siliconPeer } from './silicon.ts';

const GROUPS = ['data_transfer', 'binary_arithmetic', 'logical', 'shift_rotate', 'bit_byte', 'control_transfer', 'string', 'flag'] as const;
const COMPARED = new Set(GROUPS.flatMap((name) => OPCODE_GROUPS[name]));

it.skipIf(!siliconPeer().available)('model and executor do as the processor of this machine, some cases of each row', async () => {
  const check = await checkSilicon({ first: 1, last: 24, modes: ['64'] });
  const rows = check.rows.filter(({ row }) => COMPARED.has(OPCODES[row]));
  expect(rows.filter((tally) => tally.first !== null).map((tally) => tally.first)).toEqual([]);
  expect(totalsOf(check).cases).toBeGreaterThan(10_000);
});
