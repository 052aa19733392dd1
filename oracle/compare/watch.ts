/** Looks at one machine, as often as it is asked, for what must hold of any: the invariants of spec/properties, with all that was seen before. */
import type { MachineConfig } from '#spec/config.ts';
import type { Engine, Report } from '#spec/engine.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { Caches, type InvariantId, type View, viewOf, violations } from '#spec/properties/index.ts';

export type Broken = { readonly invariant: InvariantId; readonly what: string };

export class Watch {
  private readonly config: MachineConfig;
  private readonly engine: Engine;
  private readonly caches = new Caches();

  constructor(config: MachineConfig, engine: Engine) {
    this.config = config;
    this.engine = engine;
  }

  /** What does not hold now, and of what the last input has worked. */
  look(report?: Report): Iterable<Broken> {
    const view = this.caches.look(viewOf(this.config, this.engine));
    return violations(report?.work === undefined ? view : { ...view, work: report.work });
  }

  /** The first of it; null when all is well. */
  first(report?: Report): Broken | null {
    for (const broken of this.look(report)) return broken;
    return null;
  }
}

/** Work that is worth a look, whenever the next one was due. */
export const isNoteworthy = ({ work }: Report): boolean => work !== undefined;

/** What ended a machine, as the invariant says it; null when that is the guest's or the caller's affair, which ends no Xen. */
export const faultOf = (error: unknown): Broken | null => {
  if (error instanceof NotModelled || error instanceof BadInput) return null;
  const fault = error instanceof Error ? `${error.name === 'Error' ? '' : `${error.name}: `}${error.message}` : String(error);
  for (const broken of violations({ fault } as View)) return broken;
  return null;
};
