/**
 * The domain builder: an image becomes a domain whose first vCPU is ready to run. Domain 0 as Xen builds it; another domain is
 * built alike, without dom0's privileges. Chapter: spec/chapters/start_of_day.md.
 */
import { FLAT, VMASST_TYPE, XEN_L4_SLOTS } from '#spec/abi/xen.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { DomainConfig } from '#spec/config.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { freshCpu, INITIAL_FLAGS, RSI, RSP } from '../cpu/x86/state.ts';
import { type Domain, EMPTY_GRANTS } from '../domain.ts';
import { cite } from '../journal.ts';
import type { Machine } from '../machine.ts';
import { writePage } from '../memory/access.ts';
import { writeWord } from '../memory/memory.ts';
import { NONE_NUMBERED } from '../numbered.ts';
import { emulatesTsc } from '../time/virtual_tsc.ts';
import { fromBigInt, type Word, ZERO } from '../word/word.ts';
import { buildCompat } from './compat_build.ts';
import { parseElf, type Segment } from './elf.ts';
import { mapInitial, ownRun, takeHeap } from './frames.ts';
import { freshVcpu } from './fresh_vcpu.ts';
import { hypercallPage } from './hypercall_page.ts';
import { loadSegments } from './image.ts';
import { PAGE, type VirtualLayout, virtualLayout } from './layout.ts';
import { m2pSlot, setM2pRun } from './m2p.ts';
import { type KernelParams, kernelParams } from './notes.ts';
import { initialTables, separateP2m } from './page_tables.ts';
import { sharedInfoPage, startInfoPage } from './start_info.ts';

/** What is known of a domain before it has memory. */
export type DomainPlan = {
  readonly config: DomainConfig;
  readonly segments: readonly Segment[];
  readonly kernel: KernelParams;
  readonly layout: VirtualLayout;
  /** The initial RAM disk's bytes. */
  readonly initrd: Uint8Array | null;
};

/** Look at an image. Throws BadInput for one that Xen would refuse, NotModelled for one that the slice cannot load. */
export const planDomain = (config: DomainConfig, image: Uint8Array, initrd: Uint8Array | null = null): DomainPlan => {
  const elf = parseElf(image);
  const kernel = kernelParams(elf, config.domid === 0);
  const layout = virtualLayout(kernel, config.pages, initrd?.length);
  if (kernel.hypercallPage !== null) checkHypercallPage(kernel.hypercallPage, layout);
  return { config, segments: elf.segments, kernel, layout, initrd };
};

/** Build a domain on the frames from `firstMfn` on. Throws BadInput when the machine or the domain is too small. */
export const buildDomain = (machine: Machine, plan: DomainPlan, firstMfn: number): Machine =>
  plan.kernel.bits === 32 ? buildNarrow(machine, plan, firstMfn) : buildWide(machine, plan, firstMfn);

const FIRST_VCPU = { initialised: true, online: true, runstate: { state: 'runnable', since: 0, times: [0, 0, 0, 0] } } as const;

/** What every 32-bit domain is built by. */
const COMPAT_CLAUSES: readonly ClauseId[] = [
  'compat/build-pae',
  'compat/build-virt_start',
  'compat/build-l4',
  'compat/build-start_info',
  'compat/build-shared_info',
  'compat/build-hypercall_page',
  'compat/build-registers',
  'compat/m2p-table',
  'compat/segments-xen',
  'compat/ports',
];

/** A domain with a 32-bit kernel. */
const buildNarrow = (machine: Machine, plan: DomainPlan, firstMfn: number): Machine => {
  const { config, kernel } = plan;
  const { machine: m, sharedInfo, grantFrame, virtStart, vcpu } = buildCompat(machine, plan, firstMfn);
  const tscEmulated = emulatesTsc(m.config, config.domid);
  const domain = freshDomain({ config, firstMfn, sharedInfo, grantFrame, kernel, tscEmulated });
  const vcpus = domain.vcpus.map((fresh) => ({ ...vcpu(fresh), ...(fresh.id === 0 && FIRST_VCPU) }));
  const built = { ...m, domains: [...m.domains, { ...domain, pv32: { virtStart }, vcpus }] };
  return COMPAT_CLAUSES.reduce(cite, tscEmulated ? cite(built, 'time/emulated_tsc') : built);
};

const buildWide = (machine: Machine, { config, segments, kernel, layout, initrd }: DomainPlan, firstMfn: number): Machine => {
  const sharedInfo = takeHeap(machine, config.domid);
  const grantFrame = takeHeap(sharedInfo.machine, config.domid);
  let m = ownRun(grantFrame.machine, config.domid, firstMfn, config.pages);

  const pages = loadSegments(segments, kernel, layout);
  if (kernel.hypercallPage !== null) pages.set(Number((kernel.hypercallPage - layout.start) / PAGE), hypercallPage());
  const p2mPages = Math.ceil((config.pages * 8) / 4096);
  const p2mStart = kernel.initP2m === null ? Number((layout.p2m - layout.start) / PAGE) : null;
  const startInfoNumber = Number((layout.startInfo - layout.start) / PAGE);
  const written = (page: number): boolean =>
    pages.has(page) || page === startInfoNumber || (p2mStart !== null && page >= p2mStart && page < p2mStart + p2mPages);

  const tables = initialTables(layout, firstMfn, written);
  const l4 = firstMfn + Number((layout.pageTables - layout.start) / PAGE);
  const separate = p2mStart === null ? separateP2m(tables, l4, layout, config.pages, firstMfn) : null;

  let memory = m.memory;
  for (const [page, bytes] of pages) memory = writePage(memory, firstMfn + page, bytes);
  if (initrd && layout.initrd)
    for (const [i, bytes] of wholePages(initrd)) memory = writePage(memory, firstMfn + layout.initrd.page + i, bytes);
  for (let i = 0; i < p2mPages; i++)
    memory = writePage(memory, separate ? separate.mfnOf(i) : firstMfn + p2mStart! + i, p2mPage(firstMfn, i, config.pages));
  memory = writePage(
    memory,
    firstMfn + startInfoNumber,
    startInfoPage({
      domain: config,
      kernel,
      layout,
      sharedInfo: sharedInfo.mfn,
      firstP2mPfn: layout.firstAllocation,
      p2mFrames: separate?.count ?? 0,
    }),
  );
  for (const [mfn, table] of [...tables, ...(separate?.tables ?? [])])
    memory = writePage(memory, mfn, new Uint8Array(table.entries.buffer));
  memory = writeWord(memory, l4, XEN_L4_SLOTS.m2p, m2pSlot(m.config));
  memory = writePage(memory, sharedInfo.mfn, sharedInfoPage(m.config));
  memory = setM2pRun(memory, m.config, firstMfn, config.pages);
  m = mapInitial({ ...m, memory }, firstMfn, Number((layout.end - layout.start) / PAGE), tables, separate);

  const tscEmulated = emulatesTsc(m.config, config.domid);
  const domain = freshDomain({ config, firstMfn, sharedInfo: sharedInfo.mfn, grantFrame: grantFrame.mfn, kernel, tscEmulated });
  const vcpu = {
    ...domain.vcpus[0],
    cpu: bootCpu(l4, kernel, layout),
    ...FIRST_VCPU,
    kernelTable: l4,
  } as const;
  m = { ...m, domains: [...m.domains, { ...domain, vcpus: [vcpu, ...domain.vcpus.slice(1)] }] };
  if (tscEmulated) m = cite(m, 'time/emulated_tsc');
  if (initrd) m = cite(m, 'domain/build-initrd');
  return cite(cite(m, 'domain/build-layout'), config.domid === 0 ? 'domain/build-dom0' : 'domain/build-domu');
};

/** Xen writes the hypercall page through the initial mapping, in which page tables are read-only. */
const checkHypercallPage = (va: bigint, layout: VirtualLayout): void => {
  if (va < layout.start || va >= layout.end) throw new BadInput('image: the hypercall page lies outside the initial mapping');
  if (va % PAGE !== 0n) throw new NotModelled('domain_builder/unaligned_hypercall_page');
  const page = va - layout.pageTables;
  if (page >= 0n && page < BigInt(layout.pageTableFrames) * PAGE)
    throw new BadInput('image: the hypercall page lies among the page tables');
};

/** Bytes as numbered pages, the last one filled up with zeros. */
const wholePages = (bytes: Uint8Array): readonly (readonly [number, Uint8Array])[] =>
  Array.from({ length: Math.ceil(bytes.length / 4096) }, (_, i) => {
    const page = new Uint8Array(4096);
    page.set(bytes.subarray(i * 4096, (i + 1) * 4096));
    return [i, page] as const;
  });

const p2mPage = (firstMfn: number, page: number, pages: number): Uint8Array => {
  const list = new BigUint64Array(512);
  for (let i = 0; i < 512 && page * 512 + i < pages; i++) list[i] = BigInt(firstMfn + page * 512 + i);
  return new Uint8Array(list.buffer);
};

/** domain/build-registers: everything zero but the entry point, the stack and RSI. */
const bootCpu = (l4: number, kernel: KernelParams, layout: VirtualLayout) => {
  const cpu = freshCpu(l4, fromBigInt(kernel.entry), [0, FLAT.RING3_CS64, FLAT.RING3_SS64, 0, 0, 0]);
  const regs: Word[] = new Array(16).fill(ZERO);
  regs[RSI] = fromBigInt(layout.startInfo);
  regs[RSP] = fromBigInt(layout.stack + PAGE);
  return { ...cpu, regs, flags: INITIAL_FLAGS };
};

const NO_LIMIT = 0xffffffff;
const NO_WATCHDOG = { inUse: false, deadline: null } as const;

type Fresh = {
  readonly config: DomainConfig;
  readonly firstMfn: number;
  readonly sharedInfo: number;
  readonly grantFrame: number;
  readonly kernel: KernelParams;
  readonly tscEmulated: boolean;
};

const freshDomain = ({ config, firstMfn, sharedInfo, grantFrame, kernel, tscEmulated }: Fresh): Domain => ({
  domid: config.domid,
  firstMfn,
  pages: config.pages,
  maxPages: config.max_pages ?? (config.domid === 0 ? NO_LIMIT : config.pages),
  claimed: 0,
  memoryMap: null,
  sharedInfo,
  shutdown: null,
  shutdownCode: null,
  vmAssist: kernel.pae === 'yes' ? 1n << BigInt(VMASST_TYPE.pae_extended_cr3) : 0n,
  vcpus: Array.from({ length: config.vcpus }, (_, id) => freshVcpu(config.domid, id, sharedInfo, tscEmulated)),
  channels: NONE_NUMBERED,
  validPorts: 0,
  grants: { ...EMPTY_GRANTS, frames: [grantFrame] },
  watchdogs: [NO_WATCHDOG, NO_WATCHDOG],
  consoleBytes: 0,
});
