/** Building a domain out of an ELF image: memory, start of day, registers of vCPU 0. */

import { FLAT, LEGACY_MAX_VCPUS, RUNSTATE, VMASST_TYPE, vcpu_info } from '#spec/abi/xen.ts';
import type { DomainConfig } from '#spec/config.ts';
import { BadInput } from '#spec/failure.ts';
import { CS, type GuestCpu, RSI, RSP, SS_REG } from '../../cpu/interface.ts';
import { Domain } from '../domain.ts';
import { PGF, PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { mapLdtPage } from '../mm/local_descriptor_table.ts';
import { isTscInvariant } from '../processor_signature.ts';
import { loadTsd } from '../trap/control_registers.ts';
import { VPF } from '../vcpu.ts';
import { beCompat, compatHypervisor, startCompat, startCompatTables } from './compat_domain.ts';
import { type ElfFile, parseElf } from './elf.ts';
import { hypercallPage } from './hypercall_page.ts';
import { type VirtualLayout, virtualLayout } from './layout.ts';
import { allocateXenheap, setM2p } from './m2p.ts';
import { type XenNotes, xenNotes } from './notes.ts';
import { buildPageTables, frameAt, mapP2m, markDirty } from './page_tables.ts';
import { startInfo } from './start_info.ts';

const PAGE = 4096;
/** CR4 as a PV guest reads it before it has chosen anything. */
export const INITIAL_CR4 = 0x660;
/** The 100 Hz tick that every PV vCPU starts with, ns. */
const INITIAL_PERIOD = 10_000_000;

/** What is known of a domain before any memory is touched. */
export type DomainPlan = {
  readonly config: DomainConfig;
  readonly elf: ElfFile;
  readonly notes: XenNotes;
  readonly layout: VirtualLayout;
  /** Where Xen begins for a 32-bit kernel; 0 for others. */
  readonly hypervisor: number;
  readonly initrd: Uint8Array | undefined;
};

/** Look at an image for a machine of so many frames. Throws BadInput for one that cannot be used. */
export const planDomain = (config: DomainConfig, image: Uint8Array, initrd?: Uint8Array, frames = 0): DomainPlan => {
  const elf = parseElf(image);
  const notes = xenNotes(elf, config.domid === 0);
  const hypervisor = elf.is32 ? compatHypervisor(notes, frames) : 0;
  return { config, elf, notes, hypervisor, layout: virtualLayout(elf, notes, config.pages, initrd?.length, BigInt(hypervisor)), initrd };
};

/** Build the domain whose memory starts at machine frame `first`. */
export const buildDomain = (machine: Machine, plan: DomainPlan, first: number, cpus: readonly GuestCpu[]): Domain => {
  const { config, elf, notes, layout } = plan;
  if (first + config.pages > machine.frames.count)
    throw new BadInput(`domain ${config.domid}: no room for ${config.pages} pages of memory`);

  const domain = new Domain(config.domid, config.pages, cpus, config.max_pages);
  if (elf.is32) beCompat(domain, plan.hypervisor);
  machine.addDomain(domain);
  domain.sharedInfoMfn = shareXenFrame(machine, domain);
  domain.grants.frames.push(shareXenFrame(machine, domain));
  giveMemory(machine, domain, first);
  if (notes.extendedCr3) domain.vmAssist |= 1 << VMASST_TYPE.pae_extended_cr3;

  const l4 = domain.compat ? startCompatTables(machine, domain, layout, first) : buildPageTables(machine, layout, first);
  const at = (address: bigint): number => first * PAGE + Number(address - layout.start);
  // Overlapping segments are loaded as long as they do not write the kernel's place more than twice over; then Xen stops, content.
  let copies = 2n * (layout.kernelEnd - layout.kernelStart);
  for (const { paddr, memsz, data } of elf.segments) {
    copies -= memsz;
    if (copies < 0n) break;
    const address = layout.kernelStart + paddr - elf.start;
    machine.memory.writeBytes(at(address), data);
    if (memsz > BigInt(data.length)) machine.memory.fill(at(address) + data.length, Number(memsz) - data.length, 0);
    if (memsz > 0n) markDirty(machine, l4, address, address + memsz);
  }
  if (layout.hypercallPage !== null) {
    machine.memory.writeBytes(at(layout.hypercallPage), hypercallPage(domain.compat));
    markDirty(machine, l4, layout.hypercallPage, layout.hypercallPage + BigInt(PAGE));
  }
  if (plan.initrd) machine.memory.writeBytes((first + layout.initrdPfn) * PAGE, plan.initrd);
  const p2mFrames = writeP2m(machine, layout, l4, first, config.pages, domain.info.word);
  machine.memory.writeBytes(at(layout.startInfo), startInfo(domain, config, notes, layout, p2mFrames));
  markDirty(machine, l4, layout.startInfo, layout.startInfo + BigInt(PAGE));
  initialiseSharedInfo(machine, domain);
  domain.emulatesTsc = mustEmulateTsc(machine, domain);
  startVcpu(machine, domain, layout, l4);
  return domain;
};

/** A frame of Xen's heap that belongs to the domain and that it may map writable. */
export const shareXenFrame = (machine: Machine, domain: Domain): number => {
  const mfn = allocateXenheap(machine, domain.domid);
  machine.frames.refs[mfn] = 1;
  machine.frames.type[mfn] = PGT.writable;
  machine.frames.typeRefs[mfn] = 1;
  machine.frames.flags[mfn] |= PGF.allocated | PGF.validated;
  return mfn;
};

const giveMemory = (machine: Machine, domain: Domain, first: number): void => {
  for (let pfn = 0; pfn < domain.pages; pfn++) {
    const mfn = first + pfn;
    machine.frames.owner[mfn] = domain.domid;
    machine.frames.refs[mfn] = 1;
    machine.frames.flags[mfn] |= PGF.allocated;
    setM2p(machine, mfn, pfn);
  }
};

/** Fill the table of machine frames, wherever it lies. Answers how many pages beyond the first allocation it took. */
const writeP2m = (machine: Machine, layout: VirtualLayout, l4: number, first: number, pages: number, word: 4 | 8): number => {
  const bytes = BigInt(pages * word);
  let taken = 0;
  if (layout.p2mInside) markDirty(machine, l4, layout.p2m, layout.p2m + bytes);
  else taken = mapP2m(machine, l4, layout.p2m, bytes, first, layout.firstAllocation, pages);
  let at = 0;
  for (let pfn = 0; pfn < pages; pfn++, at += word) {
    if (pfn === 0 || at % PAGE === 0) {
      const address = layout.p2m + BigInt(word * pfn);
      at = frameAt(machine, l4, address) * PAGE + Number(address & 0xfffn);
    }
    if (word === 8) machine.memory.writeHalves(at, first + pfn, 0);
    else machine.memory.write32(at, first + pfn);
  }
  return taken;
};

const initialiseSharedInfo = (machine: Machine, domain: Domain): void => {
  const base = domain.sharedInfoMfn * PAGE;
  const { memory, config } = machine;
  for (let i = 0; i < LEGACY_MAX_VCPUS; i++) memory.write8(base + vcpu_info.size * i + vcpu_info.fields.evtchn_upcall_mask.at, 1);
  const { wcVersion, wcSecHi } = domain.info;
  memory.write32(base + wcVersion, 2);
  memory.write32(base + wcVersion + 4, config.wallclock_sec % 0x1_0000_0000);
  memory.write32(base + wcSecHi, Math.floor(config.wallclock_sec / 0x1_0000_0000));
};

/** Leaf in whose EDX a bit says that the time-stamp counter goes on at one rate. */

/** Xen carries out RDTSC for domains other than domain 0 unless the machine's counter can be relied on. */
const mustEmulateTsc = (machine: Machine, domain: Domain): boolean => !domain.privileged && !isTscInvariant(machine);

const startVcpu = (machine: Machine, domain: Domain, layout: VirtualLayout, l4: number): void => {
  for (const vcpu of domain.vcpus) {
    vcpu.infoMfn = domain.sharedInfoMfn;
    vcpu.infoOffset = vcpu_info.size * vcpu.id;
    vcpu.periodicPeriod = INITIAL_PERIOD;
    vcpu.cr4 = INITIAL_CR4;
    loadTsd(vcpu);
    vcpu.cpu.xen.showTables(vcpu.id, false);
    vcpu.cpu.tables.mapLdtPage = (page) => mapLdtPage(machine, vcpu, page);
  }
  const boot = domain.vcpus[0];
  const { cpu } = boot;
  boot.initialised = true;
  boot.pauseFlags &= ~VPF.down;
  boot.runstate = RUNSTATE.runnable;
  boot.kernelTable = l4;
  cpu.root = l4;
  cpu.rip = layout.entry;
  cpu.rflags = 0x202n;
  cpu.setGpr(RSP, layout.stackEnd);
  cpu.setGpr(RSI, layout.startInfo);
  if (domain.compat) {
    startCompat(domain);
    return;
  }
  cpu.setSelector(CS, FLAT.RING3_CS64);
  cpu.setSelector(SS_REG, FLAT.RING3_SS64);
};
