/** Where cases run: modes with their rings and the ways of paging that they allow. */
import type { Paging, Ring } from '#oracle/image/bare/case.ts';
import type { X86Mode } from '#spec/isa/x86/mode.ts';
import type { Stream } from '../isa/stream.ts';
import type { Place } from './assemble.ts';

type Choice = { readonly mode: X86Mode; readonly rings: readonly Ring[]; readonly paging: readonly Paging[] };

const LEGACY: readonly Paging[] = ['none', '32', 'pae'];
const CHOICES: readonly Choice[] = [
  { mode: 'real', rings: [0], paging: ['none'] },
  { mode: 'v86', rings: [3], paging: LEGACY },
  { mode: 'prot16', rings: [0, 3], paging: LEGACY },
  { mode: 'prot32', rings: [0, 3], paging: LEGACY },
  { mode: 'compat16', rings: [0, 3], paging: ['4level'] },
  { mode: 'compat32', rings: [0, 3], paging: ['4level'] },
  { mode: '64', rings: [0, 3], paging: ['4level'] },
];

/** Every pair of mode and ring. */
export const MODE_RINGS: readonly { readonly mode: X86Mode; readonly ring: Ring }[] = CHOICES.flatMap(({ mode, rings }) =>
  rings.map((ring) => ({ mode, ring })),
);

const choiceOf = (mode: X86Mode): Choice => CHOICES.find((choice) => choice.mode === mode)!;

/** A place among some modes, all of them without. */
export const somePlace = (s: Stream, modes: readonly X86Mode[] = CHOICES.map((c) => c.mode), rings?: readonly Ring[]): Place => {
  const { mode, rings: own, paging } = choiceOf(s.pick(modes));
  const allowed = rings === undefined ? own : own.filter((ring) => rings.includes(ring));
  return { mode, ring: s.pick(allowed.length > 0 ? allowed : own), paging: s.pick(paging) };
};

export const PROTECTED: readonly X86Mode[] = ['prot16', 'prot32', 'compat16', 'compat32', '64'];
export const LEGACY_PROTECTED: readonly X86Mode[] = ['prot16', 'prot32'];
export const LONG_MODES: readonly X86Mode[] = ['compat16', 'compat32', '64'];
