import { describe, expect, test } from 'vitest';
import { EXIT } from '../exit_code.ts';
import { here } from '../testing/cli.ts';
import { type ScriptsTable, scriptsText } from './explain_scripts.ts';

const TABLE: ScriptsTable = {
  recordings: 5,
  counts: { clauses: 3, exercised: 1, excused: 1, bare: 1 },
  clauses: [
    { clause: 'evtchn/upcall-pending', scripts: ['a', 'b', '4.14/c', 'd'], why: null },
    { clause: 'version/build_id-none', scripts: [], why: 'It has one.' },
    { clause: 'evtchn/port-dying', scripts: [], why: null },
  ],
};

describe('explain --scripts', () => {
  test('a line for each clause, and how many have scripts', () => {
    expect(scriptsText(TABLE).split('\n')).toEqual([
      'evtchn/upcall-pending: 4 (a, b, 4.14/c and 1 more)',
      'version/build_id-none: none. It has one.',
      'evtchn/port-dying: none. Nothing says why.',
      '',
      '1 of 3 clauses (33.3 %) are exercised by scripts: 5 recorded on real Xen, some of them stopped',
      'wherever they can be, and those of 32-bit guests (pv32/), which no Xen could be asked for and model and executor agree on;',
      '1 have none for a reason that is told; 1 have none without one.',
      '',
    ]);
  });

  test.each([
    [['--scripts', '--matrix'], /--scripts stands alone/],
    [['--scripts', '--between', '4.14', '4.20'], /--between takes two releases, and nothing else/],
  ])('%j is refused', async (options, why) => {
    const { code, stderr } = await here('explain', ...options);
    expect(code).toBe(EXIT.badInput);
    expect(stderr).toMatch(why);
  });
});
