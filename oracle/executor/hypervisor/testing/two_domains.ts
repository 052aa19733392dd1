/**
 * A small machine for tests of hypercall handlers, built without an image: domain 0 and domain 1, 128 pages each, page `i` mapped
 * writable at address `4096 * i`, but for the four page tables (pages 1 to 4: L4, L3, L2, L1), which are mapped read-only.
 */
import { shared_info, vcpu_info } from '#spec/abi/xen.ts';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import { DescriptorTables } from '../../cpu/descriptor_tables.ts';
import type { GuestCpu } from '../../cpu/interface.ts';
import { Memory } from '../../memory.ts';
import { Domain } from '../domain.ts';
import { shareXenFrame } from '../domain_builder/build.ts';
import { buildM2p, setM2p } from '../domain_builder/m2p.ts';
import { PGF, PGT } from '../frame_table.ts';
import { CALL_STATE } from '../hypercall/continuation.ts';
import type { Handler } from '../hypercall/dispatch.ts';
import { Machine } from '../machine.ts';
import { newGuestCr3 } from '../mm/base_pointer.ts';
import { pinTable } from '../mm/pin.ts';
import { type Vcpu, VPF } from '../vcpu.ts';

export const PAGES = 128;
/** Page numbers of the first tables. */
export const L4 = 1;
export const L3 = 2;
export const L2 = 3;
export const L1 = 4;
/** A page for arguments. */
export const ARGUMENTS = 16;

const FIRST = [0x500, 0x580] as const;
/** From here on frames are free. */
export const FIRST_FREE = 0x600;

export class TwoDomains {
  readonly machine: Machine;

  constructor() {
    const config = debian_4_17();
    const small = {
      ...config,
      frames: 0x800,
      layout: { m2p_first: 0x200, xenheap_first: 0x400, xenheap_end: 0x500, domheap_first: FIRST[0] },
    };
    this.machine = new Machine(small, new Memory(small.frames));
    buildM2p(this.machine);
    for (const domid of [0, 1]) this.build(domid);
    this.machine.firstFree = FIRST_FREE;
  }

  private build(domid: number): void {
    const { machine } = this;
    const { frames, memory } = machine;
    const domain = new Domain(domid, PAGES, [
      { root: 0, tables: new DescriptorTables(), xen: { showTables: () => {} } } as unknown as GuestCpu,
    ]);
    machine.addDomain(domain);
    domain.sharedInfoMfn = shareXenFrame(machine, domain);
    domain.grants.frames.push(shareXenFrame(machine, domain));
    const first = FIRST[domid];
    for (let i = 0; i < PAGES; i++) {
      frames.owner[first + i] = domid;
      frames.refs[first + i] = 1;
      frames.flags[first + i] = PGF.allocated;
      setM2p(machine, first + i, i);
      const isTable = i >= L4 && i <= L1;
      memory.writeHalves((first + L1) * 4096 + 8 * i, ((first + i) << 12) | (isTable ? 0x25 : 0x27), 0x100000);
    }
    const link = (table: number, below: number): void => memory.writeHalves((first + table) * 4096, ((first + below) << 12) | 0x67, 0);
    link(L4, L3);
    link(L3, L2);
    link(L2, L1);
    const [vcpu] = domain.vcpus;
    vcpu.initialised = true;
    vcpu.pauseFlags &= ~VPF.down;
    vcpu.infoMfn = domain.sharedInfoMfn;
    memory.write8(domain.sharedInfoMfn * 4096 + shared_info.fields.vcpu_info.at + vcpu_info.fields.evtchn_upcall_mask.at, 1);
    pinTable(machine, vcpu, first + L4, PGT.l4, domid);
    newGuestCr3(machine, vcpu, first + L4);
  }

  vcpu(domid: number): Vcpu {
    return this.machine.domains[domid].vcpus[0];
  }

  /** Frame of a domain's page. */
  mfn(domid: number, page: number): number {
    return FIRST[domid] + page;
  }

  /** Store 32-bit words at a byte offset of a domain's page. */
  put(domid: number, page: number, at: number, ...words: readonly number[]): void {
    const start = this.mfn(domid, page) * 4096 + at;
    for (let i = 0; i < words.length; i++) this.machine.memory.write32(start + 4 * i, words[i]);
  }

  /** A 32-bit word of a domain's page. */
  get(domid: number, page: number, at: number): number {
    return this.machine.memory.read32(this.mfn(domid, page) * 4096 + at);
  }

  /** Make a hypercall with arguments that fit 32 bits. Calls that ask to be made again are made again. */
  call(domid: number, handler: Handler, ...values: readonly number[]): number {
    const args = new Int32Array(12);
    values.forEach((value, i) => {
      args[2 * i] = value;
    });
    for (let tries = 0; tries < 10; tries++) {
      CALL_STATE.preempted = false;
      const answer = handler(this.machine, this.vcpu(domid), args);
      if (!CALL_STATE.preempted) return answer;
      args.set(CALL_STATE.continuation.subarray(0, 2 * CALL_STATE.continuationCount));
    }
    throw new Error('a hypercall that never ends');
  }

  /** References, type and type references of all frames, for comparing before and after. */
  counts(): readonly string[] {
    const { frames } = this.machine;
    return Array.from({ length: frames.count }, (_, mfn) => JSON.stringify(frames.observe(mfn)));
  }
}

/** Address of the arguments page. */
export const ARGS_AT: number = ARGUMENTS * 4096;
