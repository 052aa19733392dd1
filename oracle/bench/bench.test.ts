/** Every bench does its work, once and little of it. How fast is no test's business. */
import { describe, expect, it } from 'vitest';
import { boot as bootModel } from '#model/engine.ts';
import { boot as bootExecutor } from '#oracle/executor/engine.ts';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import { runEngine } from '../campaign/run.ts';
import { BENCHES } from './benches.ts';
import { kernelImage } from './guest.ts';
import { GUESTS } from './hypercalls.ts';
import { KERNELS } from './kernels.ts';
import { calibration, measure } from './measure.ts';
import { peerNames } from './xen_rates.ts';

const A_LITTLE = 0.001;

describe('benches', () => {
  it.each(BENCHES.map((bench) => [bench.name, bench] as const))('%s', (_, bench) => {
    expect(bench.round(A_LITTLE)()).toBeGreaterThan(0);
  });

  it('have names of their own, and the peer measures beside some of them', () => {
    const names = BENCHES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining([...peerNames()]));
  });

  it('are measured in rounds', () => {
    let rounds = 0;
    const figure = measure({ name: 'loop', unit: 'steps', goal: 1, round: () => calibration }, 3, () => rounds++);
    expect(rounds).toBe(4);
    expect(figure).toMatchObject({ name: 'loop', unit: 'steps', goal: 1, later: false });
    expect(figure.min).toBeLessThanOrEqual(figure.perSecond);
    expect(figure.max).toBeGreaterThanOrEqual(figure.perSecond);
  });
});

describe('guests that are measured', () => {
  it.each(GUESTS.map((guest) => [guest.name, guest] as const))('%s: no hypercall is refused', (_, { image, calls }) => {
    const results = new Set<string>();
    let count = 0;
    runEngine(bootExecutor(debian_4_17(), [image(3)]), {
      onEvent: (event) => {
        if (event.kind !== 'hypercall' || event.result === null) return;
        count++;
        if (BigInt.asIntN(64, BigInt(event.result)) < 0n) results.add(`${event.call} ${event.result}`);
      },
    });
    expect([...results]).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(3 * calls);
  });

  it.each(KERNELS.map((kernel) => [kernel.name, kernel] as const))('%s powers off as a guest, the same on both', (_, kernel) => {
    const [model, executor] = [bootModel, bootExecutor].map((boot) => runEngine(boot(debian_4_17(), [kernelImage(kernel, 1)])));
    expect(executor).toMatchObject({ finish: 'halted', halted: 0 });
    expect(executor).toEqual(model);
  });
});
