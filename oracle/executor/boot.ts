/** Building the executor's machine out of a configuration and the domains' images. */
import type { MachineConfig } from '#spec/config.ts';
import { BadInput } from '#spec/failure.ts';
import { Cpu } from './cpu/cpu.ts';
import { buildDomain, planDomain } from './hypervisor/domain_builder/build.ts';
import { buildCompatM2p, buildM2p } from './hypervisor/domain_builder/m2p.ts';
import { Machine } from './hypervisor/machine.ts';
import { Pcpu } from './hypervisor/pcpu.ts';
import { Memory } from './memory.ts';

/** Images in the order of `config.domains`. Throws BadInput for an image or a configuration that cannot be used. */
export const bootMachine = (config: MachineConfig, images: readonly Uint8Array[]): Machine => {
  checkLayout(config, images);
  let nextDisk = config.domains.length;
  const plans = config.domains.map((domain, i) =>
    planDomain(domain, images[i]!, domain.initrd === undefined ? undefined : images[nextDisk++], config.frames),
  );
  const memory = new Memory(config.frames);
  const machine = new Machine(config, memory);
  buildM2p(machine);
  if (plans.some(({ elf }) => elf.is32)) {
    const { compat_m2p_first } = config.layout;
    if (compat_m2p_first === undefined) throw new BadInput('machine: a 32-bit kernel needs layout.compat_m2p_first');
    buildCompatM2p(machine, compat_m2p_first);
  }
  let first = config.layout.domheap_first;
  for (const plan of plans) {
    const cpus = Array.from({ length: plan.config.vcpus }, () => new Cpu(memory, config.cpu.cpuid));
    buildDomain(machine, plan, first, cpus);
    first += plan.config.pages;
  }
  machine.firstFree = first;
  for (let id = 0; id < config.pcpus; id++) machine.pcpus.push(new Pcpu(id));
  return machine;
};

/** The lowest megabyte belongs to devices, and the table of frames is mapped by 2 MiB. */
const M2P_ALIGNMENT = 512;
/** What Xen takes for itself from its heap, and for each domain. */
const OWN_HEAP_FRAMES = 2;
const DOMAIN_HEAP_FRAMES = 2;

const checkLayout = (config: MachineConfig, images: readonly Uint8Array[]): void => {
  const { domains, frames, layout } = config;
  const wrong = (what: string): never => {
    throw new BadInput(`machine: ${what}`);
  };
  const disks = domains.flatMap(({ initrd }) => initrd ?? []);
  if (images.length !== domains.length + disks.length)
    wrong(`${domains.length} domains and ${disks.length} initrds need as many images, not ${images.length}`);
  for (const [i, length] of disks.entries())
    if (images[domains.length + i]!.length !== length) wrong(`an initrd of ${length} bytes has ${images[domains.length + i]!.length}`);
  if (domains[0]!.domid !== 0) wrong('the first domain must be domain 0');
  for (let i = 1; i < domains.length; i++) if (domains[i]!.domid <= domains[i - 1]!.domid) wrong('domains must ascend by number');
  if (layout.m2p_first === 0 || layout.m2p_first % M2P_ALIGNMENT !== 0) wrong('the M2P must begin at a multiple of 512 frames, not at 0');
  if (layout.m2p_first + Math.ceil((frames * 8) / 4096) > layout.xenheap_first) wrong("the M2P overlaps Xen's heap");
  if (layout.xenheap_first + OWN_HEAP_FRAMES + DOMAIN_HEAP_FRAMES * domains.length > layout.xenheap_end) wrong("Xen's heap is too small");
  if (layout.xenheap_end > layout.domheap_first) wrong("Xen's heap overlaps the domains' memory");
  const pages = domains.reduce((sum, domain) => sum + domain.pages, 0);
  if (layout.domheap_first + pages > frames) wrong(`${pages} pages of domains do not fit into ${frames} frames of memory`);
};
