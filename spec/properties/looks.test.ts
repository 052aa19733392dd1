import { expect, test } from 'vitest';
import type { Engine } from '../engine.ts';
import { Looks } from './looks.ts';
import { entries } from './page_tables.ts';
import { bytesOf, CONFIG, entry, frame, small } from './testing/small_machine.ts';

/** A machine with one table, of which a test changes what it likes; it counts what it is asked for. */
const machine = (withDigests: boolean) => {
  const state = { frames: 'a', digest: 1, partial: null as { entries: number; nested: boolean } | null, word: entry(0x600) };
  const asked = { frames: 0, pages: 0 };
  const engine = {
    observe: () => ({ ...small({}).observation, frames: state.frames }),
    frames: () => {
      asked.frames++;
      return [frame(0x501, { type: 'l1', type_refs: 1, partial: state.partial })];
    },
    page: () => {
      asked.pages++;
      return bytesOf({ 3: state.word });
    },
    ...(withDigests && { pageDigest: () => state.digest }),
  } as unknown as Engine;
  const looks = new Looks(CONFIG, engine);
  const look = (level: 1 | 2 = 1) => {
    const view = looks.look();
    return entries(view, view.frames.get(0x501)!, level).map(({ index, mfn }) => [index, mfn]);
  };
  return { state, asked, look };
};

test('frames are asked for when their digest is another one', () => {
  const { state, asked, look } = machine(true);
  for (let i = 0; i < 3; i++) expect(look()).toEqual([[3, 0x600]]);
  expect(asked.frames).toBe(1);
  state.frames = 'b';
  look();
  look();
  expect(asked.frames).toBe(2);
});

test('a table is read when its bytes, its level or its end are others', () => {
  const { state, asked, look } = machine(true);
  expect([look(), look()]).toEqual([[[3, 0x600]], [[3, 0x600]]]);
  expect(asked.pages).toBe(1);
  Object.assign(state, { digest: 2, word: entry(0x601) });
  expect([look(), look(2)]).toEqual([[[3, 0x601]], [[3, 0x601]]]);
  expect(asked.pages).toBe(3);
  Object.assign(state, { frames: 'b', partial: { entries: 3, nested: false } });
  expect([look(2), look(2)]).toEqual([[], []]);
  expect(asked.pages).toBe(4);
});

test('where an engine has no digests at hand, every look reads', () => {
  const { state, look } = machine(false);
  expect(look()).toEqual([[3, 0x600]]);
  state.word = entry(0x601);
  expect(look()).toEqual([[3, 0x601]]);
});
