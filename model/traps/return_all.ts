/** After an interrupt of the host: every pCPU's vCPU passes through Xen's way out. */
import type { Machine } from '../machine.ts';
import { returnToGuest } from './return.ts';

export const returnAll = (machine: Machine): Machine =>
  machine.cpus.reduce((m, { current }) => (current && m.halted === null ? returnToGuest(m, current, 'iret') : m), machine);
