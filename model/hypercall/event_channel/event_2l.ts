/** The two-level ABI: a pending and a mask bit for each port in the shared info page. Chapter: spec/chapters/event_channel.md, "Raising". */
import { COMPAT_EVTCHN_2L_NR_CHANNELS } from '#spec/abi/compat.ts';
import { EVTCHN_2L_NR_CHANNELS } from '#spec/abi/event_channel.ts';
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import type { EvtchnPortOps } from './port_ops.ts';
import { clearBit, maskBit, pendingBit, setBit, setSelector, testBit, testSelector } from './shared_bits.ts';
import { markEventsPending, wakePollers } from './wake.ts';

const setPending = (machine: Machine, at: VcpuRef, port: number): Machine => {
  const pending = pendingBit(machine, at.domid, port);
  if (testBit(machine, pending)) return cite(machine, 'evtchn/raise-again');
  return wakePollers(select(setBit(machine, pending), at, port), at.domid, port, 'evtchn/raise-poll');
};

const select = (machine: Machine, at: VcpuRef, port: number): Machine => {
  if (testBit(machine, maskBit(machine, at.domid, port))) return cite(machine, 'evtchn/raise-masked');
  if (testSelector(machine, at, port)) return cite(machine, 'evtchn/raise-selected');
  return markEventsPending(cite(setSelector(machine, at, port), 'evtchn/raise-upcall'), at);
};

/** Clear the mask bit and make up for what was signalled meanwhile. */
const unmask = (machine: Machine, at: VcpuRef, port: number): Machine => {
  const mask = maskBit(machine, at.domid, port);
  const wasMasked = testBit(machine, mask);
  const open = clearBit(machine, mask);
  const due = wasMasked && testBit(open, pendingBit(open, at.domid, port)) && !testSelector(open, at, port);
  return due ? markEventsPending(setSelector(open, at, port), at) : open;
};

export const EVTCHN_PORT_OPS_2L: EvtchnPortOps = {
  maxPorts: EVTCHN_2L_NR_CHANNELS,
  init: (machine) => machine,
  setPending,
  /** The selector and the upcall stay as they are. */
  clearPending: (machine, domid, port) => clearBit(machine, pendingBit(machine, domid, port)),
  unmask,
  unmasked: 'evtchn/unmask-unmasked',
  isPending: (machine, domid, port) => testBit(machine, pendingBit(machine, domid, port)),
  ready: 'sched/poll-ready',
  isBusy: () => false,
};

/** compat/ports */
export const EVTCHN_PORT_OPS_2L_COMPAT: EvtchnPortOps = { ...EVTCHN_PORT_OPS_2L, maxPorts: COMPAT_EVTCHN_2L_NR_CHANNELS };
