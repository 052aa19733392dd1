/**
 * The handles of a domain's mappings of others' grants. Free handles form one list for each vCPU, taken at the head and given back at
 * the tail; the last one of a list is never taken. The order is visible to guests.
 */
import type { MaptrackObservation } from '#spec/observation.ts';

/** Handles in one frame of Xen's table. */
export const PER_FRAME = 256;
/** End of a free list. */
const TAIL = 0xffffffff;
/** No handle. */
export const NO_HANDLE = -1;

export class Maptrack {
  /** Handles that exist; used or free. */
  limit = 0;
  /** Of a used handle its reference, of a free one the next in its list. */
  ref = new Uint32Array(0);
  /** GNTMAP flags of a used handle (the lower 16 bits); 0: free. */
  flags = new Uint16Array(0);
  domid = new Uint16Array(0);
  private vcpu = new Uint16Array(0);
  /** Ends of the free lists by vCPU; TAIL when a list does not exist yet. */
  private readonly heads: number[] = [];
  private readonly tails: number[] = [];

  /** A free handle for a mapping by a vCPU of a domain with `vcpus`; `mostFrames` bounds the table. NO_HANDLE when none is left. */
  take(vcpu: number, vcpus: number, mostFrames: number): number {
    const handle = this.fromList(vcpu);
    if (handle !== NO_HANDLE) return handle;
    if (this.limit / PER_FRAME < mostFrames) return this.grow(vcpu);
    if (this.tail(vcpu) === TAIL) {
      const sentinel = this.steal(vcpu, vcpus);
      if (sentinel === NO_HANDLE) return NO_HANDLE;
      this.ref[sentinel] = TAIL;
      this.tails[vcpu] = sentinel;
      if (this.head(vcpu) === TAIL) this.heads[vcpu] = sentinel;
    }
    return this.steal(vcpu, vcpus);
  }

  /** Give a handle back to the list of the vCPU it belongs to. */
  put(handle: number): void {
    this.ref[handle] = TAIL;
    const vcpu = this.vcpu[handle];
    this.ref[this.tails[vcpu]] = handle;
    this.tails[vcpu] = handle;
  }

  observe(): MaptrackObservation[] {
    const used: MaptrackObservation[] = [];
    for (let handle = 0; handle < this.limit; handle++) {
      if (this.flags[handle] !== 0) used.push({ handle, domid: this.domid[handle], ref: this.ref[handle], flags: this.flags[handle] });
    }
    return used;
  }

  private head(vcpu: number): number {
    return this.heads[vcpu] ?? TAIL;
  }
  private tail(vcpu: number): number {
    return this.tails[vcpu] ?? TAIL;
  }

  private fromList(vcpu: number): number {
    const head = this.head(vcpu);
    if (head === TAIL || this.ref[head] === TAIL) return NO_HANDLE;
    this.heads[vcpu] = this.ref[head];
    return head;
  }

  /** One frame more: its first handle is taken, the others go before the vCPU's free ones. */
  private grow(vcpu: number): number {
    const first = this.limit;
    this.limit += PER_FRAME;
    this.ref = enlarged(this.ref, new Uint32Array(this.limit));
    this.flags = enlarged(this.flags, new Uint16Array(this.limit));
    this.domid = enlarged(this.domid, new Uint16Array(this.limit));
    this.vcpu = enlarged(this.vcpu, new Uint16Array(this.limit));
    for (let handle = first; handle < this.limit; handle++) {
      this.ref[handle] = handle + 1;
      this.vcpu[handle] = vcpu;
    }
    if (this.tail(vcpu) === TAIL) this.tails[vcpu] = this.limit - 1;
    this.ref[this.limit - 1] = this.head(vcpu);
    this.heads[vcpu] = first + 1;
    return first;
  }

  /** From the first vCPU that can spare one (Xen begins at a random one). */
  private steal(thief: number, vcpus: number): number {
    for (let vcpu = 0; vcpu < vcpus; vcpu++) {
      const handle = this.fromList(vcpu);
      if (handle === NO_HANDLE) continue;
      this.vcpu[handle] = thief;
      return handle;
    }
    return NO_HANDLE;
  }
}

const enlarged = <A extends Uint32Array | Uint16Array>(old: A, larger: A): A => {
  larger.set(old);
  return larger;
};
