/** Differences that are not Xen's word: each with the entry of spec/findings.md or spec/looseness.ts that says why. */
import { LOOSENESS, type LoosenessId } from '#spec/looseness.ts';
import type { Call, Step } from '#spec/program.ts';
import type { Role } from './subject.ts';

/** `step`: the one whose line differs, where a line names one; `shared`: the lines before, which are the same; `ended`: how our run ended. */
export type Explainable = {
  readonly role: Role;
  readonly peer: string;
  readonly engine: string;
  readonly step: Step | undefined;
  readonly shared: readonly string[];
  readonly ended: string;
};

export type ExplanationId = `F-${string}` | LoosenessId;

type Explanation = { readonly id: ExplanationId; readonly about: string; readonly covers: (difference: Explainable) => boolean };

/** Words of two lines, where they differ; null when the lines are not alike. */
const differing = (a: string, b: string): readonly (readonly [string, string])[] | null => {
  const [left, right] = [a.split(' '), b.split(' ')];
  if (left.length !== right.length) return null;
  return left.flatMap((word, i) => (word === right[i] ? [] : [[word, right[i]!] as const]));
};

const REGISTER = /^(r[a-z0-9]+)=0x([0-9a-f]+)$/;
/** Limit bits 16 to 19 among the attributes of a descriptor. */
const LIMIT = 0xf0000n;

/** QEMU's LAR tells the upper limit bits as zero. */
const isLarWithoutLimit = ({ peer, engine }: Explainable): boolean => {
  if (!/^(?:1> )?\d+\.\d+ code/.test(engine)) return false;
  const words = differing(peer, engine);
  return (
    words !== null &&
    words.length > 0 &&
    words.every(([theirs, ours]) => {
      const [a, b] = [REGISTER.exec(theirs), REGISTER.exec(ours)];
      if (!a || !b || a[1] !== b[1]) return false;
      const [seen, wanted] = [BigInt(`0x${a[2]}`), BigInt(`0x${b[2]}`)];
      return seen <= 0xffff00n && seen === (wanted & ~LIMIT) && (wanted & 0xffn) === 0n && wanted <= 0xffff00n;
    })
  );
};

const SYSENTER = '0f34';
const SYSCALL = '0f05';
const bytesOf = (step: Step | undefined): string =>
  step?.do === 'code' ? step.code.map((i) => ('bytes' in i ? i.bytes : '')).join('') : '';

/** QEMU's 32-bit code goes on through a null segment, and ends somewhere else, where a processor raises #GP(0). */
const isNullSegment = ({ peer, engine, step }: Explainable): boolean =>
  bytesOf(step).includes(SYSCALL) && / trap=13 error=0 rip=\+\d+ /.test(engine) && / trap=(6|14) /.test(peer);

/** QEMU's SYSENTER without an entry point is #GP(0) where an AMD processor in long mode knows no such instruction. */
const isSysenter = ({ peer, engine, step }: Explainable): boolean =>
  bytesOf(step).includes(SYSENTER) && / trap=13 error=0 /.test(peer) && / trap=6 /.test(engine);

/** The failsafe callback came to domain 0, which ends with it. */
const ENDED_BY_SELECTORS = /^lost trap=256 /;
const CRASHED = 'shutdown 3';

/**
 * Domain 0 holds a selector that no longer loads: its failsafe callback (trap 256 of a program) comes when it has the processor again,
 * and it gives up. What domain 1 shows until then depends on when that is; on the peer it may show less.
 */
const isTurnOfSelectors = ({ peer, engine, shared, ended }: Explainable): boolean =>
  shared.some((line) => ENDED_BY_SELECTORS.test(line)) && peer === `end ${CRASHED}` && ended === CRASHED && engine.startsWith('1> ');

const SELECTOR_OF_GS = 3;
const loadsSelector = (call: Call): boolean =>
  (call.call === 'set_segment_base' && call.args[0] === SELECTOR_OF_GS) ||
  call.args.some((argument) => typeof argument === 'object' && 'calls' in argument && argument.calls.some(loadsSelector));

/**
 * Among the calls of a fresh domain is one that loads GS, and others take what it leads to away. Should domain 0 get the processor then, which on the
 * peer it may at any time, the failsafe callback comes (`descriptor/switch-failsafe`) and ends the step; with calls ahead of it the step goes as here.
 */
const isTurnAmongCalls = ({ role, peer, engine, step }: Explainable): boolean =>
  role === 'domu' &&
  step?.do === 'calls' &&
  step.calls.some(loadsSelector) &&
  / trap=256 error=0 rip=0x0 left=\d+$/.test(peer) &&
  / mix=0x[0-9a-f]+$/.test(engine);

const SET_GDT = /^\d+\.\d+ set_gdt rc=0$/;
/** The same during a block of a fresh domain's code, when its global table was changed before. */
const isTurnDuringCode = ({ role, peer, engine, step, shared }: Explainable): boolean =>
  role === 'domu' &&
  step?.do === 'code' &&
  / code(?:\/user)? trap=256 /.test(peer) &&
  !/ trap=256 /.test(engine) &&
  shared.some((line) => SET_GDT.test(line));

/** Both sides show the same for all else that spec/looseness.ts leaves open: its other entries explain no difference. */
const EXPLANATIONS: readonly Explanation[] = [
  { id: 'F-176', about: "QEMU's LAR without the upper limit bits", covers: isLarWithoutLimit },
  { id: 'F-176', about: "QEMU's SYSENTER is #GP", covers: isSysenter },
  { id: 'F-595', about: 'QEMU uses a null segment in 32-bit code', covers: isNullSegment },
  {
    id: 'open/vcpu-choice',
    about: 'When a domain whose selectors no longer load has its next turn',
    covers: (difference) => isTurnOfSelectors(difference) || isTurnAmongCalls(difference) || isTurnDuringCode(difference),
  },
];

/** What each entry is about that may explain a difference, those of spec/looseness.ts among them. */
export const EXPLANATION_TEXTS: Readonly<Record<ExplanationId, string>> = Object.fromEntries([
  ...[...new Set(EXPLANATIONS.map(({ id }) => id))].map((id) => [
    id,
    EXPLANATIONS.filter((one) => one.id === id)
      .map(({ about }) => about)
      .join('; '),
  ]),
  ...Object.entries(LOOSENESS).map(([id, { reason }]) => [id, reason]),
]);

/** A count for each entry, so that one that is never met shows. */
export const noneExplained = (): Record<ExplanationId, number> =>
  Object.fromEntries(Object.keys(EXPLANATION_TEXTS).map((id) => [id, 0])) as Record<ExplanationId, number>;

/** Id of the first entry that explains the difference, null for none. */
export const explanationOf = (difference: Explainable): ExplanationId | null =>
  EXPLANATIONS.find(({ covers }) => covers(difference))?.id ?? null;
