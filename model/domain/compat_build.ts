/** The domain builder for 32-bit kernels. Chapter: spec/chapters/compat.md, "Building". */
import { FLAT_COMPAT, HYPERVISOR_COMPAT_VIRT_START } from '#spec/abi/compat.ts';
import { XEN_L4_SLOTS } from '#spec/abi/xen.ts';
import type { MachineConfig } from '#spec/config.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { NO_TABLES_PV32 } from '../cpu/x86/guest_tables.ts';
import { type CpuState, freshCpu, type Hidden, INITIAL_FLAGS, RSI, RSP } from '../cpu/x86/state.ts';
import { FRESH_FRAME, type Frame } from '../frame_table.ts';
import { cite } from '../journal.ts';
import { frame, setFrame } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { writePage } from '../memory/access.ts';
import type { Memory } from '../memory/memory.ts';
import { writeWord } from '../memory/memory.ts';
import type { Vcpu } from '../vcpu.ts';
import { fromBigInt, type Word, ZERO } from '../word/word.ts';
import type { DomainPlan } from './build.ts';
import { compatM2pEntries, emptyCompatM2p, lowestVirtStart, setCompatM2p } from './compat_m2p.ts';
import { compatTables, NODE } from './compat_page_tables.ts';
import { compatSharedInfoPage, compatStartInfoPage } from './compat_start_info.ts';
import { mapInitial, ownRun, takeHeap } from './frames.ts';
import { compatHypercallPage } from './hypercall_page.ts';
import { loadSegments } from './image.ts';
import { PAGE, roundUp, type VirtualLayout } from './layout.ts';
import { m2pSlot, setM2pRun } from './m2p.ts';
import type { KernelParams } from './notes.ts';

const SUPERPAGE = 1n << 21n;

/** compat/build-virt_start: where Xen's part of the addresses begins. */
export const compatVirtStart = ({ hvStartLow }: KernelParams, config: MachineConfig): number => {
  if (hvStartLow === null) return HYPERVISOR_COMPAT_VIRT_START;
  const wanted = Number(roundUp(hvStartLow, SUPERPAGE));
  if (wanted > HYPERVISOR_COMPAT_VIRT_START) throw new BadInput('image: the kernel expects Xen at too high an address (HV_START_LOW)');
  return Math.max(lowestVirtStart(config), wanted);
};

/** What the builder of the domain needs of a 32-bit one: where things are, and how its vCPUs begin. */
export type CompatBuilt = {
  readonly machine: Machine;
  readonly sharedInfo: number;
  readonly grantFrame: number;
  readonly virtStart: number;
  readonly vcpu: (vcpu: Vcpu) => Vcpu;
};

/** Put a 32-bit kernel onto the frames from `firstMfn` on. Throws BadInput, and NotModelled for an initial RAM disk. */
export const buildCompat = (machine: Machine, plan: DomainPlan, firstMfn: number): CompatBuilt => {
  const { config, segments, kernel, layout, initrd } = plan;
  if (initrd) throw new NotModelled('compat/build-initrd');
  const virtStart = compatVirtStart(kernel, machine.config);
  if (layout.end > BigInt(virtStart)) throw new BadInput('image: the kernel lies in addresses that are not for guests');
  const sharedInfo = takeHeap(machine, config.domid);
  const grantFrame = takeHeap(sharedInfo.machine, config.domid);
  const l4s = takeL4s(grantFrame.machine, config.vcpus);
  let m = ownRun(l4s.machine, config.domid, firstMfn, config.pages);

  const pages = loadSegments(segments, kernel, layout);
  if (kernel.hypercallPage !== null) pages.set(Number((kernel.hypercallPage - layout.start) / PAGE), compatHypercallPage());
  const startInfo = Number((layout.startInfo - layout.start) / PAGE);
  const p2m = Number((layout.p2m - layout.start) / PAGE);
  const list = p2mPages(firstMfn, config.pages);
  for (const [i, bytes] of list.entries()) pages.set(p2m + i, bytes);
  pages.set(
    startInfo,
    compatStartInfoPage({
      domain: config,
      kernel,
      layout,
      sharedInfo: sharedInfo.mfn,
      firstP2mPfn: layout.firstAllocation,
      p2mFrames: 0,
    }),
  );
  const first = !machine.domains.some(({ pv32 }) => pv32);
  const written = (page: number): boolean => pages.has(page);
  const { tables, l3, xenL2 } = compatTables(layout, firstMfn, written, virtStart, compatM2pEntries(m.config));

  let memory = m.memory;
  for (const [page, bytes] of pages) memory = writePage(memory, firstMfn + page, bytes);
  for (const [mfn, table] of tables) memory = writePage(memory, mfn, new Uint8Array(table.entries.buffer));
  for (const l4 of l4s.mfns) memory = writeWord(memory, l4, XEN_L4_SLOTS.m2p, m2pSlot(m.config));
  memory = writeWord(memory, l4s.mfns[0], 0, fromBigInt((BigInt(l3) << 12n) | NODE));
  memory = writePage(memory, sharedInfo.mfn, compatSharedInfoPage(m.config));
  if (first) memory = knownToCompat(emptyCompatM2p(memory, m.config), m);
  memory = setM2pRun(memory, m.config, firstMfn, config.pages);
  for (let pfn = 0; pfn < config.pages; pfn++) memory = setCompatM2p(memory, m.config, firstMfn + pfn, pfn);
  m = mapInitial({ ...m, memory }, firstMfn, Number((layout.end - layout.start) / PAGE), tables, null, 3);
  m = setFrame(m, xenL2, { ...frame(m, xenL2)!, paeXen: true });

  const vcpu = (fresh: Vcpu): Vcpu => ({
    ...fresh,
    tables: NO_TABLES_PV32,
    callbackCs: NO_SELECTORS,
    // compat/ring-mode: one that was not started is not in ring 1.
    mode: fresh.id === 0 ? 'kernel' : 'user',
    kernelTable: l4s.mfns[fresh.id],
    userTable: l4s.mfns[fresh.id],
    ...(fresh.id === 0 && started(l4s.mfns[0], kernel, layout)),
  });
  return { machine: cite(m, 'compat/build-tables'), sharedInfo: sharedInfo.mfn, grantFrame: grantFrame.mfn, virtStart, vcpu };
};

/** Domains that were built before are in the table too. */
const knownToCompat = (memory: Memory, { config, domains }: Machine): Memory =>
  domains.reduce((all, { firstMfn, pages }) => {
    let m = all;
    for (let pfn = 0; pfn < pages; pfn++) m = setCompatM2p(m, config, firstMfn + pfn, pfn);
    return m;
  }, memory);

/** compat/build-l4: one for each vCPU, of Xen's heap, and nobody's. */
const L4_FRAME: Frame = { ...FRESH_FRAME, owner: null, refs: 0, allocated: false, type: 'l4', typeRefs: 1, validated: true };

const takeL4s = (machine: Machine, count: number): { readonly machine: Machine; readonly mfns: readonly number[] } => {
  let m = machine;
  const mfns: number[] = [];
  for (let i = 0; i < count; i++) {
    const mfn = m.xenheapNext;
    if (mfn >= m.config.layout.xenheap_end) throw new BadInput('configuration: the Xen heap is too small');
    m = { ...setFrame(m, mfn, L4_FRAME), xenheapNext: mfn + 1 };
    mfns.push(mfn);
  }
  return { machine: m, mfns };
};

/** The list of the domain's frames, four bytes each. */
const p2mPages = (firstMfn: number, pages: number): readonly Uint8Array[] =>
  Array.from({ length: Math.ceil(pages / 1024) }, (_, page) => {
    const list = new Uint32Array(1024);
    for (let i = 0; i < 1024 && page * 1024 + i < pages; i++) list[i] = firstMfn + page * 1024 + i;
    return new Uint8Array(list.buffer);
  });

const NO_SELECTORS = { event: 0, failsafe: 0, syscall: 0, syscall32: 0, sysenter: 0 } as const;

const flat = (rights: number): Hidden => ({ base: ZERO, limit: 0xffffffff, rights, usable: true });
/** Ring 1's code and data. */
const KERNEL_CODE = flat(0xc0bb);
const KERNEL_DATA = flat(0xc0b3);

/** compat/build-registers: vCPU 0 at the kernel's entry. */
const started = (l4: number, kernel: KernelParams, layout: VirtualLayout): Partial<Vcpu> => {
  const { KERNEL_CS, KERNEL_DS, KERNEL_SS } = FLAT_COMPAT;
  const cpu = freshCpu(l4, fromBigInt(kernel.entry), [KERNEL_DS, KERNEL_CS, KERNEL_SS, KERNEL_DS, KERNEL_DS, KERNEL_DS]);
  const hidden = [KERNEL_DATA, KERNEL_CODE, KERNEL_DATA, KERNEL_DATA, KERNEL_DATA, KERNEL_DATA];
  const regs: Word[] = cpu.regs.slice();
  regs[RSI] = fromBigInt(layout.startInfo);
  regs[RSP] = fromBigInt(layout.stack + PAGE);
  const ready: CpuState = { ...cpu, regs, flags: INITIAL_FLAGS, segments: { ...cpu.segments, hidden } };
  return { cpu: ready, callbackCs: { ...NO_SELECTORS, event: KERNEL_CS, failsafe: KERNEL_CS } };
};
