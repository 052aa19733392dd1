/** The machine at power-on: Xen has started, every domain is built, nothing has run. */

import type { MachineConfig } from '#spec/config.ts';
import { BadInput } from '#spec/failure.ts';
import { emptyFrameTable } from '../frame_table.ts';
import { EMPTY_JOURNAL } from '../journal.ts';
import type { Machine } from '../machine.ts';
import { freshTlb } from '../tlb.ts';
import { buildDomain, planDomain } from './build.ts';
import { emptyM2p } from './m2p.ts';

/** Frames at the start of Xen's heap that hold the page tables of the M2P. */
const M2P_TABLES = 2;

/** Build the machine with one image for each configured domain. Throws BadInput. */
export const bootMachine = (config: MachineConfig, images: readonly Uint8Array[]): Machine => {
  checkLayout(config, images.length);
  const disks = images.slice(config.domains.length);
  const withDisk = config.domains.filter(({ initrd }) => initrd !== undefined);
  const plans = config.domains.map((domain, i) => planDomain(domain, images[i], disks[withDisk.indexOf(domain)] ?? null));
  for (const { config: domain, initrd } of plans)
    if (initrd && initrd.length !== domain.initrd)
      throw new BadInput(`configuration: an initrd of ${domain.initrd} bytes has ${initrd.length}`);
  const empty: Machine = {
    config,
    now: 0,
    retired: 0,
    retiredAtTime: 0,
    halted: null,
    cpus: Array.from({ length: config.pcpus }, () => ({ current: null })),
    domains: [],
    memory: emptyM2p(config),
    frames: emptyFrameTable(config.frames),
    tlb: freshTlb(config.pcpus),
    xenheapNext: config.layout.xenheap_first + M2P_TABLES,
    timeRefreshed: 0,
    consoleInput: '',
    translation: null,
    reschedule: false,
    questions: 0,
    forced: [],
    freeFrames: config.frames - config.layout.domheap_first,
    freeFrom: config.layout.domheap_first,
    journal: EMPTY_JOURNAL,
  };
  let firstMfn = config.layout.domheap_first;
  return plans.reduce((machine, plan) => {
    const built = buildDomain(machine, plan, firstMfn);
    firstMfn += plan.config.pages;
    return { ...built, freeFrom: firstMfn, freeFrames: config.frames - firstMfn };
  }, empty);
};

const checkLayout = ({ layout, frames, domains }: MachineConfig, images: number): void => {
  const bad = (what: string): never => {
    throw new BadInput(`configuration: ${what}`);
  };
  const disks = domains.filter(({ initrd }) => initrd !== undefined).length;
  if (images !== domains.length + disks) bad(`${domains.length} domains and ${disks} initrds, but ${images} images`);
  if (domains[0].domid !== 0) bad('domain 0 must come first');
  if (domains.some(({ domid }, i) => i > 0 && domid <= domains[i - 1].domid)) bad('domains must be in ascending order of domid');
  const m2pEnd = layout.m2p_first + Math.ceil(frames / 512);
  if (layout.m2p_first < 512 || layout.m2p_first % 512 !== 0) bad('m2p_first must be a multiple of 512, and not 0');
  if (m2pEnd > layout.xenheap_first || layout.xenheap_first + M2P_TABLES > layout.xenheap_end || layout.xenheap_end > layout.domheap_first)
    bad('M2P, Xen heap and domain memory must follow each other without overlap');
  const pages = domains.reduce((sum, domain) => sum + domain.pages, 0);
  if (layout.domheap_first + pages > frames) bad('the domains need more memory than the machine has');
};
