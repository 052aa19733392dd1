import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { debian_4_17, dom0 } from '#spec/machines/debian_4_17.ts';
import { ENGINES, type EngineName, loadEngine } from '../campaign/engines.ts';
import { Environment } from '../campaign/environment.ts';
import { buildExample, hasCompiler } from './build.ts';

const file = (name: string): Buffer => readFileSync(fileURLToPath(new URL(name, import.meta.url)));
/** What real Xen 4.17 under QEMU printed for example.elf. */
const TRANSCRIPT = file('example.txt').toString();

const consoleOf = async (name: EngineName, image: Uint8Array): Promise<{ console: string; finish: string; reason: number | null }> => {
  const engine = (await loadEngine(name))(debian_4_17([dom0('', 16)]), [image]);
  const environment = new Environment(undefined, 1_000_000);
  let console = '';
  for (;;) {
    const input = environment.next(engine.status());
    if (typeof input === 'string') return { console, finish: input, reason: engine.status().halted };
    const { events, retired } = engine.apply(input);
    for (const event of events) if (event.kind === 'console') console += event.bytes;
    environment.account(input, retired);
  }
};

describe.each(ENGINES)('a guest in C on the %s', (name) => {
  test('prints what it printed on real Xen, and powers off', async () => {
    expect(await consoleOf(name, file('example.elf'))).toEqual({ console: TRANSCRIPT, finish: 'halted', reason: 0 });
  });

  test('does so too when the compiler of this machine built it', async () => {
    if (!hasCompiler()) return console.warn('no gcc for x86-64 here: only the guest that was built before was run');
    expect((await consoleOf(name, buildExample())).console).toBe(TRANSCRIPT);
  });
});
