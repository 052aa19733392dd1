/** VCPUOP_initialise: the first context of a vCPU other than 0. */
import { vcpu_guest_context } from '#spec/abi/sched.ts';
import { NotModelled } from '#spec/failure.ts';
import { copyFromGuest } from './guest_access.ts';
import type { Machine } from './machine.ts';
import { minus } from './result.ts';
import type { Vcpu } from './vcpu.ts';

const context = new Uint8Array(vcpu_guest_context.size);

export const initialise = (machine: Machine, caller: Vcpu, target: Vcpu, lo: number, hi: number): number => {
  if (!copyFromGuest(machine, caller, lo, hi, context.length, context)) return minus('EFAULT');
  if (target.initialised) return minus('EEXIST');
  throw new NotModelled('vcpu_op/initialise');
};
