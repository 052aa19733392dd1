/** What acts are drawn from: who acts, who the others are, and frames to name. */

import { Draw } from '../pv32/draw.ts';
import type { Word } from './code.ts';
import { DOMAIN_PAGES, FREE_FRAMES, firstFrame, HEAP_FIRST, M2P_FIRST, PAGES, SHARES, SPARES, vaOf, WINDOWS } from './layout.ts';

export const DOMID_SELF = 0x7ff0;
/** A number that no domain has. */
const NOBODY = 0x77;
const PTE_FLAGS = 0x67;
const READ_ONLY = 0x65;
/** Its own tables lie behind the image, the p2m and the start info: see the domain builder. */
const TABLES_PAGE = PAGES.end + 2;
const TABLES = 4;
/** Frames of the heap to name; what Xen takes of them for itself, before two of each domain: shared info and grant table. */
const HEAP_FRAMES = 16;
const OWN_HEAP_FRAMES = 2;

export class Scene {
  readonly draw: Draw;
  /** Place of the domain that acts, of the one that looks on, and everybody's number by place. */
  readonly self: number;
  readonly observer: number;
  readonly domids: readonly number[];
  /** A domain that nobody names and that names nobody, by place; null when there is none. */
  private readonly stranger: number | null;

  constructor(seed: number, self: number, observer: number, domids: readonly number[], stranger: number | null) {
    this.draw = new Draw(seed * 8 + self, 0);
    this.self = self;
    this.observer = observer;
    this.domids = domids;
    this.stranger = stranger;
  }

  get isObserver(): boolean {
    return this.self === this.observer;
  }
  get isStranger(): boolean {
    return this.self === this.stranger;
  }

  /** Whether there is a domain besides domain 0 and the one that looks on that may be named. */
  get canControl(): boolean {
    return this.stranger === null;
  }

  /** The place of another domain that it may name; a stranger's is nobody's. */
  other(): number {
    const others = this.domids.map((_, place) => place).filter((place) => place !== this.self && place !== this.stranger);
    return this.isStranger ? NOBODY : others[this.draw.below(others.length)]!;
  }

  domid(place: number): number {
    return this.domids[place] ?? NOBODY;
  }

  own(page: number): number {
    return firstFrame(this.self) + page;
  }
  share(): number {
    return PAGES.share + this.draw.below(SHARES);
  }
  spare(): number {
    return PAGES.spare + this.draw.below(SPARES);
  }
  window(): number {
    return vaOf(PAGES.windows + this.draw.below(WINDOWS));
  }

  /** A frame that is not its own: of another domain's secrets, tables or anything, of Xen's, or free. */
  foreign(): number {
    const { draw } = this;
    const place = draw.pick(...([0, 1, 2].filter((p) => p !== this.self) as [number, number]));
    const first = firstFrame(place);
    return draw.pick(
      first + PAGES.secret,
      first + PAGES.copies,
      first + PAGES.share + draw.below(SHARES),
      first + PAGES.data,
      first + TABLES_PAGE + draw.below(TABLES),
      first + draw.below(DOMAIN_PAGES),
      M2P_FIRST + draw.below(4),
      this.heap(),
      firstFrame(3) + draw.below(FREE_FRAMES),
      draw.below(0x100),
    );
  }

  /** A frame of Xen's heap: of its own ones a domain with secrets takes care, or its grant table may say what it never meant. */
  private heap(): number {
    const n = this.draw.below(HEAP_FRAMES);
    const isOwn = n - OWN_HEAP_FRAMES === 2 * this.self || n - OWN_HEAP_FRAMES === 2 * this.self + 1;
    return HEAP_FIRST + (isOwn && !this.isObserver ? 0 : n);
  }

  /** A frame to do things with: what it may, or what it must not. Others than the one that looks on keep their secrets to themselves. */
  frame(): number {
    const { draw } = this;
    return draw.below(3) > 0 ? this.own(this.spare()) : draw.below(2) === 0 ? this.foreign() : this.own(this.share());
  }

  entry(mfn: number): Word {
    return (BigInt(mfn) << 12n) | BigInt(this.draw.pick(PTE_FLAGS, PTE_FLAGS, READ_ONLY, 0));
  }
}
