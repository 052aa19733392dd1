/** No Xen of Debian's runs 32-bit guests: its transcript is the executor's, and single answers were checked against Xen's public source. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { debian_4_17, dom0 } from '#spec/machines/debian_4_17.ts';
import { withCompat } from '#spec/machines/pv32.ts';
import { type EngineName, loadEngine } from '../../campaign/engines.ts';
import { DEFAULT_POLICY } from '../../campaign/environment.ts';
import { runEngine } from '../../campaign/run.ts';
import { lockstep } from '../../compare/lockstep.ts';
import { buildPae, hasCompiler } from '../build.ts';

const file = (name: string): Buffer => readFileSync(fileURLToPath(new URL(name, import.meta.url)));
const TRANSCRIPT = file('guest.txt').toString();
const MACHINE = withCompat(debian_4_17([dom0('', 16)]));
const LIMIT = 1_000_000;

const consoleOf = async (name: EngineName, image: Uint8Array) => {
  let console = '';
  const { finish, halted } = runEngine((await loadEngine(name))(MACHINE, [image]), {
    limit: LIMIT,
    onEvent: (event) => {
      if (event.kind === 'console') console += event.bytes;
    },
  });
  return { console, finish, halted };
};

describe.each(['executor'] as const)('a 32-bit guest in C on the %s', (name) => {
  test('says what it should, and powers off', async () => {
    expect(await consoleOf(name, file('guest.elf'))).toEqual({ console: TRANSCRIPT, finish: 'halted', halted: 0 });
  });

  test('does so too when the compiler of this machine built it', async () => {
    if (!hasCompiler()) return console.warn('no gcc for x86-64 here: only the guest that was built before was run');
    expect((await consoleOf(name, buildPae())).console).toBe(TRANSCRIPT);
  });
});

test('model and executor carry it out in lockstep', async () => {
  const pair = { reference: await loadEngine('model'), subject: await loadEngine('executor') };
  const verdict = lockstep(
    pair,
    { config: MACHINE, images: [file('guest.elf')] },
    { limit: LIMIT, policy: { ...DEFAULT_POLICY, slice: 500 } },
  );
  if (!verdict.agree) throw new Error(JSON.stringify(verdict.divergence.difference));
  expect(verdict.events.flatMap((event) => (event.kind === 'console' ? [event.bytes] : [])).join('')).toBe(TRANSCRIPT);
});
