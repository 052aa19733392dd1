/** Transitions for tests of the flows: domain 1 looks on while domain 2 acts, and nothing is but what a test names. */
import type { DomainObservation } from '../../../observation.ts';
import { domain } from '../../testing/small_machine.ts';
import type { Change, ChangedByte } from '../change.ts';
import type { Turn } from '../flows.ts';

type Parts = Partial<Omit<Turn, 'before' | 'after'>> & {
  readonly before?: Partial<DomainObservation>;
  readonly after?: Partial<DomainObservation>;
};

export const turn = ({ before = {}, after = {}, ...others }: Parts = {}): Turn => ({
  ...{ actor: 2, calls: [], page: () => undefined, named: () => null, isBorrowed: () => false, isOwn: () => false },
  ...others,
  before: domain(1, before),
  after: domain(1, after),
});

export const bytes = (mfn: number, ...at: readonly ChangedByte[]): Change => ({ kind: 'bytes', mfn, at });

/** Every bit of a byte, as `BYTE.BIT`. */
export const bits = (at: number): readonly string[] => [0, 1, 2, 3, 4, 5, 6, 7].map((bit) => `${at}.${bit}`);
