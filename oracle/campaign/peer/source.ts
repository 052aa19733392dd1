/** Batches of fresh programs, made as they are needed. */
import type { XenRelease } from '#spec/releases/release.ts';
import { domainsOf } from '../../image/index.ts';
import { type Batch, dom0Batches, domuBatches, programOf, type Role, type Seeded, type Work } from './subject.ts';

export type Wanted = {
  /** `mixed` alone; or `dense`, and mixed ones among them, for the domains, processors and ends that dense ones have not. */
  readonly work: Work;
  readonly roles: readonly Role[];
  /** Release of Xen that the programs are for. */
  readonly release: XenRelease;
  readonly first: number;
  /** Seeds in all; null: until somebody has enough. */
  readonly programs: number | null;
  /** Domains that the peer can have. */
  readonly domains: number;
};

/** Seeds of which batches are made at a time. */
const CHUNK = { mixed: 600, dense: 16 } as const;
/** Mixed programs that follow so many dense ones. */
const AMONG_DENSE = 48;
/** Orderly programs that share a domain 0, and programs that share a boot as domains of their own. */
const DOM0_BATCH = { mixed: 25, dense: 1 } as const;
const DOMU_BATCH = { mixed: 200, dense: 16 } as const;

export class Source {
  private readonly wanted: Wanted;
  private readonly queue: Batch[] = [];
  /** The next seed, and how many of those before it were passed over because the peer cannot have so many domains. */
  next: number;
  skipped = 0;
  private made = 0;
  private enough = false;

  constructor(wanted: Wanted) {
    this.wanted = wanted;
    this.next = wanted.first;
  }

  take(): Batch | undefined {
    if (this.queue.length === 0 && !this.enough) this.fill();
    return this.queue.shift();
  }

  /** Programs that are still to be settled. */
  putBack(batch: Batch): void {
    if (batch.programs.length > 0 && !this.enough) this.queue.unshift(batch);
  }

  /** Make no more. */
  stop(): void {
    this.enough = true;
    this.queue.length = 0;
  }

  private fill(): void {
    const { work } = this.wanted;
    this.make(work, CHUNK[work]);
    if (work === 'dense') this.make('mixed', AMONG_DENSE);
  }

  private make(work: Work, most: number): void {
    const { roles, programs, domains, release } = this.wanted;
    const count = Math.min(most, (programs ?? Number.MAX_SAFE_INTEGER) - this.made);
    if (count <= 0) return;
    const seeds: number[] = [];
    for (; seeds.length < count; this.next++) {
      if (domainsOf(programOf(this.next, work, 'dom0', release)) <= domains) seeds.push(this.next);
      else this.skipped++;
    }
    this.made += count;
    const as = (role: Role): Seeded[] => seeds.map((seed) => ({ seed, work, program: programOf(seed, work, role, release) }));
    if (roles.includes('domu')) this.queue.push(...domuBatches(as('domu'), DOMU_BATCH[work]));
    if (roles.includes('dom0')) this.queue.push(...dom0Batches(as('dom0'), DOM0_BATCH[work]));
  }
}
