/**
 * States of the event channels as values. For each port what it is, its pending bit and its mask bit; for each vCPU the selector bit and the
 * upcall flag. The ports that VIRQs are bound to are worked out from the channels, and held against them.
 */
import { setChannel } from '#model/hypercall/event_channel/ports.ts';
import { updateDomain, updateVcpu } from '#model/lens.ts';
import type { Machine } from '#model/machine.ts';
import { type Memory, pageOf, withPageOf } from '#model/memory/memory.ts';
import { type Leaf, Page, pageWithWord } from '#model/memory/page.ts';
import { itemAt } from '#model/numbered.ts';
import { Word } from '#model/word/word.ts';
import { shared_info } from '#spec/abi/xen.ts';
import { ModelBug } from '#spec/failure.ts';
import { constantBut } from '../constant.ts';
import type { Values } from '../slots.ts';
import { type ChannelScope, kindsOf, slotsOf, VIRQ_DOM_EXC, VIRQ_TIMER } from './scope.ts';

export const PENDING = shared_info.fields.evtchn_pending.at / 8;
export const MASK = shared_info.fields.evtchn_mask.at / 8;
/** Words of a vCPU's record: the upcall's flag is the lowest bit of the first, its selector the second. */
export const WORDS_OF_RECORD = 8;

export type ChannelCode = {
  readonly base: Machine;
  readonly encode: (machine: Machine, into: Values) => boolean;
  readonly decode: (values: Values) => Machine;
};

/** The values of `scope` on a machine that has its two domains. */
export const channelCode = (booted: Machine, scope: ChannelScope): ChannelCode => {
  const { domids, ports, vcpus } = scope;
  const kinds = kindsOf(scope);
  const slots = slotsOf(scope);
  const places = domids.map((domid) => booted.domains.findIndex((domain) => domain.domid === domid));
  const base = settledBase(booted, scope);
  const pages = places.map((d) => pageOf(base.memory, base.domains[d]!.sharedInfo));
  const shared = new Set(places.map((d) => base.domains[d]!.sharedInfo));
  const check = constantBut(base, { machine: ['memory'], domain: ['channels'], vcpu: ['virqPorts'] });

  /** False: beyond the scope. */
  const half = (machine: Machine, d: number, into: Values): boolean => {
    const domain = machine.domains[places[d]!]!;
    const page = pageOf(machine.memory, domain.sharedInfo);
    const pending = wordAt(page, PENDING).lo;
    const mask = wordAt(page, MASK).lo;
    for (let port = 1; port <= ports; port++) {
      const kind = kinds.placeOf(itemAt(domain.channels, port), false);
      if (kind < 0) return false;
      into[slots.kind(d, port)] = kind;
      into[slots.pending(d, port)] = (pending >> port) & 1;
      into[slots.mask(d, port)] = (mask >> port) & 1;
    }
    for (let v = 0; v < vcpus; v++) {
      into[slots.selector(d, v)] = wordAt(page, v * WORDS_OF_RECORD + 1).lo & 1;
      into[slots.upcall(d, v)] = wordAt(page, v * WORDS_OF_RECORD).lo & 1;
    }
    return true;
  };

  const checkPage = (machine: Machine, d: number): void => {
    const page = pageOf(machine.memory, machine.domains[places[d]!]!.sharedInfo);
    const old = pages[d]!;
    if (page === old) return;
    for (let l = 0; l < 16; l++) if (page.leaves[l] !== old.leaves[l]) checkLeaf(page.leaves[l]!, old.leaves[l]!, l * 32);
  };
  const mostBits = 2 ** (ports + 1) - 1;
  /** The bits of a word of the shared page that the number tells. */
  const told = (index: number): number => {
    if (index === PENDING || index === MASK) return mostBits - 1;
    return index < vcpus * WORDS_OF_RECORD && index % WORDS_OF_RECORD < 2 ? 1 : 0;
  };
  const checkLeaf = (leaf: Leaf, old: Leaf, first: number): void => {
    for (let i = 0; i < 32; i++) {
      const [word, before] = [leaf.words[i]!, old.words[i]!];
      if (word === before) continue;
      if (word.hi !== before.hi || ((word.lo ^ before.lo) & ~told(first + i)) !== 0)
        throw new ModelBug(`outside the scope, word ${first + i} of a shared page changed`);
    }
  };

  const checkMemory = (memory: Memory): void => {
    const was = base.memory;
    if (memory === was) return;
    // The shared pages are among the four written last, so that writing them moves no page to the tree.
    const isSame = (mfn: number, old: number, page: Page, before: Page): boolean => mfn === old && (page === before || shared.has(mfn));
    const same =
      memory.tree === was.tree &&
      isSame(memory.mfn0, was.mfn0, memory.page0, was.page0) &&
      isSame(memory.mfn1, was.mfn1, memory.page1, was.page1) &&
      isSame(memory.mfn2, was.mfn2, memory.page2, was.page2) &&
      isSame(memory.mfn3, was.mfn3, memory.page3, was.page3);
    if (!same) throw new ModelBug('outside the scope, memory changed');
  };

  /** True: a port beyond the scope has a channel. */
  const checkDomain = (machine: Machine, d: number): boolean => {
    const domain = machine.domains[places[d]!]!;
    if (domain.channels.length !== 1) throw new ModelBug('outside the scope, a block of ports came to life');
    const used = domain.channels[0]!.used;
    let counted = 0;
    for (let port = 1; port <= ports; port++) if (itemAt(domain.channels, port) !== null) counted++;
    if (counted !== used) return true;
    for (let v = 0; v < vcpus; v++) {
      const { virqPorts } = domain.vcpus[v]!;
      for (let virq = 0; virq < virqPorts.length; virq++) {
        const port = virqPorts[virq]!;
        if (port === 0) continue;
        const channel = itemAt(domain.channels, port);
        if (channel?.state !== 'virq' || channel.virq !== virq || (virq === VIRQ_TIMER ? channel.vcpu !== v : v !== 0))
          throw new ModelBug(`VIRQ ${virq} of vCPU ${v} is bound to port ${port}, which is not for it`);
      }
    }
    for (let port = 1; port <= ports; port++) {
      const channel = itemAt(domain.channels, port);
      if (channel?.state !== 'virq') continue;
      const vcpu = channel.virq === VIRQ_DOM_EXC ? 0 : channel.vcpu;
      if (domain.vcpus[vcpu]?.virqPorts[channel.virq] !== port)
        throw new ModelBug(`port ${port} is for VIRQ ${channel.virq}, which is not bound to it`);
    }
    return false;
  };

  const encode = (machine: Machine, into: Values): boolean => {
    check(machine);
    checkMemory(machine.memory);
    let isBeyond = false;
    for (let d = 0; d < 2; d++) isBeyond = checkDomain(machine, d) || isBeyond;
    if (isBeyond) return false;
    for (let d = 0; d < 2; d++) checkPage(machine, d);
    return half(machine, 0, into) && half(machine, 1, into);
  };

  const decode = (values: Values): Machine => {
    let machine: Machine = { ...base, journal: { events: null, clauses: [], work: null } };
    for (let d = 0; d < 2; d++) machine = decodeHalf(machine, domids[d]!, d, values);
    return machine;
  };
  const decodeHalf = (before: Machine, domid: number, d: number, values: Values): Machine => {
    let machine = before;
    let page = pages[d]!;
    for (let v = 0; v < vcpus; v++) {
      const first = v * WORDS_OF_RECORD;
      if (values[slots.selector(d, v)]) page = pageWithWord(page, first + 1, withBits(wordAt(page, first + 1), 1));
      if (values[slots.upcall(d, v)]) page = pageWithWord(page, first, withBits(wordAt(page, first), 1));
    }
    let [pending, mask] = [0, 0];
    for (let port = 1; port <= ports; port++) {
      if (values[slots.pending(d, port)]) pending |= 1 << port;
      if (values[slots.mask(d, port)]) mask |= 1 << port;
      const channel = kinds.channels[values[slots.kind(d, port)]!]!;
      if (channel === null) continue;
      machine = setChannel(machine, domid, port, channel);
      if (channel.state !== 'virq') continue;
      const at = { domid, vcpu: channel.virq === VIRQ_DOM_EXC ? 0 : channel.vcpu };
      const { virqPorts } = machine.domains[places[d]!]!.vcpus[at.vcpu]!;
      machine = updateVcpu(machine, at, { virqPorts: virqPorts.with(channel.virq, port) });
    }
    if (pending) page = pageWithWord(page, PENDING, new Word(wordAt(page, PENDING).hi, pending));
    if (mask) page = pageWithWord(page, MASK, new Word(wordAt(page, MASK).hi, mask));
    if (page === pages[d]) return machine;
    return { ...machine, memory: withPageOf(machine.memory, machine.domains[places[d]!]!.sharedInfo, page) };
  };
  return { base, encode, decode };
};

const wordAt = (page: Page, index: number): Word => page.leaves[index >> 5]!.words[index & 31]!;
const withBits = (word: Word, bits: number): Word => new Word(word.hi, word.lo | bits);

/** No channels, all bits clear, and the shared pages at hand. */
const settledBase = (booted: Machine, { domids, vcpus }: ChannelScope): Machine => {
  let machine = booted;
  for (const domid of domids) {
    machine = setChannel(setChannel(machine, domid, 1, { state: 'ipi', vcpu: 0 }), domid, 1, null);
    const { sharedInfo } = machine.domains.find((domain) => domain.domid === domid)!;
    const clear = new Word(0, 0);
    let page = pageOf(machine.memory, sharedInfo);
    for (const index of [PENDING, MASK]) page = pageWithWord(page, index, clear);
    for (let v = 0; v < vcpus; v++) {
      const word = wordAt(page, v * WORDS_OF_RECORD);
      page = pageWithWord(pageWithWord(page, v * WORDS_OF_RECORD, new Word(word.hi, word.lo & ~1)), v * WORDS_OF_RECORD + 1, clear);
    }
    machine = {
      ...updateDomain(machine, domid, { resettingPort: 0 }),
      memory: withPageOf(machine.memory, sharedInfo, new Page(page.leaves)),
    };
  }
  return { ...machine, journal: { events: null, clauses: [], work: null } };
};
