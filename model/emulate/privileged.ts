/** Privileged instructions. */
import type { VcpuRef } from '#spec/event.ts';
import type { Machine } from '../machine.ts';

export const emulatePrivileged = (_machine: Machine, _at: VcpuRef): Machine | null => null;
