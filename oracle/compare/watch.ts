/** Looks at one machine, as often as it is asked, for what must hold of any: the invariants of spec/properties, with all that was seen before. */
import type { MachineConfig } from '#spec/config.ts';
import type { Engine } from '#spec/engine.ts';
import { Caches, type InvariantId, viewOf, violations } from '#spec/properties/index.ts';

export type Broken = { readonly invariant: InvariantId; readonly what: string };

export class Watch {
  private readonly config: MachineConfig;
  private readonly engine: Engine;
  private readonly caches = new Caches();

  constructor(config: MachineConfig, engine: Engine) {
    this.config = config;
    this.engine = engine;
  }

  /** What does not hold now. */
  look(): Iterable<Broken> {
    return violations(this.caches.look(viewOf(this.config, this.engine)));
  }

  /** The first of it; null when all is well. */
  first(): Broken | null {
    for (const broken of this.look()) return broken;
    return null;
  }
}
