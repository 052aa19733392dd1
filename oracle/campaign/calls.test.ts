import { expect, test } from 'vitest';
import { Program } from '#spec/program.ts';
import { caseOf } from './case.ts';
import { ENGINES, loadEngine } from './engines.ts';
import { Consoles, runEngine } from './run.ts';

const consoleOf = async (engine: (typeof ENGINES)[number], steps: readonly unknown[]): Promise<readonly string[]> => {
  const { config, images } = caseOf(Program.parse({ steps }), 1);
  const consoles = new Consoles();
  runEngine((await loadEngine(engine))(config, images), { onEvent: consoles.add });
  return consoles.of(0).trimEnd().split('\n');
};

const window = { page: 8, as: 'va' };
const version = { call: 'xen_version', args: [0] };
const unknown = { call: 'xen_version', args: [99] };
const map = { call: 'update_va_mapping', args: [window, { page: 1, as: 'pte', flags: '0x63' }, 2] };
/** An address of Xen's own, which no breakpoint of a guest may have. */
const debug = { call: 'set_debugreg', args: [0, '0xffff830000000000'] };

test.each(ENGINES)('many calls of one step on the %s: all results of listed ones, a mix of those that are drawn', async (engine) => {
  const lines = await consoleOf(engine, [
    { id: 1, do: 'calls', calls: [version, unknown, map, debug] },
    { id: 2, do: 'calls', calls: [version, unknown], draws: 300, seed: 1 },
    { id: 3, do: 'calls', calls: [version, unknown], draws: 300, seed: 2 },
    { id: 4, do: 'calls', calls: [version, unknown], draws: 300, seed: 1 },
  ]);
  expect(lines[0]).toBe('0.1 calls rc=262161,-38,0,-1');
  const mixes = lines.slice(1).map((line) => /^0\.\d calls\/drawn mix=(0x[0-9a-f]+)$/.exec(line)?.[1]);
  expect(mixes[0]).toBeDefined();
  expect(mixes[1]).not.toBe(mixes[0]);
  expect(mixes[2]).toBe(mixes[0]);
});
