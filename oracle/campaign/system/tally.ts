/** What came of the cases of one row in one mode and ring, against one peer. */
import type { X86Mode } from '#spec/isa/x86/mode.ts';
import type { Ring } from '../../image/bare/case.ts';

export type SystemDifference = {
  readonly seed: number;
  readonly engine: 'model' | 'executor' | 'peer';
  readonly note: string;
  readonly code: string;
  readonly what: string;
};

export type SystemTally = {
  readonly row: number;
  readonly mode: X86Mode;
  readonly ring: Ring;
  readonly cases: number;
  /** Both engines and the peer gave the same. */
  readonly agreed: number;
  /** Cases that agreed but for words that findings explain; the rest was compared. They count in `explained` too. */
  readonly butFor: number;
  /** Cases in which the peer differed as a finding says, by finding. */
  readonly explained: Readonly<Record<string, number>>;
  /** Cases for which an engine or the peer lacks something, by name. */
  readonly lacking: Readonly<Record<string, number>>;
  readonly differences: number;
  readonly first: SystemDifference | null;
};

export type Verdict =
  | { readonly kind: 'agreed' }
  /** `whole`: the case went another way; else single words differed and all others agreed. */
  | { readonly kind: 'explained'; readonly whole: boolean; readonly findings: readonly string[] }
  | { readonly kind: 'lacking'; readonly what: string }
  | { readonly kind: 'different'; readonly first: SystemDifference };

const plus = (counts: Readonly<Record<string, number>>, keys: readonly string[]): Record<string, number> => {
  const all = { ...counts };
  for (const key of keys) all[key] = (all[key] ?? 0) + 1;
  return all;
};

export const emptyTally = (row: number, mode: X86Mode, ring: Ring): SystemTally => ({
  row,
  mode,
  ring,
  cases: 0,
  agreed: 0,
  butFor: 0,
  explained: {},
  lacking: {},
  differences: 0,
  first: null,
});

export const addVerdict = (t: SystemTally, verdict: Verdict): SystemTally => {
  const next = { ...t, cases: t.cases + 1 };
  switch (verdict.kind) {
    case 'agreed':
      return { ...next, agreed: t.agreed + 1 };
    case 'explained':
      return { ...next, butFor: t.butFor + (verdict.whole ? 0 : 1), explained: plus(t.explained, verdict.findings) };
    case 'lacking':
      return { ...next, lacking: plus(t.lacking, [verdict.what]) };
    case 'different':
      return { ...next, differences: t.differences + 1, first: t.first ?? verdict.first };
  }
};
