import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildImages, EXAMPLES } from '#oracle/image/index.ts';
import { mixFirst, mixSecond, packFrame } from '#spec/digest.ts';
import { debian_4_17, dom0, domU } from '#spec/machines/debian_4_17.ts';
import type { Program } from '#spec/program.ts';
import { boot, engineOn } from './engine.ts';
import { emptyFrameTable, FREE_FRAME, frameAt, frameSums, framesOf, withFrame, withFrames } from './frame_table.ts';
import { observe } from './observe.ts';

const machineFor = (program: Program) => {
  const images = buildImages(program);
  return boot(debian_4_17(images.map((_, i) => (i === 0 ? dom0('', 16) : domU(i, '', 8)))), images) as ReturnType<typeof engineOn>;
};

/** Run to the end; the console's bytes by domain. */
const play = (engine: ReturnType<typeof engineOn>, slice = 5000): string[] => {
  const consoles: string[] = [];
  for (let n = 0; n < 3000 && engine.status().halted === null; n++) {
    const { current, runnable, deadline, now } = engine.status();
    const idle = current[0] === null;
    if (idle && runnable.length === 0 && deadline === null) break;
    const { events } = idle
      ? engine.apply(
          runnable.length > 0
            ? { kind: 'schedule', cpu: 0, vcpu: runnable[n % runnable.length] }
            : { kind: 'time', now: Math.max(now, deadline!) },
        )
      : engine.apply({ kind: 'execute', cpu: 0, steps: slice });
    for (const event of events) if (event.kind === 'console') consoles[event.domid] = (consoles[event.domid] ?? '') + event.bytes;
  }
  return consoles;
};

describe('the engine', () => {
  it('boots an image that prints and powers off', () => {
    const engine = machineFor(EXAMPLES.hello);
    expect(play(engine)[0]).toContain('hello\n');
    expect(engine.status().halted).toBe(0);
  });

  it('does the same in slices of any length', () => {
    const whole = machineFor(EXAMPLES.compute);
    const pieces = machineFor(EXAMPLES.compute);
    expect(play(whole)).toEqual(play(pieces, 7));
    expect(pieces.observe()).toEqual(whole.observe());
  });

  it('leaves every older machine as it was', () => {
    const engine = machineFor(EXAMPLES.memory);
    engine.apply({ kind: 'schedule', cpu: 0, vcpu: { domid: 0, vcpu: 0 } });
    engine.apply({ kind: 'execute', cpu: 0, steps: 700 });
    const middle = engine.machine();
    const seen = observe(middle);
    const first = play(engineOn(middle));
    expect(observe(middle)).toEqual(seen);
    expect(play(engineOn(middle))).toEqual(first);
  });

  it('keeps the consoles of two domains apart', () => {
    const consoles = play(machineFor(EXAMPLES.two_domains));
    expect(consoles[0]).toContain('read value=4711');
    expect(consoles[1]).toContain('grant_entry');
  });
});

describe('the frame table', () => {
  const size = 4096;
  const frame = { ...FREE_FRAME, owner: 3, refs: 2, type: 'l1', typeRefs: 1, allocated: true, validated: true } as const;
  /** The digest by its definition, from the frames one by one. */
  const afresh = (table: ReturnType<typeof emptyFrameTable>): readonly [number, number] => {
    let sums: readonly [number, number] = [0, 0];
    for (const seen of framesOf(table)) {
      const [lo0, hi0, lo1, hi1] = packFrame(seen);
      sums = [
        (sums[0] + mixFirst(seen.mfn, 0, lo0, hi0) + mixFirst(seen.mfn, 1, lo1, hi1)) | 0,
        (sums[1] + mixSecond(seen.mfn, 0, lo0, hi0) + mixSecond(seen.mfn, 1, lo1, hi1)) | 0,
      ];
    }
    return sums;
  };

  it('keeps its digest while frames change', () => {
    const change = fc.tuple(fc.nat(size - 1), fc.nat(5), fc.nat(3));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        let table = withFrames(emptyFrameTable(size), 100, 300, frame);
        for (const [mfn, refs, typeRefs] of changes) {
          table = withFrame(table, mfn, refs === 0 ? FREE_FRAME : { ...frame, refs, typeRefs });
          expect(frameSums(table)).toEqual(afresh(table));
        }
      }),
      { seed: 3, numRuns: 20 },
    );
  });

  it('knows no frame beyond its end', () => expect(frameAt(emptyFrameTable(size), size)).toBeUndefined());
  it('shows nothing of Xen’s own frames', () =>
    expect([...framesOf(withFrame(emptyFrameTable(size), 7, { ...frame, owner: 0x7ff2 }))]).toEqual([]));
});
