/** What a release changed, as data beside the clause. */
import type { ClauseId } from '../clauses.ts';
import type { XenRelease } from './release.ts';

/**
 * One decision of Xen that is not the same in every release. `ways` names the way of each; the reference's is what the clause tells. `says` tells of
 * every way what it means for a guest. `shown`: conformance script whose recordings on each release show it, and its steps that do.
 */
export type Change<Way extends string = string> = {
  readonly clause: ClauseId;
  readonly ways: Readonly<Record<XenRelease, Way>>;
  readonly says: Readonly<Record<Way, string>>;
  readonly shown: { readonly script: string; readonly steps: readonly number[] };
};

/** Keeps the names of the ways, so that who asks for one that there is not does not compile. */
export const change = <const Way extends string>(row: Change<Way>): Change<Way> => row;
