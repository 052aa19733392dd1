/** The event channels of a machine, made to tell which of them a transition looks at. */
import type { Domain } from '#model/domain.ts';
import { updateVcpu } from '#model/lens.ts';
import type { Machine } from '#model/machine.ts';
import type { Core } from '../core.ts';
import { pageWatch } from '../memory_watch.ts';
import type { Values } from '../slots.ts';
import { isWatched, watchedArray } from '../watch.ts';
import { MASK, PENDING, WORDS_OF_RECORD } from './code.ts';
import { type ChannelScope, slotsOf } from './scope.ts';

const all = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

export const channelWatch = (scope: ChannelScope, decode: (values: Values) => Machine): Core['watch'] => {
  const { domids, ports, vcpus } = scope;
  const slots = slotsOf(scope);
  const portSlots = domids.map((_, d) => all(ports).map((p) => slots.kind(d, p + 1)));
  const words = domids.map(
    (_, d) =>
      new Map<number, readonly number[]>([
        [PENDING, all(ports).map((p) => slots.pending(d, p + 1))],
        [MASK, all(ports).map((p) => slots.mask(d, p + 1))],
        ...all(vcpus).flatMap((v): [number, number[]][] => [
          [v * WORDS_OF_RECORD, [slots.upcall(d, v)]],
          [v * WORDS_OF_RECORD + 1, [slots.selector(d, v)]],
        ]),
      ]),
  );
  return (values, onTouch) => {
    let machine = decode(values);
    const touchPorts = (d: number): void => {
      for (const slot of portSlots[d]!) onTouch(slot);
    };
    for (let d = 0; d < 2; d++) {
      const domid = domids[d]!;
      for (let v = 0; v < vcpus; v++) {
        const { virqPorts } = domainOf(machine, domid).vcpus[v]!;
        // Which port a VIRQ has is worked out from the channels.
        machine = updateVcpu(machine, { domid, vcpu: v }, { virqPorts: watchedArray(virqPorts, () => touchPorts(d)) });
      }
      const { channels } = domainOf(machine, domid);
      const onPort = (port: number): void => {
        if (port >= 1 && port <= ports) onTouch(slots.kind(d, port));
      };
      const block = channels[0]!;
      // How many ports are used is told by none of them alone. Neither empty nor full: whoever asks goes on and looks at each.
      const fields = { items: watchedArray(block.items, onPort), used: block.items.length / 2 };
      const watched = Object.assign(Object.create(Object.getPrototypeOf(block)), fields);
      machine = withDomain(machine, { ...domainOf(machine, domid), channels: [watched] });
    }
    const pages = domids.map((domid, d) => pageWatch(domainOf(machine, domid).sharedInfo, words[d]!, onTouch));
    for (const page of pages) machine = page.watch(machine);
    const settle = (after: Machine): void => {
      for (let d = 0; d < 2; d++) {
        const domain = domainOf(after, domids[d]!);
        const isSeen = domain.channels.length === 1 && isWatched(domain.channels[0]!.items);
        if (!isSeen || domain.vcpus.some(({ virqPorts }, v) => v < vcpus && !isWatched(virqPorts))) touchPorts(d);
      }
      for (const page of pages) page.settle(after);
    };
    return { machine, settle };
  };
};

const domainOf = (machine: Machine, domid: number): Domain => machine.domains.find((domain) => domain.domid === domid)!;

const withDomain = (machine: Machine, domain: Domain): Machine => ({
  ...machine,
  domains: machine.domains.map((old) => (old.domid === domain.domid ? domain : old)),
});
