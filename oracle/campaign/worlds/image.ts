/** A pair of worlds as two machines. */

import { evtchn } from '#spec/abi/event_channel.ts';
import { gnttab } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { start_info } from '#spec/abi/xen.ts';
import type { MachineConfig } from '#spec/config.ts';
import { debian } from '#spec/machines/debian.ts';
import { dom0, domU } from '#spec/machines/debian_4_17.ts';
import { REFERENCE_RELEASE } from '#spec/releases/release.ts';
import type { Subject } from '../../compare/lockstep.ts';
import { writeElf } from '../../image/elf.ts';
import { type Act, codeOf, type Store, storing, struct } from './act.ts';
import { firstEntries } from './acts_channels.ts';
import { type Code, call, enter, mov } from './code.ts';
import {
  BASE,
  CODE_PAGES,
  DOMAIN_PAGES,
  FREE_FRAMES,
  firstFrame,
  HEAP_END,
  HEAP_FIRST,
  LIST,
  M2P_FIRST,
  PAGE,
  PAGES,
  VA,
  vaOf,
} from './layout.ts';
import type { Pair } from './pair.ts';
import { DOMID_SELF, Scene } from './scene.ts';

const HANDLER = (CODE_PAGES - 1) * PAGE;
const PTE_FLAGS = 0x67;
const UVMF_INVLPG = 2;
const le = (value: number): Code => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255];

/** Clears what says that events wait, and goes back. Pushed by Xen: RCX, R11, RIP, CS, flags, RSP, SS; popped by iret: RAX, R11, RCX, flags, … */
const handler: Code = [
  ...[0x59, 0x41, 0x5b, 0x6a, 0x00, 0x51, 0x41, 0x53, 0x50],
  ...[0xc6, 0x04, 0x25, ...le(VA.shared_info), 0],
  ...[0x48, 0xc7, 0x04, 0x25, ...le(VA.shared_info + 8), 0, 0, 0, 0],
  ...enter('iret'),
];

/** A store of eight bytes that faults is skipped: behind what events push there is the error code, then RIP. */
const SKIP = 0x100;
const skip: Code = [
  ...[0x59, 0x41, 0x5b, 0x48, 0x83, 0xc4, 8],
  ...[0x48, 0x83, 0x04, 0x24, 8],
  ...[0x6a, 0x00, 0x51, 0x41, 0x53, 0x50],
  ...enter('iret'),
];
const PAGE_FAULT = 14;
const KERNEL_CS = 0xe033;
const traps: readonly Store[] = [
  [VA.data, PAGE_FAULT | (KERNEL_CS * 0x10000)],
  [VA.data + 8, VA.code + HANDLER + SKIP],
  [VA.data + 16, 0],
  [VA.data + 24, 0],
];

/** RAX is a frame's address: it gets a place in the domain's address space. */
const mapRax = (address: number): Code => [
  ...[0x48, 0x83, 0xc8, PTE_FLAGS],
  ...[0x48, 0x89, 0xc6],
  ...mov('rdi', address),
  ...mov('rdx', UVMF_INVLPG),
  ...enter('update_va_mapping'),
];

/** Shared info and grant table are mapped, handlers are set, grants and ports are there. RSI leads to start info at first. */
const start = (scene: Scene): Code => {
  const setup = struct(gnttab.setup_table, { dom: DOMID_SELF, nr_frames: 1, frame_list: LIST });
  const ports = [0, 1].flatMap(() => [
    ...storing(struct(evtchn.alloc_unbound, { dom: DOMID_SELF, remote_dom: scene.domid(scene.other()) })),
    ...call('event_channel_op', SUBOPERATIONS.event_channel_op.alloc_unbound, VA.data),
  ]);
  return [
    ...[0x48, 0x8b, 0x46, start_info.fields.shared_info.at],
    ...mapRax(VA.shared_info),
    ...call('set_callbacks', VA.code + HANDLER, VA.code + HANDLER, 0),
    ...storing(traps),
    ...call('set_trap_table', VA.data),
    ...call('vcpu_op', SUBOPERATIONS.vcpu_op.stop_periodic_timer, 0, 0),
    ...storing(setup),
    ...call('grant_table_op', SUBOPERATIONS.grant_table_op.setup_table, VA.data, 1),
    ...[0x48, 0x8b, 0x04, 0x25, ...le(LIST), 0x48, 0xc1, 0xe0, 12],
    ...mapRax(VA.grants),
    ...storing(firstEntries(scene)),
    ...ports,
  ];
};

/** Waits for good: whenever an event wakes it up, it waits again. */
const rest = (): Code => {
  const wait = call('sched_op', SUBOPERATIONS.sched_op.block, 0);
  return [...wait, 0xeb, 256 - wait.length - 2];
};

/** Addresses of a guest's, so that a call may take them for arguments; then any bytes. */
const ADDRESSES = 8;
const secretPage = (random: () => number): Uint8Array => {
  const page = new DataView(new ArrayBuffer(PAGE));
  for (let at = 0; at < PAGE; at += 4) page.setUint32(at, random(), true);
  for (let i = 0; i < ADDRESSES; i++) page.setUint32(8 * i + 4, random() & 0x3fff, true);
  return new Uint8Array(page.buffer);
};

/** `secret`: seeds what the domain keeps to itself. */
const imageOf = (scene: Scene, acts: readonly Act[], secret: number): Uint8Array => {
  const code = [...start(scene), ...acts.flatMap(codeOf), ...rest()];
  if (code.length > HANDLER) throw new RangeError(`${code.length} bytes of code do not fit`);
  const text = new Uint8Array(CODE_PAGES * PAGE);
  text.set(code);
  text.set(handler, HANDLER);
  text.set(skip, HANDLER + SKIP);
  let state = secret | 1;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state ^ (state >>> 15)) >>> 0;
  };
  const bytes = new Uint8Array(PAGE * (PAGES.secret + 1));
  bytes.set(text);
  bytes.set(secretPage(random), PAGE * PAGES.secret);
  return writeElf({
    segments: [{ address: BASE, bytes, size: PAGE * PAGES.end }],
    entry: BASE,
    virtBase: BASE,
    hypercallPage: vaOf(PAGES.hypercall),
  });
};

export const configOf = ({ domids, seed }: Pair, world: 0 | 1): MachineConfig => {
  const [control, ...others] = domids[world]!;
  const pages = { pages: DOMAIN_PAGES, max_pages: 2 * DOMAIN_PAGES };
  const config = debian(REFERENCE_RELEASE, [
    { ...dom0(), ...pages, domid: control! },
    ...others.map((domid) => ({ ...domU(domid), ...pages })),
  ]);
  return {
    ...config,
    frames: firstFrame(domids[world]!.length) + FREE_FRAMES,
    pcpus: 1 + ((seed >> 3) & 1),
    layout: { m2p_first: M2P_FIRST, xenheap_first: HEAP_FIRST, xenheap_end: HEAP_END, domheap_first: HEAP_END },
    lenient: true,
  };
};

/** World 0 or 1 of the pair. Only the secrets of the domain that looks on are the same in both. */
export const worldOf = (pair: Pair, world: 0 | 1): Subject => {
  const { seed, observer, domids, acts, variation } = pair;
  const stranger = variation === 'secrets' ? null : domids[0].length - observer;
  const images = acts.map((both, place) => {
    const scene = new Scene(seed ^ 0x55aa, place, observer, domids[world]!, stranger);
    const secret = 8 * seed + 2 * place + (place === observer ? 0 : world);
    return imageOf(
      scene,
      both.map((act) => act[world]!),
      Math.imul(secret + 1, 0x9e3779b1),
    );
  });
  return { config: configOf(pair, world), images };
};
