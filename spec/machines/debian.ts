/** The machines of spec/machines/debian_4_17.ts with another release of Xen: Debian's packages of bullseye and trixie, on the same QEMU. */
import type { DomainConfig, MachineConfig } from '../config.ts';
import type { XenRelease } from '../releases/release.ts';
import { debian_4_17 } from './debian_4_17.ts';

type Difference = { readonly xen: Partial<MachineConfig['xen']> };

/** What those packages say of themselves, measured. */
const DIFFERENCES: Readonly<Record<XenRelease, Difference>> = {
  '4.14': { xen: { minor: 14 } },
  '4.17': { xen: {} },
  '4.20': { xen: { minor: 20 } },
};

/** The default machine with Xen of a release. */
export const debian = (release: XenRelease, domains?: readonly DomainConfig[], lenient = false): MachineConfig => {
  const reference = debian_4_17(domains, lenient);
  const { xen } = DIFFERENCES[release];
  return { ...reference, release, xen: { ...reference.xen, ...xen } };
};
