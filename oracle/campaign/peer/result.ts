/** What comparing with a peer came to. */
import type { Coverage } from '../coverage.ts';
import type { AskedRows } from '../rows_asked.ts';
import type { ExplanationId } from './explained.ts';
import type { KindCounts } from './kinds.ts';
import type { Role } from './subject.ts';

export type PeerDifference = {
  readonly seed: number;
  readonly role: Role;
  readonly where: string;
  readonly engine: string;
  readonly peer: string;
  readonly seen: string;
  /** Entry of findings or looseness that explains it; null for none. */
  readonly explained: ExplanationId | null;
  readonly folder: string;
  /** Steps of the shrunk program; null when it was not shrunk. */
  readonly steps: number | null;
};

export type PeerCheck = {
  readonly peer: string;
  readonly version: string;
  /** Why nothing was compared; null when something was. */
  readonly unavailable: string | null;
  readonly seeds: { readonly first: number; last: number };
  /** Programs compared to their end, by role. */
  programs: Record<Role, number>;
  /** What sorts of programs these were, by role. */
  kinds: KindCounts;
  /** Seeds whose programs the peer cannot run. They do not count as programs. */
  skipped: number;
  /** Machines booted, and runs on machines that were kept. */
  boots: number;
  lines: number;
  /** Hypercalls whose results were compared, entries of multicalls and elements of batches among them, by role. */
  hypercalls: Record<Role, number>;
  /** Every operation of these runs and what it came to, as the executor counts (the guest's own housekeeping included). */
  operations: Coverage;
  /** Rows of the matrix that the first domains of these programs asked, by role. */
  rows: Record<Role, AskedRows>;
  /** Programs that the peer did not run to the end, or where an engine met something not modelled. */
  inconclusive: { readonly seed: number; readonly role: Role; readonly why: string }[];
  /** How often each entry of findings or looseness explained a difference. */
  explained: Record<ExplanationId, number>;
  differences: PeerDifference[];
  /** Failures of the engines themselves. */
  bugs: { readonly seed: number; readonly role: Role; readonly stack: string }[];
  seconds: number;
};
