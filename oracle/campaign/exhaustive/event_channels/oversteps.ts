/** What a call of one domain may do to another's ports: no more than the channels between them allow. */
import type { Channel } from '#model/domain.ts';
import { maskBit, pendingBit } from '#model/hypercall/event_channel/shared_bits.ts';
import type { Machine } from '#model/machine.ts';
import { readWord } from '#model/memory/memory.ts';
import { itemAt } from '#model/numbered.ts';

const mayBecome = (caller: number, before: Channel | null, after: Channel | null): boolean => {
  // Domain 0 may make a port in another domain.
  if (before === null) return caller === 0 && after?.state === 'unbound';
  if (before.state === 'unbound') return before.remoteDom === caller && after?.state === 'interdomain' && after.remoteDom === caller;
  return before.state === 'interdomain' && before.remoteDom === caller && after?.state === 'unbound' && after.remoteDom === caller;
};

/** Ports 1 to 31 are looked at, which no scope exceeds. */
const PORTS = 31;

export const oversteps =
  (caller: number) =>
  (before: Machine, after: Machine): string | null => {
    for (let d = 0; d < before.domains.length; d++) {
      const [was, is] = [before.domains[d]!, after.domains[d]!];
      if (was.domid === caller) continue;
      if (was.channels !== is.channels)
        for (let port = 1; port <= PORTS; port++) {
          const [old, now] = [itemAt(was.channels, port), itemAt(is.channels, port)];
          if (old !== now && !mayBecome(caller, old, now))
            return `port ${port} of d${was.domid} became ${now?.state ?? 'free'}, which was ${old?.state ?? 'free'} and none of d${caller}'s business`;
        }
      if (before.memory === after.memory) continue;
      const [pending, mask] = [pendingBit(before, was.domid, 0), maskBit(before, was.domid, 0)];
      const word = (machine: Machine, bit: typeof pending): number => readWord(machine.memory, bit.mfn, bit.index).lo;
      if (word(before, mask) !== word(after, mask)) return `d${caller} changed a mask bit of d${was.domid}`;
      const changed = word(before, pending) ^ word(after, pending);
      for (let port = 1; changed !== 0 && port <= PORTS; port++) {
        const channel = itemAt(is.channels, port);
        if (!((changed >> port) & 1)) continue;
        if (channel?.state !== 'interdomain' || channel.remoteDom !== caller || !((word(after, pending) >> port) & 1))
          return `d${caller} changed the pending bit of port ${port} of d${was.domid}, which does not lead to it`;
      }
    }
    return null;
  };
