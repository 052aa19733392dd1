import { expect, it } from 'vitest';
import { totalsOf } from '../../campaign/isa/report.ts';
import { checkSilicon } from '../../campaign/isa/silicon_check.ts';
import { siliconPeer } from './silicon.ts';

it.skipIf(!siliconPeer().available)('model and executor do as the processor of this machine, some cases of each row', async () => {
  const check = await checkSilicon({ seeds: { first: 1, last: 5 } });
  expect(check.rows.filter((tally) => tally.first !== null).map((tally) => tally.first)).toEqual([]);
  expect(check.rows.flatMap((tally) => Object.keys(tally.notModelled))).toEqual([]);
  expect(totalsOf(check).cases).toBeGreaterThan(10_000);
});
