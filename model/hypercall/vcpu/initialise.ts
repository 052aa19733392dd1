/** VCPUOP_initialise: give a vCPU that is down its first state. */
import { notModelled } from '../not_modelled.ts';
import type { VcpuOperation } from './vcpu_op.ts';

export const initialise: VcpuOperation = (machine, caller) => notModelled(machine, caller, 'vcpu_op/initialise');
