/** What SCHEDOP_poll asks of a port. */
import { ERRNO } from '#spec/abi/errno.ts';
import type { Domain } from '../domain.ts';
import type { Machine } from '../machine.ts';
import { isPending } from '../upcall.ts';

/** 1: pending, whether masked or not; 0: not pending; -EINVAL: no channel. */
export const portIsPending = (machine: Machine, domain: Domain, port: number): number => {
  if (domain.portAt(port) === null) return -ERRNO.EINVAL;
  return isPending(machine, domain, port) ? 1 : 0;
};
