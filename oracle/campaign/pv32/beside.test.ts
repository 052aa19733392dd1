/** A 32-bit domain beside a 64-bit domain 0 that gives up its processor again and again: selectors that no longer load, and the domain's end. */
import { expect, test } from 'vitest';
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { debian_4_17, dom0, domU } from '#spec/machines/debian_4_17.ts';
import { withCompat } from '#spec/machines/pv32.ts';
import type { Step } from '#spec/program.ts';
import { lockstep, type Verdict } from '../../compare/lockstep.ts';
import { buildImages } from '../../image/index.ts';
import { loadEngine } from '../engines.ts';
import { DEFAULT_POLICY } from '../environment.ts';
import { type Code, call, mov, store } from './code.ts';
import { BASE, DATA, PAGE, PAGES, SPARE } from './layout.ts';
import { drawProgram, imageOf } from './program.ts';

const [reference, subject] = [await loadEngine('model'), await loadEngine('executor')];
const config = withCompat(debian_4_17([dom0(), { ...domU(1), pages: PAGES }]));
const firstFrame = config.layout.domheap_first + config.domains[0]!.pages;

const yields = (count: number): Omit<Step, 'id'>[] =>
  Array.from({ length: count }, () => ({ do: 'hypercall', call: 'sched_op', args: [SUBOPERATIONS.sched_op.yield, 0] }) as Omit<Step, 'id'>);
const domctl = (cmd: number): Omit<Step, 'id'> =>
  ({
    do: 'hypercall',
    call: 'domctl',
    args: [{ struct: 'control.domctl', fields: { cmd, interface_version: 0x15, domain: 1 } }],
  }) as Omit<Step, 'id'>;

const beside = (steps: readonly Omit<Step, 'id'>[], guest: Uint8Array): Verdict => {
  const [control] = buildImages({ steps: steps.map((step, id) => ({ ...step, id }) as Step) });
  return lockstep(
    { reference, subject },
    { config, images: [control!, guest] },
    { limit: 400_000, policy: { ...DEFAULT_POLICY, slice: 30 } },
  );
};

const agreed = (verdict: Verdict) => {
  if (!verdict.agree) throw new Error(JSON.stringify(verdict.divergence.difference));
  return verdict;
};

const FLAT_DATA_RING1 = [0x0000ffff, 0x00cfb200] as const;
const READ_ONLY = 0x21;
const INVLPG = 2;
const LISTED = DATA + 0x200;
const OWN = 9;
const LOAD_ES: Code = [0x8e, 0xc0];
const LOAD_GS: Code = [0x8e, 0xe8];

/** Loads a selector of a table of its own, gives the table up, and yields. `before`: what is done ahead of that. */
const losing = (load: Code, before: Code = []): Uint8Array => {
  const mfn = firstFrame + (SPARE - BASE) / PAGE;
  const code = [
    ...store(SPARE + 8, FLAT_DATA_RING1[0]),
    ...store(SPARE + 12, FLAT_DATA_RING1[1]),
    ...store(LISTED, mfn),
    ...call(HYPERCALL.update_va_mapping, SPARE, mfn * PAGE + READ_ONLY, 0, INVLPG),
    ...call(HYPERCALL.set_gdt, LISTED, 512),
    ...mov('eax', OWN),
    ...load,
    ...before,
    ...call(HYPERCALL.set_gdt, LISTED, 0),
    ...[1, 2, 3].flatMap(() => call(HYPERCALL.sched_op, SUBOPERATIONS.sched_op.yield, 0)),
  ];
  return imageOf({ seed: 0, firstFrame, xenStart: 0, steps: [{ family: 'losing', code }] });
};

test.each([
  ['ES', losing(LOAD_ES)],
  ['GS', losing(LOAD_GS)],
  ['architectural IOPL', losing(LOAD_ES, call(HYPERCALL.vm_assist, 0, 4))],
])('a selector that no longer loads goes to the failsafe callback: %s', (_, guest) => {
  const { events } = agreed(beside(yields(40), guest));
  expect(events).toContainEqual({ kind: 'callback', at: { domid: 1, vcpu: 0 }, which: 'failsafe' });
});

test('without a stack for its frame the domain ends', () => {
  const { events } = agreed(beside(yields(40), losing(LOAD_ES, mov('esp', 0x1004))));
  expect(events).toContainEqual({ kind: 'crash', domid: 1, why: 'bounce-frame-fault' });
});

/** The first seeds whose program comes to nothing that is not modelled. */
const whole = (count: number): readonly number[] => {
  const seeds: number[] = [];
  for (let seed = 1; seeds.length < count && seed <= 4 * count; seed++) {
    const verdict = agreed(beside(yields(20), imageOf(drawProgram(seed, firstFrame, 30))));
    if (verdict.agreement.finish !== 'not_modelled') seeds.push(seed);
  }
  return seeds;
};
const SEEDS = whole(4);

test('most programs end as the model says', () => {
  expect(SEEDS).toHaveLength(4);
});

test.each(SEEDS)('a 32-bit domain is destroyed whatever it did: seed %i', (seed) => {
  const guest = imageOf(drawProgram(seed, firstFrame, 30));
  const { pausedomain, destroydomain } = { pausedomain: 3, destroydomain: 2 };
  const { events } = agreed(beside([...yields(20), domctl(pausedomain), domctl(destroydomain), domctl(destroydomain)], guest));
  const answers = events.flatMap((event) => (event.kind === 'hypercall' && event.call === 'domctl' ? [event.result] : []));
  // The second time there is no such domain.
  expect(answers.slice(-2)).toEqual(['0x0', '0xfffffffffffffffd']);
});
