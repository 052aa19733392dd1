import { expect, test } from 'vitest';
import type { Engine } from '../../engine.ts';
import type { DomainObservation, FrameObservation } from '../../observation.ts';
import { activeGrant, bytesOf, CONFIG, domain, entry, frame, PRESENT, vcpu, WRITABLE } from '../testing/small_machine.ts';
import { Eye } from './eye.ts';

const ascending = (frames: Iterable<number>): readonly number[] => [...frames].sort((a, b) => a - b);
const M2P = [0x200, 0x201, 0x202, 0x203];

/** A machine whose state a test writes down as it goes; an engine's digests of memory and of frames change with it. */
class Machine {
  domains: DomainObservation[] = [domain(0), domain(1)];
  owned: FrameObservation[] = [];
  readonly words: Record<number, Record<number, bigint>> = {};
  /** Frames whose bytes the eye asked for. */
  asked: number[] = [];
  now = { memory: 0, frames: 0 };

  write(mfn: number, index: number, word: bigint): void {
    this.words[mfn] = { ...this.words[mfn], [index]: word };
    this.now = { ...this.now, memory: this.now.memory + 1 };
  }
  own(...frames: FrameObservation[]): void {
    this.owned = frames;
    this.now = { ...this.now, frames: this.now.frames + 1 };
  }
  engine(): Engine {
    return {
      observe: () => ({ domains: this.domains, memory: `m${this.now.memory}`, frames: `f${this.now.frames}` }),
      frames: () => this.owned,
      page: (mfn: number) => {
        this.asked.push(mfn);
        return bytesOf(this.words[mfn]);
      },
    } as unknown as Engine;
  }
}

const looking = (...frames: FrameObservation[]): { machine: Machine; eye: Eye } => {
  const machine = new Machine();
  machine.own(...frames);
  const eye = new Eye(machine.engine(), CONFIG, 1);
  eye.look();
  return { machine, eye };
};
const own = (mfn: number, change: Partial<FrameObservation> = {}) => frame(mfn, { owner: 1, ...change });

test('before it looks it sees nothing, and knows where the machine-to-phys table is', () => {
  const eye = new Eye(new Machine().engine(), CONFIG, 1);
  expect([eye.domain, eye.own.size, eye.readable, eye.changed, eye.isRegrouped]).toEqual([null, 0, [], [], false]);
  expect(eye.machineToPhys).toEqual(M2P);
});

test('at the first look everything is new', () => {
  const { eye } = looking(own(0x500), frame(0x501, { owner: 0 }), own(0x4ff));
  expect(eye.domain).toEqual(domain(1));
  expect([...eye.own.values()]).toEqual([own(0x500), own(0x4ff)]);
  expect(eye.readable).toEqual([...M2P, 0x4ff, 0x500]);
  expect(ascending(eye.changed)).toEqual([...M2P, 0x4ff, 0x500]);
  expect(eye.isRegrouped).toBe(true);
});

test('at the next look nothing is new, and no frame is looked at, when the digests are as they were', () => {
  const { machine, eye } = looking(own(0x500));
  machine.asked = [];
  machine.domains = [domain(0), domain(1, { pages: 9 })];
  eye.look();
  expect([eye.changed, eye.isRegrouped, machine.asked]).toEqual([[], false, []]);
  expect(eye.domain?.pages).toBe(9);
});

test('bytes that change are told, of frames that it can read', () => {
  const { machine, eye } = looking(own(0x500), own(0x502));
  machine.write(0x502, 3, 7n);
  machine.write(0x600, 3, 7n);
  const before = eye.digest(0x502);
  eye.look();
  expect([eye.changed, eye.isRegrouped]).toEqual([[0x502], false]);
  expect(eye.digest(0x502)).not.toBe(before);
  expect(eye.digest(0x500)).toBe(0);
  expect(eye.digest(0x600)).toBeUndefined();
});

test('frames that become its own, or are so no more', () => {
  const { machine, eye } = looking(own(0x500), own(0x502));
  machine.own(own(0x502), own(0x504));
  machine.words[0x504] = { 0: 1n };
  eye.look();
  expect([eye.readable, eye.changed, eye.isRegrouped]).toEqual([[...M2P, 0x502, 0x504], [0x504], true]);
  machine.own(own(0x502), own(0x504, { refs: 2 }));
  eye.look();
  expect([eye.changed, eye.isRegrouped, eye.own.get(0x504)]).toEqual([[], true, own(0x504, { refs: 2 })]);
});

test('frames of others that change are nothing to it', () => {
  const { machine, eye } = looking(own(0x500), frame(0x501, { owner: 0 }));
  const before = eye.own;
  machine.own(own(0x500), frame(0x501, { owner: 0, refs: 9 }));
  eye.look();
  expect([eye.changed, eye.isRegrouped]).toEqual([[], false]);
  expect(eye.own).toBe(before);
});

test('its level 1 tables let it read what they lead to, of 40 bits', () => {
  const { machine, eye } = looking(own(0x500, { type: 'l1' }), own(0x501, { type: 'l2' }), own(0x502));
  machine.write(0x501, 0, entry(0x700));
  machine.write(0x502, 0, entry(0x701));
  eye.look();
  expect([eye.readable, eye.isRegrouped]).toEqual([[...M2P, 0x500, 0x501, 0x502], false]);
  machine.write(0x500, 0, entry(0x600));
  machine.write(0x500, 1, entry(0x601, WRITABLE));
  machine.write(0x500, 511, entry(0x12_3456_7890, PRESENT | WRITABLE | (1n << 63n)));
  eye.look();
  expect(eye.readable).toEqual([...M2P, 0x500, 0x501, 0x502, 0x600, 0x12_3456_7890]);
  expect([eye.changed, eye.isRegrouped]).toEqual([[0x500, 0x600, 0x12_3456_7890], true]);
  machine.write(0x600, 5, 1n);
  eye.look();
  expect([eye.changed, eye.isRegrouped]).toEqual([[0x600], false]);
});

test('a domain that is gone is null', () => {
  const { machine, eye } = looking(own(0x500));
  machine.domains = [domain(0)];
  machine.own();
  eye.look();
  expect([eye.domain, eye.own.size]).toEqual([null, 0]);
});

test('what stood in the frames that Xen writes a few bytes of at a time is kept', () => {
  const fifo = {
    array: [0x505],
    vcpus: [
      { control_block: null, tails: [] },
      { control_block: [0x506, 0] as const, tails: [] },
    ],
    kept: [],
  };
  const written = { shared_info: 0x501, grant_frames: [0x502], status_frames: [0x503], vcpus: [vcpu({ vcpu_info: [0x504, 0] })], fifo };
  const frames = [0x501, 0x502, 0x503, 0x504, 0x505, 0x506, 0x507].map((mfn) => own(mfn));
  const machine = new Machine();
  machine.domains = [domain(0, { shared_info: 0x508 }), domain(1, written)];
  machine.own(...frames);
  const eye = new Eye(machine.engine(), CONFIG, 1);
  eye.look();
  const kept = [...M2P, 0x501, 0x502, 0x503, 0x504, 0x505, 0x506];
  expect(ascending(eye.now.keys())).toEqual(kept);
  expect(ascending(eye.before.keys())).toEqual(kept);
  machine.write(0x504, 0, 7n);
  eye.look();
  expect([eye.before.get(0x504)?.[0], eye.now.get(0x504)?.[0]]).toEqual([0, 7]);
  machine.write(0x504, 0, 9n);
  machine.asked = [];
  eye.look();
  expect([eye.before.get(0x504)?.[0], eye.now.get(0x504)?.[0]]).toEqual([7, 9]);
  // Once each for the digests, and once more where something has changed.
  expect(machine.asked.filter((mfn) => mfn === 0x504)).toHaveLength(2);
  expect(machine.asked.filter((mfn) => mfn === 0x505)).toHaveLength(1);
});

test('a domain with two-level events alone has fewer of them', () => {
  const { eye } = looking(own(0x401));
  expect([...eye.now.keys()]).toEqual([...M2P, 0x401]);
});

test('a domain that is gone has none', () => {
  const machine = new Machine();
  machine.domains = [domain(0)];
  const eye = new Eye(machine.engine(), CONFIG, 1);
  eye.look();
  expect(eye.now.size).toBe(0);
});

test('an engine that can tell of one domain is asked for that one alone', () => {
  const seen: number[] = [];
  const engine = {
    ...new Machine().engine(),
    observe: () => expect.unreachable(),
    observeDomain: (domid: number) => {
      seen.push(domid);
      return { domain: domain(domid, { pages: 5 }), memory: '', frames: '' };
    },
  } as unknown as Engine;
  const eye = new Eye(engine, CONFIG, 1);
  eye.look();
  expect([seen, eye.domain?.pages]).toEqual([[1], 5]);
});

test('a frame is borrowed that it uses by a grant of its owner’s', () => {
  const { machine, eye } = looking();
  machine.domains = [domain(0, { active_grants: [activeGrant(8, 1, 0x600), activeGrant(9, 2, 0x601)] }), domain(1)];
  expect([0x600, 0x601, 0x602].map((mfn) => eye.isBorrowed(mfn, 0))).toEqual([true, false, false]);
  expect([1, 7].map((owner) => eye.isBorrowed(0x600, owner))).toEqual([false, false]);
});
