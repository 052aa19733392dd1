/** set_gdt and update_descriptor. */
import { GUEST_GDT_ENTRIES } from '#spec/abi/descriptor.ts';
import { PGT } from '../frame_table.ts';
import { gdtPages, setGdt } from '../global_descriptor_table.ts';
import { copyFromGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { checkDescriptor, checked } from '../mm/descriptor.ts';
import { frameOfAddress } from '../mm/entry.ts';
import { getPage, putPage } from '../mm/page.ts';
import { getPageType, putPageType } from '../mm/page_type.ts';
import { minus } from '../result.ts';
import { flushLocal } from '../tlbflush.ts';
import { unsigned } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';

/** A list of frames, and how many descriptors they hold. */
export const set_gdt = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const entries = args[2] >>> 0;
  if (entries > GUEST_GDT_ENTRIES) return minus('EINVAL');
  const pages = gdtPages(entries);
  if (!copyFromGuest(machine, vcpu, args[0], args[1], 8 * pages)) return minus('EFAULT');
  const frames: number[] = [];
  for (let i = 0; i < pages; i++) frames.push(unsigned(scratch.getInt32(8 * i, true), scratch.getInt32(8 * i + 4, true)));
  const answer = setGdt(machine, vcpu, vcpu, frames, entries);
  if (answer === 0) flushLocal(machine, vcpu);
  return answer;
};

/** One descriptor at a machine address, in a page of descriptors or in one that is no table of any kind. */
export const update_descriptor = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const [lo, hi] = [args[0], args[1]];
  if ((lo & 7) !== 0 || !checkDescriptor(args[2], args[3], vcpu.domain)) return minus('EINVAL');
  const { lo: low, hi: high } = checked;
  const mfn = frameOfAddress(lo, hi);
  const { frames } = machine;
  if (!getPage(frames, mfn, vcpu.domain.domid)) return minus('EINVAL');
  const type = frames.type[mfn] === PGT.seg_desc ? PGT.seg_desc : PGT.writable;
  const answer = getPageType(machine, vcpu, mfn, type);
  if (answer === 0) {
    machine.memory.writeHalves(mfn * 4096 + (lo & 0xff8), low, high);
    putPageType(machine, vcpu, mfn);
  }
  putPage(frames, mfn);
  return answer === 0 ? 0 : minus('EINVAL');
};
