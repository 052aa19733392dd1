/** EVTCHNOP_init_control: give a vCPU its control block; the first one switches the domain to the FIFO ABI. */
import {
  EVTCHN_2L_NR_CHANNELS,
  EVTCHN_FIFO_CONTROL_BLOCK,
  EVTCHN_FIFO_LINK_BITS,
  EVTCHN_FIFO_PRIORITY,
  type evtchn,
} from '#spec/abi/event_channel.ts';
import type { FifoPort } from '../../domain.ts';
import { cite } from '../../journal.ts';
import { domainOf, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { itemsOf, NONE_NUMBERED, numbered } from '../../numbered.ts';
import { getPageAndType } from '../../page_type/references.ts';
import { emptyFifo, fifoPort, fifoVcpu, setFifoVcpu } from './fifo_memory.ts';
import { granted, type Operation, refused } from './operation.ts';
import { validPorts } from './ports.ts';
import { pendingBit, testBit } from './shared_bits.ts';

const PAGE = 4096;

export const initControl: Operation<typeof evtchn.init_control> = (machine, { domid }, { control_gfn, offset, vcpu }) => {
  const domain = domainOf(machine, domid);
  if (!domain.vcpus[vcpu]) return refused(machine, 'ENOENT', 'evtchn/init_control-vcpu');
  if (offset > PAGE - EVTCHN_FIFO_CONTROL_BLOCK || offset % 8 !== 0) return refused(machine, 'EINVAL', 'evtchn/init_control-offset');
  if (domain.fifo?.vcpus[vcpu].controlBlock) return refused(machine, 'EINVAL', 'evtchn_fifo/init_control-again');
  const taken = getPageAndType(machine, domid, control_gfn, 'writable');
  if (taken.errno) return refused(taken.machine, 'EINVAL', 'evtchn/init_control-frame');

  const fifo = domain.fifo ? taken.machine : switchToFifo(taken.machine, domid);
  const at = { domid, vcpu };
  const mapped = setFifoVcpu(fifo, at, { ...fifoVcpu(fifo, at), controlBlock: { mfn: control_gfn, offset } });
  return granted(mapped, 'evtchn_fifo/init_control-mapped', { link_bits: EVTCHN_FIFO_LINK_BITS });
};

/** What the two-level ABI shows as pending is kept until the ports have event words. */
const switchToFifo = (machine: Machine, domid: number): Machine => {
  const fifoPorts: FifoPort[] = [];
  for (const [port, known] of itemsOf(domainOf(machine, domid).fifoPorts ?? NONE_NUMBERED)) fifoPorts[port] = known;
  const ports = Math.min(validPorts(machine, domid), EVTCHN_2L_NR_CHANNELS);
  for (let port = 1; port < ports; port++) {
    const kept = fifoPort(machine, domid, port).kept || testBit(machine, pendingBit(machine, domid, port));
    fifoPorts[port] = { priority: EVTCHN_FIFO_PRIORITY.default, kept };
  }
  const fifo = emptyFifo(domainOf(machine, domid).vcpus.length);
  return updateDomain(cite(machine, 'evtchn_fifo/init_control-switched'), domid, { fifo, fifoPorts: numbered(fifoPorts) });
};
