/** The face that every implementation shows to campaigns: model, executor and, by adapters, peers. */
import type { MachineConfig } from './config.ts';
import type { Event, VcpuRef } from './event.ts';
import type { Input } from './input.ts';
import type { DomainObservation, FrameObservation, Observation } from './observation.ts';
import type { Stretch } from './work.ts';

/**
 * What one input brought about. `questions`: how often a long operation asked whether it should stop (input `execute`, `preempt`).
 * `work`: the longest stretch of work without such a question, of each call; absent when nothing that counts was done.
 * `left`: what is set still that is set for the length of a call alone; absent when there is none, as it ought to be.
 * `clauses`: ids of the clauses that decided something (model only).
 */
export type Report = {
  readonly events: readonly Event[];
  readonly retired: number;
  readonly questions?: number;
  readonly work?: readonly Stretch[];
  readonly left?: readonly string[];
  readonly clauses?: readonly string[];
};

/** What a driver must know to choose the next input. */
export type Status = {
  readonly now: number;
  /** SHUTDOWN reason when dom0's end stopped the machine. */
  readonly halted: number | null;
  readonly current: readonly (VcpuRef | null)[];
  /** All vCPUs that could run now, by domid and number; those that run somewhere included. */
  readonly runnable: readonly VcpuRef[];
  /** Those of them that may run on one pCPU only (SCHEDOP_pin_override); absent when there are none. */
  readonly pinned?: readonly { readonly vcpu: VcpuRef; readonly cpu: number }[];
  /** Earliest time in ns at which some timer is due; null when none is armed. */
  readonly deadline: number | null;
};

/** A part of an Observation. */
export type DomainView = Pick<Observation, 'memory' | 'frames'> & { readonly domain: DomainObservation | null };

export interface Engine {
  readonly name: string;
  /** Throws BadInput when the input makes no sense in this state, NotModelled when the guest asks for what the slice lacks. */
  apply(input: Input): Report;
  status(): Status;
  observe(): Observation;
  /** What `observe` says of one domain, and the digests; `domain` is null when there is none of that number. Where an engine can tell that alone. */
  observeDomain?(domid: number): DomainView;
  /** Every frame that is not free, ascending: to say where two frame digests differ. An engine may leave those out that `owner` does not own. */
  frames(owner?: number): Iterable<FrameObservation>;
  /** The 4096 bytes of a frame: to say where two memory digests differ. */
  page(mfn: number): Uint8Array;
  /** One number for the bytes of a frame as of the last `observe`, another for other bytes; where an engine has it at hand. */
  pageDigest?(mfn: number): number;
  /** Frames that hold a non-zero byte, ascending. */
  populated(): Iterable<number>;
  /** Nobody will use this engine again: it may hand its memory to the next one. */
  dispose?(): void;
}

/** Build a machine: images (ELF files) in the order of `config.domains`. Throws BadImage. */
export type Boot = (config: MachineConfig, images: readonly Uint8Array[]) => Engine;
