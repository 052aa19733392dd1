/** Looks at one machine, as often as it is asked, for what must hold of any: the invariants of spec/properties, with all that was seen before. */
import type { ClauseId } from '#spec/clauses.ts';
import type { MachineConfig } from '#spec/config.ts';
import type { Engine, Report } from '#spec/engine.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { type InvariantId, Looks, type View, violations } from '#spec/properties/index.ts';

export type Broken = { readonly invariant: InvariantId; readonly what: string };

/**
 * Calls after which Xen itself keeps references that nobody holds: a context that is refused for its user table leaves its kernel table taken, and the
 * next attempt takes it again. From there on counts say nothing.
 */
const UNCOUNTABLE: readonly ClauseId[] = ['vcpu/initialise-table', 'vcpu/initialise-preempted'];
const COUNTS: readonly InvariantId[] = ['count/references', 'count/types'];

export class Watch {
  private readonly looks: Looks;
  private counts = true;

  constructor(config: MachineConfig, engine: Engine) {
    this.looks = new Looks(config, engine);
  }

  /** What does not hold now, and of the work that the last input brought: on this machine, or on others that are as this one. */
  look(...reports: readonly Report[]): Iterable<Broken> {
    const view = this.looks.look();
    const work = reports.flatMap((report) => report.work ?? []);
    const left = reports.flatMap((report) => report.left ?? []);
    return this.asked(violations(work.length + left.length === 0 ? view : { ...view, work, left }));
  }

  private *asked(all: Iterable<Broken>): Generator<Broken> {
    for (const broken of all) if (this.counts || !COUNTS.includes(broken.invariant)) yield broken;
  }

  /** What decided something so far, where a machine tells. */
  cited(clauses: readonly string[] = []): void {
    if (this.counts && clauses.some((clause) => (UNCOUNTABLE as readonly string[]).includes(clause))) this.counts = false;
  }

  /** The first of it; null when all is well. */
  first(...reports: readonly Report[]): Broken | null {
    for (const broken of this.look(...reports)) return broken;
    return null;
  }
}

/** What the end of a machine by a fault of its own is called. */
export const faultName = 'total/machine' satisfies InvariantId;

/** A report that is worth a look, whenever the next one was due. */
export const isNoteworthy = ({ work, left }: Report): boolean => work !== undefined || left !== undefined;

/** What ended a machine, as the invariant says it; null when that is the guest's or the caller's affair, which ends no Xen. */
export const faultOf = (error: unknown): Broken | null => {
  if (error instanceof NotModelled || error instanceof BadInput) return null;
  const fault = error instanceof Error ? `${error.name === 'Error' ? '' : `${error.name}: `}${error.message}` : String(error);
  for (const broken of violations({ fault } as View)) return broken;
  return null;
};
