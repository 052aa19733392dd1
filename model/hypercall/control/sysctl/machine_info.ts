/** Sysctls about the machine: memory, nodes, processors, devices. */

import { XEN_SCHEDULER_CREDIT2 } from '#spec/abi/domctl.ts';
import { E820 } from '#spec/abi/memory.ts';
import {
  LEVELLING_CAPS,
  MAX_NODE_ID,
  NODE_SELF,
  PHYSCAP,
  PHYSCAP_SHORT,
  PSR_QUESTIONS,
  sysctl,
  XEN_INVALID_CORE_ID,
  XEN_INVALID_DEV,
} from '#spec/abi/sysctl.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { copyFromGuest, copyToGuest, copyToGuestUnchecked } from '../../../guest_copy.ts';
import type { Machine } from '../../../machine.ts';
import { wordIn } from '../../../memory/guest.ts';
import { addInt, fromHex, isZero, toNumber, type Word } from '../../../word/word.ts';
import { bytesOfNumber, fieldOf, withFields } from '../../guest_struct.ts';
import { done, fail } from '../../result.ts';
import { capabilityWords } from '../logical_cpu.ts';
import { type Rule, tell } from './rule.ts';

const PAGE = 4096;

/** Whole pages of RAM in the firmware's map. */
const ramPages = ({ config }: Machine): number =>
  config.e820
    .filter(([, , type]) => type === E820.RAM)
    .reduce((sum, [address, size]) => {
      const first = toNumber(fromHex(address));
      return sum + Math.max(0, Math.floor((first + toNumber(fromHex(size))) / PAGE) - Math.ceil(first / PAGE));
    }, 0);
const claimed = ({ domains }: Machine): number => domains.reduce((sum, domain) => sum + domain.claimed, 0);

export const physinfo: Rule = (machine, asked) => {
  const { pcpus, frames, cpu } = machine.config;
  const { physinfo: layout } = sysctl;
  const first = layout.fields.threads_per_core.at;
  const cleared = asked.bytes.slice().fill(0, first, layout.fields.hw_cap_3.at + 8);
  const after = withFields(cleared, layout, {
    threads_per_core: 1,
    cores_per_socket: 1,
    nr_cpus: pcpus,
    max_cpu_id: pcpus - 1,
    nr_nodes: 1,
    max_node_id: MAX_NODE_ID,
    cpu_khz: cpu.tsc_khz,
    capabilities: PHYSCAP,
    total_pages: ramPages(machine),
    free_pages: machine.freeFrames,
    outstanding_pages: claimed(machine),
    max_mfn: frames - 1,
  });
  for (const [i, word] of capabilityWords(machine.config).entries()) after.set(bytesOfNumber(word, 4), layout.fields.hw_cap_0.at + 4 * i);
  const short = waysOf(machine.config.release)['physinfo-record'] === 'short';
  return tell(machine, asked, short ? withoutFamily(after, asked.bytes) : after, 'sysctl/physinfo');
};

/** sysctl/physinfo, where the capabilities of the processor's family are no part of it. */
const withoutFamily = (told: Uint8Array, given: Uint8Array): Uint8Array => {
  const { arch_capabilities, total_pages, hw_cap_3 } = sysctl.physinfo.fields;
  const end = hw_cap_3.at + 8;
  const bytes = [...told.slice(0, arch_capabilities.at), ...told.slice(total_pages.at, end), ...given.slice(hw_cap_3.at)];
  return withFields(Uint8Array.from(bytes), sysctl.physinfo, { capabilities: PHYSCAP_SHORT });
};

export const schedId: Rule = (machine, asked) =>
  tell(machine, asked, withFields(asked.bytes, sysctl.sched_id, { sched_id: XEN_SCHEDULER_CREDIT2 }), 'sysctl/sched_id');

/** In a node that there is not there is nothing. */
export const availheap: Rule = (machine, asked) => {
  const { node, min_bitwidth, max_bitwidth } = sysctl.availheap.fields;
  const which = fieldOf(asked.bytes, node) | 0;
  const narrowed = fieldOf(asked.bytes, min_bitwidth) !== 0 || fieldOf(asked.bytes, max_bitwidth) !== 0;
  const there = which === 0 || which === ALL_NODES;
  if (there && narrowed) return null;
  const avail_bytes = there ? machine.freeFrames * PAGE : 0;
  return tell(machine, asked, withFields(asked.bytes, sysctl.availheap, { avail_bytes }), 'sysctl/availheap');
};
const ALL_NODES = -1;

const CPUTOPO_BYTES = 12;

export const cputopoinfo: Rule = (machine, asked) => {
  const { num_cpus, cputopo } = sysctl.cputopoinfo.fields;
  const to = wordIn(asked.bytes, cputopo.at);
  const { pcpus } = machine.config;
  const wanted = isZero(to) ? 0 : Math.min(pcpus, fieldOf(asked.bytes, num_cpus));
  let m = machine;
  for (let cpu = 0; cpu < wanted; cpu++) {
    const row = Uint8Array.from([...bytesOfNumber(XEN_INVALID_CORE_ID, 4), ...bytesOfNumber(cpu, 4), ...bytesOfNumber(0, 4)]);
    const stored = copyToGuest(m, asked.caller, addInt(to, cpu * CPUTOPO_BYTES), row);
    m = stored.machine;
    if (!stored.ok) return fail(m, 'EFAULT', 'sysctl/cputopoinfo');
  }
  const told = isZero(to) ? pcpus : wanted;
  return tell(m, asked, withFields(asked.bytes, sysctl.cputopoinfo, { num_cpus: told }), 'sysctl/cputopoinfo');
};

/** One node: all memory up to the last frame, and what of it is free. */
export const numainfo: Rule = (machine, asked) => {
  const { num_nodes, meminfo, distance } = sysctl.numainfo.fields;
  const [memory, distances] = [wordIn(asked.bytes, meminfo.at), wordIn(asked.bytes, distance.at)];
  const query = isZero(memory) && isZero(distances);
  const told = query ? 1 : Math.min(1, fieldOf(asked.bytes, num_nodes));
  let m = machine;
  if (!query && told === 1) {
    const sizes = [...bytesOfNumber(machine.config.frames * PAGE, 8), ...bytesOfNumber(machine.freeFrames * PAGE, 8)];
    for (const [to, bytes] of [
      [memory, Uint8Array.from(sizes)],
      [distances, bytesOfNumber(NODE_SELF, 4)],
    ] as const satisfies readonly (readonly [Word, Uint8Array])[]) {
      if (isZero(to)) continue;
      const stored = copyToGuest(m, asked.caller, to, bytes);
      m = stored.machine;
      if (!stored.ok) return fail(m, 'EFAULT', 'sysctl/numainfo');
    }
  }
  return tell(m, asked, withFields(asked.bytes, sysctl.numainfo, { num_nodes: told }), 'sysctl/numainfo');
};

const PCI_DEVICE_BYTES = 4;

/** Xen knows no device before domain 0 adds one. */
export const pcitopoinfo: Rule = (machine, asked) => {
  const { num_devs, devs, nodes } = sysctl.pcitopoinfo.fields;
  const [from, to] = [wordIn(asked.bytes, devs.at), wordIn(asked.bytes, nodes.at)];
  if (isZero(from) || isZero(to)) return fail(machine, 'EINVAL', 'sysctl/pcitopoinfo');
  const count = fieldOf(asked.bytes, num_devs);
  let m = machine;
  for (let i = 0; i < count; i++) {
    const read = copyFromGuest(m, asked.caller, addInt(from, i * PCI_DEVICE_BYTES), PCI_DEVICE_BYTES);
    const stored = read.ok ? copyToGuest(read.machine, asked.caller, addInt(to, i * 4), bytesOfNumber(XEN_INVALID_DEV, 4)) : read;
    m = stored.machine;
    if (!stored.ok) return fail(m, 'EFAULT', 'sysctl/pcitopoinfo');
  }
  return tell(m, asked, asked.bytes, 'sysctl/pcitopoinfo');
};

/** Only that one number goes back. */
export const levellingCaps: Rule = (machine, { caller, at }) => {
  const { caps } = sysctl.cpu_levelling_caps.fields;
  const stored = copyToGuestUnchecked(machine, caller, addInt(at, caps.at), bytesOfNumber(LEVELLING_CAPS, 4));
  return stored.ok
    ? done(stored.machine, 'sysctl/get_cpu_levelling_caps')
    : fail(stored.machine, 'EFAULT', 'sysctl/get_cpu_levelling_caps');
};

export const psrAlloc: Rule = (machine, { bytes }) =>
  fail(machine, fieldOf(bytes, sysctl.psr_alloc.fields.question) < PSR_QUESTIONS ? 'ENODEV' : 'EOPNOTSUPP', 'sysctl/psr_alloc');
