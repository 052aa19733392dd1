/** What is set for as long as a call, or the way back to a guest, lasts: between inputs nothing of it may be set. */
import { CALL_STATE } from './hypercall/continuation.ts';
import type { Machine } from './machine.ts';

const NOTHING: readonly string[] = [];

export const leftOver = (machine: Machine): readonly string[] => {
  const isMoving = machine.pcpus.some(({ current }) => current?.mustMove === true);
  if (!CALL_STATE.inMulticall && !machine.timerDue && machine.xlat < 0 && !isMoving) return NOTHING;
  return [
    ...(CALL_STATE.inMulticall ? ['a multicall goes on'] : []),
    ...(machine.timerDue ? ['a timer is due'] : []),
    ...(machine.xlat >= 0 ? ['the area for structures of 32-bit guests is open'] : []),
    ...(isMoving ? ['a vCPU must leave its processor'] : []),
  ];
};
