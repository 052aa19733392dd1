/** What comparing with a peer came to. */
import type { Coverage } from '../coverage.ts';
import type { Role } from './subject.ts';

export type PeerDifference = {
  readonly seed: number;
  readonly role: Role;
  readonly where: string;
  readonly engine: string;
  readonly peer: string;
  readonly seen: string;
  /** Entry of findings or looseness that explains it; null for none. */
  readonly explained: string | null;
  readonly folder: string;
};

export type PeerCheck = {
  readonly peer: string;
  readonly version: string;
  /** Why nothing was compared; null when something was. */
  readonly unavailable: string | null;
  readonly seeds: { readonly first: number; last: number };
  /** Programs compared to their end, by role. */
  programs: Record<Role, number>;
  /** Seeds whose programs the peer cannot run. They do not count as programs. */
  skipped: number;
  /** Machines booted, and runs on machines that were kept. */
  boots: number;
  lines: number;
  /** Hypercalls whose results were compared, entries of multicalls and elements of batches among them, by role. */
  hypercalls: Record<Role, number>;
  /** Every operation of these runs and what it came to, as the executor counts (the guest's own housekeeping included). */
  operations: Coverage;
  /** Programs that the peer did not run to the end, or where an engine met something not modelled. */
  inconclusive: { readonly seed: number; readonly role: Role; readonly why: string }[];
  differences: PeerDifference[];
  /** Failures of the engines themselves. */
  bugs: { readonly seed: number; readonly role: Role; readonly stack: string }[];
  seconds: number;
};
