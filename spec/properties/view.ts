/**
 * What a property looks at: a machine's configuration, its observation, every frame that is not free, and the bytes of frames. Whoever has an
 * engine (spec/engine.ts) has a view; so has whoever can dump another implementation's state into these shapes.
 */
import type { MachineConfig } from '../config.ts';
import type { Engine } from '../engine.ts';
import type { DomainObservation, FrameObservation, Observation } from '../observation.ts';
import type { Stretch } from '../work.ts';
import type { Cached } from './cached.ts';
import type { Entry, Level } from './page_tables.ts';

export type View = {
  readonly config: MachineConfig;
  readonly observation: Observation;
  /** By frame number; a frame that is not here is free. */
  readonly frames: ReadonlyMap<number, FrameObservation>;
  /** The 4096 bytes of a frame. */
  readonly page: (mfn: number) => DataView;
  /** By pCPU, what it may have cached; absent when only this one moment is known (`Caches`). */
  readonly cached?: readonly (Cached | null)[];
  /** The present entries of a table below `end`, where somebody knows them already. */
  readonly entries?: (frame: FrameObservation, level: Level, end: number) => readonly Entry[];
  /** The longest stretches of work since the last look; absent where nobody counts. */
  readonly work?: readonly Stretch[];
  /** What is set still that is set for the length of a call alone, as the machine says. */
  readonly left?: readonly string[];
  /** What ended the machine, when something of its own did: nothing else of it need be in order then. */
  readonly fault?: string;
};

/** A place where a property does not hold, in one line that names the domain, frame, port or vCPU. */
export type Violation = string;

/** A statement about one state of a machine, worked out anew from what can be observed. */
export type Invariant = {
  /** As in the catalogue of advisories: which property a defect of this kind violates. */
  readonly property: 'REF' | 'TYPE' | 'OWN' | 'PRIV' | 'QUOTA' | 'LEAK' | 'SAFE' | 'TERM' | 'NOCRASH';
  /** The statement, for people. */
  readonly states: string;
  readonly violations: (view: View) => Iterable<Violation>;
};

/** `known`: the frames of a machine that is observed so, if somebody has them. */
export const viewOf = (
  config: MachineConfig,
  engine: Engine,
  known: (observation: Observation) => View['frames'] | null = () => null,
): View => {
  const pages = new Map<number, DataView>();
  const observation = engine.observe();
  return {
    config,
    observation,
    frames: known(observation) ?? framesOf(engine),
    page: (mfn) => {
      const known = pages.get(mfn);
      if (known) return known;
      const { buffer, byteOffset, byteLength } = engine.page(mfn);
      const page = new DataView(buffer, byteOffset, byteLength);
      pages.set(mfn, page);
      return page;
    },
  };
};

const framesOf = (engine: Engine): View['frames'] => {
  const frames = new Map<number, FrameObservation>();
  for (const frame of engine.frames()) frames.set(frame.mfn, frame);
  return frames;
};

export const domainOf = ({ observation }: View, domid: number): DomainObservation | undefined =>
  observation.domains.find((domain) => domain.domid === domid);

/** A number as people look for it. */
export const hex = (value: number): string => `0x${value.toString(16)}`;
