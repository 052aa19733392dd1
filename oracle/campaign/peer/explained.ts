/** Differences that are not Xen's word: each with the entry of spec/findings.md or spec/looseness.ts that says why. */
import type { Role } from './subject.ts';

export type Explainable = { readonly role: Role; readonly peer: string; readonly engine: string };

type Explanation = { readonly id: string; readonly covers: (difference: Explainable) => boolean };

const EXPLANATIONS: readonly Explanation[] = [];

/** Id of the first entry that explains the difference, null for none. */
export const explanationOf = (difference: Explainable): string | null => EXPLANATIONS.find(({ covers }) => covers(difference))?.id ?? null;
