/** The calls that a step of draws makes, one by one and in their order, as the guest's code (drawn.ts) comes upon them. */
import { HYPERCALL } from '#spec/abi/hypercall.ts';
import type { Call, StepOf } from '#spec/program.ts';
import { callNumber } from './arguments.ts';
import { Draw } from './draw.ts';
import { ENTRY_COUNTS, INCREMENT, LEAST_ENTRIES, LEAST_PIECES, MULTIPLIER, PIECE_COUNTS, RUN_BITS, WITH_BATCH } from './drawn.ts';

/** Multicalls are told by their entries, without the harmless one at the head. */
export const unrolled = ({ calls, draws = 0, seed = 0, batches = 0 }: StepOf<'calls'>): readonly Call[] => {
  const draw = new Draw(seed);
  const inside = calls.filter(({ call }) => ![HYPERCALL.iret, HYPERCALL.multicall].includes(callNumber(call) as never));
  const laid = Array.from({ length: inside.length === 0 ? 0 : batches }, () =>
    Array.from({ length: LEAST_ENTRIES - 1 + draw.below(ENTRY_COUNTS) }, () => draw.pick(inside)),
  );
  const next = draw.rounds(calls);
  const runs = Array.from({ length: 1 << RUN_BITS }, () => {
    const pieces = Array.from({ length: LEAST_PIECES + draw.below(PIECE_COUNTS) }, (): readonly Call[] => [next.next().value]);
    const first = laid.length > 0 && draw.below(WITH_BATCH) === 0 ? [draw.pick(laid)] : [];
    return { calls: [...first, ...pieces].flat(), hypercalls: pieces.length + (first[0] === undefined ? 0 : first[0].length + 2) };
  });
  const made: Call[] = [];
  for (let [left, state] = [draws, seed >>> 0]; left > 0; ) {
    state = (Math.imul(state, MULTIPLIER) + INCREMENT) >>> 0;
    const run = runs[state >>> (32 - RUN_BITS)]!;
    made.push(...run.calls);
    left -= run.hypercalls;
  }
  return made;
};
