import { expect, it } from 'vitest';
import type { Boot, Engine } from '#spec/engine.ts';
import { debian_4_17, dom0 } from '#spec/machines/debian_4_17.ts';
import { buildImages, EXAMPLES } from '../../image/index.ts';
import { type Dom0Options, dom0Lockstep, type Kept } from './lockstep.ts';
import { loadDom0Pair } from './pair.ts';

const image = buildImages(EXAMPLES.hello!)[0]!;
const options = (steps: number): Dom0Options => ({ config: debian_4_17([dom0('', 32)]), image, steps, observeEvery: 1 });

/** An engine that tells something else of its registers from one instruction on. */
const lyingAfter =
  (boot: Boot, steps: number): Boot =>
  (config, images) => {
    const engine: Engine = boot(config, images);
    let retired = 0;
    return {
      name: 'liar',
      apply: (input) => {
        const report = engine.apply(input);
        retired += report.retired;
        return report;
      },
      status: () => engine.status(),
      observe: () => (retired > steps ? { ...engine.observe(), memory: 'a lie' } : engine.observe()),
      frames: () => engine.frames(),
      page: (mfn) => engine.page(mfn),
      populated: () => engine.populated(),
    };
  };

it('compares to the end', async () => {
  const { end, steps, hypercalls, refused } = dom0Lockstep(await loadDom0Pair(), options(1_000_000));
  expect({ end, refused }).toEqual({ end: 'halted', refused: {} });
  expect(steps).toBeGreaterThan(100);
  expect(hypercalls).toBeGreaterThan(1);
});

it('comes to the instruction at which the two part', async () => {
  const pair = await loadDom0Pair();
  const { end } = dom0Lockstep({ ...pair, subject: lyingAfter(pair.subject, 57) }, options(1_000_000));
  expect(end).toMatchObject({ difference: { path: 'memory', step: 57, seen: 'a lie' } });
});

it('goes on from what was kept as if it had never stopped', async () => {
  const pair = await loadDom0Pair();
  const config = { ...options(1_000_000), observeEvery: 1 };
  let kept: { saved: Uint8Array; inputs: number } | null = null;
  const whole = dom0Lockstep(pair, {
    ...config,
    onCheckpoint: (reference: Kept, inputs) => {
      kept ??= inputs >= 2 ? { saved: reference.save(), inputs } : null;
    },
  });
  const { saved, inputs } = kept!;
  const rest = dom0Lockstep(pair, { ...config, from: { reference: pair.restore(saved), inputs } });
  expect({ end: rest.end, steps: rest.steps, now: rest.now }).toEqual({ end: whole.end, steps: whole.steps, now: whole.now });
});

it('keeps where a run came to that is shorter than what lies between two comparisons', async () => {
  const pair = await loadDom0Pair();
  const kept: number[] = [];
  dom0Lockstep(pair, { ...options(60_000), observeEvery: 1000, onCheckpoint: (_, inputs) => kept.push(inputs) });
  expect(kept).toHaveLength(1);
  expect(kept[0]).toBeGreaterThan(0);
});
