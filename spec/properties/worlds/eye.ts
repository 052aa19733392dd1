/**
 * What one domain can see of a machine: what Xen keeps of it, and every byte that it can read. Two machines look the same to it when this is
 * the same in both (spec/chapters/isolation.md). An eye keeps what it saw, so that only what has changed is looked at again.
 */
import type { MachineConfig } from '../../config.ts';
import type { DomainView, Engine } from '../../engine.ts';
import type { DomainObservation, FrameObservation } from '../../observation.ts';
import { digestOf } from './page_digest.ts';
import { same } from './same.ts';

const ENTRIES = 512;
const PRESENT = 1;
const PER_M2P_FRAME = 512;

/** Frames of a domain that Xen writes a few bytes of at a time: it has to be told which. */
const writtenByXen = ({ shared_info, grant_frames, status_frames = [], vcpus, fifo }: DomainObservation): readonly number[] => [
  ...[shared_info, ...grant_frames, ...status_frames, ...(fifo?.array ?? [])],
  ...vcpus.map(({ vcpu_info }) => vcpu_info[0]),
  ...(fifo?.vcpus.flatMap(({ control_block }) => (control_block ? [control_block[0]] : [])) ?? []),
];

export class Eye {
  readonly domid: number;
  /** Null when the domain is gone. */
  domain: DomainObservation | null = null;
  /** Its own frames, by number. */
  own: ReadonlyMap<number, FrameObservation> = new Map();
  /** Frames that it can read, ascending: its own, those that its page tables lead to, and the machine-to-phys table. */
  readable: readonly number[] = [];
  /** Of those, whose bytes are not what they were at the last look. */
  changed: readonly number[] = [];
  /** Whether other frames are its own, in other states, or it can read others, than at the last look. */
  isRegrouped = false;
  /** What stood, before the last look and now, in the frames that Xen writes a few bytes of at a time. */
  readonly before = new Map<number, Uint8Array>();
  readonly now = new Map<number, Uint8Array>();
  private readonly engine: Engine;
  /** Frames of the machine-to-phys table. */
  readonly machineToPhys: readonly number[];
  private readonly digests = new Map<number, number>();
  private tables: readonly number[] = [];
  private frameStates = '';
  private memory = '';

  constructor(engine: Engine, config: MachineConfig, domid: number) {
    this.engine = engine;
    this.domid = domid;
    this.machineToPhys = Array.from({ length: Math.ceil(config.frames / PER_M2P_FRAME) }, (_, i) => config.layout.m2p_first + i);
  }

  /** Digest of a frame that it can read, as of the last look. */
  digest(mfn: number): number | undefined {
    return this.digests.get(mfn);
  }

  /** Look again. */
  look(): void {
    const { domain, memory, frames } = this.glance();
    this.domain = domain;
    this.changed = [];
    this.isRegrouped = false;
    if (frames === this.frameStates && memory === this.memory) return;
    if (frames !== this.frameStates) this.isRegrouped = this.findOwn() || this.frameStates === '';
    this.frameStates = frames;
    this.memory = memory;
    const changed = this.refresh(this.readable);
    if (this.tables.some((mfn) => changed.includes(mfn))) this.isRegrouped = true;
    if (this.isRegrouped) changed.push(...this.findReadable());
    this.changed = changed;
    this.keepBytes(changed);
  }

  private glance(): DomainView {
    const { engine, domid } = this;
    if (engine.observeDomain) return engine.observeDomain(domid);
    const { domains, memory, frames } = engine.observe();
    return { domain: domains.find((domain) => domain.domid === domid) ?? null, memory, frames };
  }

  /** Whether the domain has the frame by a grant of `owner`'s. */
  isBorrowed(mfn: number, owner: number): boolean {
    const grants = this.engine.observe().domains.find(({ domid }) => domid === owner)?.active_grants;
    return grants?.some((grant) => grant.domid === this.domid && grant.mfn === mfn) ?? false;
  }

  /** Whether its frames are others, or in other states, than before: those of other domains change more often. */
  private findOwn(): boolean {
    const own = new Map<number, FrameObservation>();
    let isChanged = false;
    for (const frame of this.engine.frames(this.domid)) {
      if (frame.owner !== this.domid) continue;
      own.set(frame.mfn, frame);
      isChanged ||= !same(frame, this.own.get(frame.mfn));
    }
    if (!isChanged && own.size === this.own.size) return false;
    this.own = own;
    this.tables = [...own.values()].filter(({ type }) => type === 'l1').map(({ mfn }) => mfn);
    return true;
  }

  /** The frames that are new. */
  private findReadable(): readonly number[] {
    const known = new Set(this.readable);
    const readable = new Set([...this.own.keys(), ...this.machineToPhys, ...this.tables.flatMap((table) => this.leadsTo(table))]);
    this.readable = [...readable].sort((a, b) => a - b);
    return this.refresh(this.readable.filter((mfn) => !known.has(mfn)));
  }

  private leadsTo(table: number): readonly number[] {
    const { buffer, byteOffset, byteLength } = this.engine.page(table);
    const page = new DataView(buffer, byteOffset, byteLength);
    const frames: number[] = [];
    for (let at = 0; at < 8 * ENTRIES; at += 8) {
      const low = page.getUint32(at, true);
      if ((low & PRESENT) !== 0) frames.push((low >>> 12) + (page.getUint32(at + 4, true) & 0xfffff) * 0x100000);
    }
    return frames;
  }

  /** Those of the frames whose bytes have changed. */
  private refresh(frames: readonly number[]): number[] {
    const changed: number[] = [];
    for (const mfn of frames) {
      const digest = digestOf(this.engine, mfn);
      if (this.digests.get(mfn) === digest) continue;
      this.digests.set(mfn, digest);
      changed.push(mfn);
    }
    return changed;
  }

  private keepBytes(changed: readonly number[]): void {
    if (this.domain === null) return;
    for (const mfn of [...this.machineToPhys, ...writtenByXen(this.domain)]) {
      const last = this.now.get(mfn);
      if (last !== undefined && !changed.includes(mfn)) continue;
      const bytes = this.engine.page(mfn);
      this.before.set(mfn, last ?? bytes);
      this.now.set(mfn, bytes);
    }
  }
}
