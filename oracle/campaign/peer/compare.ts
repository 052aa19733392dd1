/** What a peer and an engine showed, line by line; which programs of a batch that settles. */
import type { Shown } from './witness.ts';

/** What the peer showed; `end` null when the run was lost, and `why` says how. */
export type Witnessed = { readonly lines: readonly string[]; readonly end: string | null; readonly why: string };

export type Compared = {
  /** Programs from the first on that agree to their last line. */
  readonly agreed: number;
  /** The first difference, in program `agreed`. */
  readonly difference: { readonly line: number; readonly peer: string; readonly engine: string } | null;
  /** Why program `agreed` could not be compared to its end. */
  readonly inconclusive: string | null;
};

/** A line begins with the number of its program in the batch. */
const programOf = (line: string | undefined): number | null => {
  const found = /^(?:1> )?(\d+)\./.exec(line ?? '');
  return found ? Number(found[1]) : null;
};

const NOTHING = '(nothing)';

/** `count`: programs of the batch. */
export const compareShown = (count: number, peer: Witnessed, engine: Shown): Compared => {
  const a = peer.end === null ? peer.lines : [...peer.lines, `end ${peer.end}`];
  const b = engine.notModelled === null ? [...engine.lines, `end ${engine.end}`] : engine.lines;
  const common = Math.min(a.length, b.length);
  let at = 0;
  while (at < common && a[at] === b[at]) at++;
  const whole = peer.end !== null && engine.notModelled === null;
  // The program of a line: its own number, or, for an end and for what is missing, that of the line before.
  const here = (): number => programOf(a[at]) ?? programOf(b[at]) ?? (at > 0 ? (programOf(a[at - 1]) ?? 0) : 0);
  if (at < common || (whole && a.length !== b.length))
    return {
      agreed: Math.min(here(), count - 1),
      difference: { line: at + 1, peer: a[at] ?? NOTHING, engine: b[at] ?? NOTHING },
      inconclusive: null,
    };
  if (whole) return { agreed: Math.min(count, (at > 1 ? (programOf(a[at - 2]) ?? 0) : 0) + 1), difference: null, inconclusive: null };
  return { agreed: Math.min(here(), count - 1), difference: null, inconclusive: engine.notModelled ?? peer.why };
};
