import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { BadInput } from '#spec/failure.ts';
import type { Dom0Pair, Kept } from '../../campaign/dom0/lockstep.ts';
import { readState, StateFile } from './dom0_state.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenspec-'));
afterAll(() => rmSync(folder, { recursive: true }));

const saying = (text: string) => ({ save: () => new TextEncoder().encode(text) }) as Kept;
const pair = { restore: (saved: Uint8Array) => ({ said: new TextDecoder().decode(saved) }) as unknown as Kept } as Dom0Pair;

it('gives back what was kept last, and leaves nothing beside it', () => {
  const path = join(folder, 'state');
  const file = new StateFile(path, 'this run');
  file.tryPath();
  expect(existsSync(path)).toBe(false);
  file.add(saying('first'), 1);
  file.add(saying('last'), 2);
  file.write();
  expect(readState(path, 'this run', pair)).toEqual({ reference: { said: 'last' }, inputs: 2 });
  expect(existsSync(`${path}.part`)).toBe(false);
  expect(() => readState(path, 'another run', pair)).toThrow('the state of a run with another kernel');
});

it('says before a run that nothing can be written there', () =>
  expect(() => new StateFile(join(folder, 'nowhere', 'state'), 'run').tryPath()).toThrow(BadInput));
