/**
 * Looks at one machine again and again. What has not changed since the last look is not read anew: the frames while their digest is the same, and
 * the entries of a page table while the digest of its bytes is.
 */
import type { MachineConfig } from '../config.ts';
import type { Engine } from '../engine.ts';
import type { FrameObservation } from '../observation.ts';
import { Caches } from './cached.ts';
import { type Entry, type Level, presentEntries } from './page_tables.ts';
import { type View, viewOf } from './view.ts';

/** What a table held when its bytes had this digest. `end`: the slots below it count. */
type Known = { readonly digest: number; readonly level: Level; readonly end: number; readonly entries: readonly Entry[] };

export class Looks {
  private readonly config: MachineConfig;
  private readonly engine: Engine;
  private readonly caches = new Caches();
  private readonly tables = new Map<number, Known>();
  private digest: string | null = null;
  private frames: ReadonlyMap<number, FrameObservation> = new Map();

  constructor(config: MachineConfig, engine: Engine) {
    this.config = config;
    this.engine = engine;
  }

  /** The machine now, with what processors may have cached by all that was seen. */
  look(): View {
    const view = viewOf(this.config, this.engine, ({ frames }) => (frames === this.digest ? this.frames : null));
    this.digest = view.observation.frames;
    this.frames = view.frames;
    return this.caches.look({ ...view, entries: (frame, level, end) => this.entries(view, frame, level, end) });
  }

  private entries(view: View, { mfn }: FrameObservation, level: Level, end: number): readonly Entry[] {
    const digest = this.engine.pageDigest?.(mfn);
    const known = this.tables.get(mfn);
    if (digest !== undefined && known?.digest === digest && known.level === level && known.end === end) return known.entries;
    const entries = presentEntries(view, mfn, level, end);
    if (digest !== undefined) this.tables.set(mfn, { digest, level, end, entries });
    return entries;
  }
}
