/** platform_op about the machine's processors: what they are, and taking them on line and off. */
import { platform, XEN_PCPU_FLAGS } from '#spec/abi/platform.ts';
import type { MachineConfig } from '#spec/config.ts';
import { signatureOf } from '../../cpu/x86/signature.ts';
import type { Machine } from '../../machine.ts';
import { fieldOf, withFields } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail } from '../result.ts';
import { type Platform, tell } from './rule.ts';

const isThere = ({ config }: Machine, cpu: number): boolean => cpu < config.pcpus;

export const getCpuinfo: Platform = (machine, asked) => {
  const { get_cpuinfo } = platform;
  const cpu = fieldOf(asked.bytes, get_cpuinfo.fields.xen_cpuid);
  const there = isThere(machine, cpu);
  const found = there ? { apic_id: cpu, acpi_id: cpu, flags: XEN_PCPU_FLAGS.ONLINE } : { flags: XEN_PCPU_FLAGS.INVALID };
  const after = withFields(asked.bytes, get_cpuinfo, { ...found, max_present: machine.config.pcpus - 1 });
  const { at } = get_cpuinfo.fields.xen_cpuid;
  return tell(machine, asked, after, at, get_cpuinfo.size, there ? 'platform/cpuinfo' : 'platform/cpuinfo-absent');
};

const LEAF_VENDOR = 0;
const LEAF_SIGNATURE = 1;
const leafOf = ({ cpu }: MachineConfig, leaf: number) => cpu.cpuid.find((row) => row.leaf === leaf) ?? { eax: 0, ebx: 0, ecx: 0, edx: 0 };

export const getCpuVersion: Platform = (machine, asked) => {
  const { get_cpu_version } = platform;
  const { fields } = get_cpu_version;
  const there = isThere(machine, fieldOf(asked.bytes, fields.xen_cpuid));
  const { config } = machine;
  const { ebx, edx, ecx } = leafOf(config, LEAF_VENDOR);
  const nobody = { vendor_id: 0, vendor_id_middle: 0, vendor_id_end: 0, family: 0, model: 0, stepping: 0 };
  const found = there
    ? {
        vendor_id: ebx >>> 0,
        vendor_id_middle: edx >>> 0,
        vendor_id_end: ecx >>> 0,
        ...signatureOf(leafOf(config, LEAF_SIGNATURE).eax),
      }
    : nobody;
  const after = withFields(asked.bytes, get_cpu_version, { ...found, max_present: config.pcpus - 1 });
  return tell(machine, asked, after, fields.xen_cpuid.at, get_cpu_version.size, 'platform/cpu_version');
};

export const cpuOnline: Platform = (machine, { bytes }) =>
  isThere(machine, fieldOf(bytes, platform.cpu_online.fields.cpuid))
    ? done(machine, 'platform/cpu_online')
    : fail(machine, 'EINVAL', 'platform/cpu_online');

export const cpuOffline: Platform = (machine, { bytes, caller }) => {
  const cpu = fieldOf(bytes, platform.cpu_online.fields.cpuid);
  if (cpu === 0) return fail(machine, 'EOPNOTSUPP', 'platform/cpu_offline-boot');
  if (!isThere(machine, cpu)) return fail(machine, 'EINVAL', 'platform/cpu_offline-absent');
  return notModelled(machine, caller, 'platform_op/cpu_offline');
};
