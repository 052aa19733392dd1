/** What `npm start` looks at of two worlds: on both machines, and a leak gives a line that says how to see it again. */
import { expect, test } from 'vitest';
import type { Boot } from '#spec/engine.ts';
import { loadEngine } from '../engines.ts';
import { worldsSlice } from './slice.ts';

const [model, executor] = [await loadEngine('model'), await loadEngine('executor')];

test('pairs on both machines, and nothing to say of them', { timeout: 60_000 }, () => {
  let told = 0;
  const { first, pairs, transitions, wrong } = worldsSlice({ model, executor }, 31, () => told++);
  expect([first, wrong]).toEqual([31, []]);
  expect(pairs.model).toBeGreaterThan(0);
  expect(pairs.executor).toBeGreaterThan(0);
  expect(told).toBe(pairs.model + pairs.executor);
  expect(transitions).toBeGreaterThan(20 * told);
});

/** A machine whose clock tells how many machines there were before it: nobody's business, and not the same in two worlds. */
const counting = (boot: Boot): Boot => {
  let machines = 0;
  return (config, images) => {
    const engine = boot(config, images);
    const number = machines++ % 2;
    return new Proxy(engine, {
      get: (target, name) => {
        if (name === 'observeDomain')
          return (domid: number) => {
            const { domain, ...view } = engine.observeDomain!(domid);
            return { ...view, domain: domain && { ...domain, console_bytes: domain.console_bytes + number } };
          };
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      },
    });
  };
};

test('a leak is one line with the command that shows it', { timeout: 60_000 }, () => {
  const { wrong } = worldsSlice({ model, executor: counting(executor) }, 31);
  expect(wrong).toEqual([
    expect.stringMatching(/^two worlds on the executor, seed 31: d\d, output: at boot: console_bytes .*--seeds 31 --on executor\)$/),
  ]);
});
