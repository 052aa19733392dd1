/**
 * Programs of 32-bit guests that begin as conformance scripts: each of these leads to a rare place, in a machine of its own. Drawn steps come between
 * theirs, some steps come twice, in another order or not at all, and now and then a byte is another.
 */
import type { Pv32Script } from '#traces/conformance_pv32.ts';
import type { Subject } from '../../compare/lockstep.ts';
import { Draw } from './draw.ts';
import { firstFrameOf } from './machine.ts';
import { drawProgram, type Pv32Program, type Step } from './program.ts';
import { hasPv32Scripts, readPv32Scripts, subjectOfScript } from './scripts.ts';

export type VariedPv32 = { readonly script: Pv32Script; readonly program: Pv32Program };

/** Read when they are first wanted; none where there is no checkout. */
let scripts: readonly Pv32Script[] | null = null;
const corpus = (): readonly Pv32Script[] => {
  scripts ??= hasPv32Scripts() ? readPv32Scripts().map(({ script }) => script) : [];
  return scripts;
};

const MOST_CHANGES = 4;
const MOST_STEPS = 80;

const changedByte = (draw: Draw, step: Step): Step => {
  const at = draw.below(step.code.length);
  const byte = draw.pick(0, 1, 0xff, 0x80, step.code[at]! ^ (1 << draw.below(8)), step.code[at]! + 1) & 0xff;
  return { ...step, code: step.code.map((old, i) => (i === at ? byte : old)) };
};

const changed = (draw: Draw, steps: readonly Step[], drawn: readonly Step[]): readonly Step[] => {
  const at = draw.below(steps.length);
  const one = steps[at]!;
  switch (draw.below(6)) {
    case 0:
      return steps.length > 1 ? steps.filter((_, i) => i !== at) : steps;
    case 1:
      return [...steps.slice(0, at), one, ...steps.slice(at)];
    case 2: {
      const rest = steps.filter((_, i) => i !== at);
      const to = draw.below(steps.length);
      return [...rest.slice(0, to), one, ...rest.slice(to)];
    }
    case 3:
      return one.code.length === 0 ? steps : steps.map((step, i) => (i === at ? changedByte(draw, step) : step));
    default:
      return [...steps.slice(0, at), drawn[draw.below(drawn.length)]!, ...steps.slice(at)];
  }
};

/** The variation of a seed; null where there are no scripts. A script among four is as it was. */
export const variedPv32 = (seed: number): VariedPv32 | null => {
  const all = corpus();
  if (all.length === 0) return null;
  const draw = new Draw(seed, 0);
  const script = all[draw.below(all.length)]!;
  const firstFrame = script.role === 'beside' ? 0 : firstFrameOf(script.role);
  const drawn = drawProgram(seed, firstFrame, MOST_CHANGES).steps;
  let steps: readonly Step[] = script.steps.map(({ name, code }) => ({ family: `script: ${name}`, code: [...Buffer.from(code, 'hex')] }));
  if (steps.length > 0 && draw.below(4) !== 0)
    for (let n = 1 + draw.below(MOST_CHANGES); n > 0 && steps.length < MOST_STEPS; n--) steps = changed(draw, steps, drawn);
  return { script, program: { seed, firstFrame, xenStart: script.xenStart, steps } };
};

/** The script's machine with these steps in place of its own. */
export const subjectOfVaried = (script: Pv32Script, { steps }: Pv32Program): Subject =>
  subjectOfScript({ ...script, steps: steps.map(({ family, code }) => ({ name: family, code: Buffer.from([...code]).toString('hex') })) });
