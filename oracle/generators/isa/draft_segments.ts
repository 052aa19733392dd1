/** Segments of a case outside 64-bit mode: mostly those in which everything of the window is in reach. */
import type { Mode } from '#oracle/image/instruction/case.ts';
import { segmentCalled, selectorOf } from '#oracle/image/instruction/segments.ts';
import type { Stream } from './stream.ts';

const selectors = (...names: readonly string[]): readonly number[] => names.map((name) => selectorOf(segmentCalled(name)));

const CODE = {
  '32': selectors('flat code', 'flat code', 'flat code', '32-bit code with a base', 'small 32-bit code', 'execute-only 32-bit code'),
  '16': selectors('16-bit code', '16-bit code', '16-bit code', 'small 16-bit code', 'execute-only 16-bit code'),
} as const;

const USUAL = {
  '32': selectors('flat data', 'flat data', 'flat data', 'data at an odd base', 'data that wraps', '16-bit data'),
  '16': selectors('16-bit data', '16-bit data', '16-bit data', 'read-only data', 'flat data'),
} as const;
const UNUSUAL = [
  0,
  ...selectors('small data', 'read-only data', 'expand-down data', 'small expand-down data', '16-bit code', 'flat code', '16-bit data'),
];

const STACKS = {
  '32': selectors('flat data', 'flat data', 'flat data', 'small 32-bit stack', '16-bit stack', 'expand-down 16-bit stack'),
  '16': selectors('16-bit stack', '16-bit stack', '16-bit stack', 'small 16-bit stack', 'small 32-bit stack', 'expand-down 16-bit stack'),
} as const;

/** ES CS SS DS FS GS. */
export const anySegments = (s: Stream, mode: Mode): readonly number[] | null => {
  if (mode === '64') return null;
  const data = (): number => s.pick(s.one(5) ? UNUSUAL : USUAL[mode]);
  return [data(), s.pick(CODE[mode]), s.pick(STACKS[mode]), data(), data(), data()];
};
