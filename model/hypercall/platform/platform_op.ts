/** HYPERVISOR_platform_op(op): domain 0 asks about the machine. Chapter: spec/chapters/host.md. */
import { suboperation } from '#spec/abi/hypercall.ts';
import { PLATFORM_OP_BYTES, platform, QUIRK, XENPF_INTERFACE_VERSION } from '#spec/abi/platform.ts';
import { HARDWARE_LEFT_OUT, TOOLS_ANSWERED } from '#spec/releases/control.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import type { Machine } from '../../machine.ts';
import { isControlDomain } from '../domids.ts';
import { fieldOf } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail, type Perform } from '../result.ts';
import { firmwareInfo } from './firmware_info.ts';
import { HARDWARE } from './hardware.ts';
import { cpuOffline, cpuOnline, getCpuinfo, getCpuVersion } from './processors.ts';
import type { Platform } from './rule.ts';
import { settime32, settime64 } from './settime.ts';

const quirks: readonly number[] = Object.values(QUIRK);

const platformQuirk: Platform = (machine, { bytes }) =>
  quirks.includes(fieldOf(bytes, platform.platform_quirk.fields.quirk_id))
    ? done(machine, 'platform/quirk')
    : fail(machine, 'EINVAL', 'platform/quirk');

const governedByXen: Platform = (machine) => fail(machine, 'ENOSYS', 'platform/frequency');

const startedByBios: Platform = (machine) => fail(machine, 'ENOSYS', 'platform/efi');

const RULES: Readonly<Record<string, Platform>> = {
  ...HARDWARE,
  settime32,
  settime64,
  platform_quirk: platformQuirk,
  get_cpu_version: getCpuVersion,
  efi_runtime_call: startedByBios,
  firmware_info: firmwareInfo,
  change_freq: governedByXen,
  getidletime: governedByXen,
  get_cpuinfo: getCpuinfo,
  cpu_online: cpuOnline,
  cpu_offline: cpuOffline,
};

/** Of the hardware, whether the release's answers are the reference's. */
const isKnown = ({ config: { release } }: Machine, name: string): boolean =>
  !(name in HARDWARE) || (TOOLS_ANSWERED[release] && !HARDWARE_LEFT_OUT[release].includes(`platform_op/${name}`));

export const platform_op: Perform = (machine, caller, [argument]) => {
  const read = copyFromGuest(machine, caller, argument, PLATFORM_OP_BYTES);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'platform/argument');
  const { machine: m, bytes } = read;
  const { cmd, interface_version } = platform.head.fields;
  if (fieldOf(bytes, interface_version) !== XENPF_INTERFACE_VERSION) return fail(m, 'EACCES', 'platform/interface_version');
  if (!isControlDomain(caller)) return fail(m, 'EPERM', 'platform/privilege');
  const name = suboperation('platform_op', fieldOf(bytes, cmd));
  if (name === undefined) return fail(m, 'ENOSYS', 'platform/command-unknown');
  const rule = isKnown(m, name) ? RULES[name] : undefined;
  return rule ? rule(m, { caller, argument, bytes }) : notModelled(m, caller, `platform_op/${name}`);
};
