/** mmuext_op's work on whole pages of RAM. */
import { ERRNO } from '#spec/abi/errno.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { ownsPage } from './page.ts';
import { getPageType, putPageType } from './page_type.ts';

const PAGE = 4096;

const isRamOf = (machine: Machine, mfn: number, pgOwner: number): boolean => pgOwner !== DOMID.IO && ownsPage(machine.frames, mfn, pgOwner);

/** Zero a page that is not a page table. */
export const clearPage = (machine: Machine, vcpu: Vcpu, mfn: number, pgOwner: number): number => {
  if (!isRamOf(machine, mfn, pgOwner) || getPageType(machine, vcpu, mfn, PGT.writable) !== 0) return -ERRNO.EINVAL;
  machine.memory.fill(mfn * PAGE, PAGE, 0);
  putPageType(machine, vcpu, mfn);
  return 0;
};

/** Copy a page of any type onto one that is not a page table. */
export const copyPage = (machine: Machine, vcpu: Vcpu, to: number, from: number, pgOwner: number): number => {
  if (!isRamOf(machine, from, pgOwner)) return -ERRNO.EINVAL;
  if (!isRamOf(machine, to, pgOwner) || getPageType(machine, vcpu, to, PGT.writable) !== 0) return -ERRNO.EINVAL;
  const { memory } = machine;
  memory.willWrite(to * PAGE, PAGE);
  memory.bytes.copyWithin(to * PAGE, from * PAGE, (from + 1) * PAGE);
  putPageType(machine, vcpu, to);
  return 0;
};
