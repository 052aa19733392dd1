/** What a guest stores to the words that it shares with Xen: masking a port, and taking what was signalled. */
import { clearBit, maskBit, pendingBit, setBit } from '#model/hypercall/event_channel/shared_bits.ts';
import { setMemory, vcpuOf } from '#model/lens.ts';
import type { Machine } from '#model/machine.ts';
import { read, write } from '#model/memory/access.ts';
import { fromNumber } from '#model/word/word.ts';
import { vcpu_info } from '#spec/abi/xen.ts';
import type { Action } from '../core.ts';
import type { ChannelScope } from './scope.ts';

/** Store zero to the byte of a vCPU's record that the field begins with. */
const clearByte = (machine: Machine, domid: number, vcpu: number, field: 'evtchn_upcall_pending' | 'evtchn_pending_sel'): Machine => {
  const { mfn, offset } = vcpuOf(machine, { domid, vcpu }).vcpuInfo;
  const at = offset + vcpu_info.fields[field].at;
  return read(machine.memory, mfn, at, 1).lo === 0 ? machine : setMemory(machine, write(machine.memory, mfn, at, 1, fromNumber(0)));
};

export const guestStores = (domid: number, { ports, vcpus }: ChannelScope): readonly Action[] => [
  ...Array.from({ length: ports }, (_, i) => i + 1).flatMap((port): Action[] => [
    {
      name: `d${domid} masks ${port}`,
      apply: (machine) => setBit(machine, maskBit(machine, domid, port)),
    },
    {
      name: `d${domid} takes ${port}`,
      apply: (machine) => clearBit(machine, pendingBit(machine, domid, port)),
    },
  ]),
  ...Array.from({ length: vcpus }, (_, vcpu) => vcpu).flatMap((vcpu): Action[] => [
    {
      name: `d${domid}v${vcpu} clears its selector`,
      apply: (machine) => clearByte(machine, domid, vcpu, 'evtchn_pending_sel'),
    },
    {
      name: `d${domid}v${vcpu} clears its upcall`,
      apply: (machine) => clearByte(machine, domid, vcpu, 'evtchn_upcall_pending'),
    },
  ]),
];
