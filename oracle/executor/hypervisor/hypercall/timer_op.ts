/** set_timer_op: the vCPU's single-shot timer, as an absolute time; zero stops it. */
import type { Machine } from '../machine.ts';
import { setSingleshot } from '../timers.ts';
import { signed } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';

/** Beyond this distance Xen takes a time for a mistake and fires soon instead, ns. */
const FAR = 2 ** 50;
const SOON = 100_000_000;

export const set_timer_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const timeout = signed(args[0], args[1]);
  if (timeout === 0) setSingleshot(machine, vcpu, null);
  else if (timeout < 0 || timeout - machine.now >= FAR) setSingleshot(machine, vcpu, machine.now + SOON);
  else setSingleshot(machine, vcpu, timeout);
  return 0;
};
