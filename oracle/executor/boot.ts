/** Building the executor's machine out of a configuration and the domains' images. */
import type { MachineConfig } from '#spec/config.ts';
import { BadInput } from '#spec/failure.ts';
import { Cpu } from './cpu/cpu.ts';
import { buildDomain, planDomain } from './hypervisor/domain_builder/build.ts';
import { buildM2p } from './hypervisor/domain_builder/m2p.ts';
import { Machine } from './hypervisor/machine.ts';
import { Pcpu } from './hypervisor/pcpu.ts';
import { Memory } from './memory.ts';

/** Images in the order of `config.domains`. Throws BadInput for an image or a configuration that cannot be used. */
export const bootMachine = (config: MachineConfig, images: readonly Uint8Array[]): Machine => {
  checkLayout(config, images);
  const plans = config.domains.map((domain, i) => planDomain(domain, images[i]!));
  const memory = new Memory(config.frames);
  const machine = new Machine(config, memory);
  buildM2p(machine);
  let first = config.layout.domheap_first;
  for (const plan of plans) {
    const cpus = Array.from({ length: plan.config.vcpus }, () => new Cpu(memory, config.cpu.cpuid));
    buildDomain(machine, plan, first, cpus);
    first += plan.config.pages;
  }
  for (let id = 0; id < config.pcpus; id++) machine.pcpus.push(new Pcpu(id));
  return machine;
};

const checkLayout = (config: MachineConfig, images: readonly Uint8Array[]): void => {
  if (images.length !== config.domains.length)
    throw new BadInput(`${config.domains.length} domains need as many images, not ${images.length}`);
  if (config.domains[0]?.domid !== 0) throw new BadInput('the first domain must be domain 0');
  if (new Set(config.domains.map(({ domid }) => domid)).size !== config.domains.length)
    throw new BadInput('two domains have the same number');
  const pages = config.domains.reduce((sum, domain) => sum + domain.pages, 0);
  if (config.layout.domheap_first + pages > config.frames)
    throw new BadInput(`${pages} pages of domains do not fit into ${config.frames} frames of memory`);
};
