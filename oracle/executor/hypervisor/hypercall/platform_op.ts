/** platform_op: one structure holds command, interface version, and arguments that are also results. */
import { ERRNO } from '#spec/abi/errno.ts';
import { SUBOPERATIONS, suboperation } from '#spec/abi/hypercall.ts';
import { PLATFORM_OP_BYTES, platform, QUIRK, XEN_FW, XEN_PCPU_FLAGS, XENPF_INTERFACE_VERSION } from '#spec/abi/platform.ts';
import { copyFromGuest, copyToGuest, SCRATCH, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { cpuidRow, processorSignature } from '../processor_signature.ts';
import { TWO32 } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { setWallclock } from '../wallclock.ts';
import { aboutHardware } from './platform_hardware.ts';

const OP = SUBOPERATIONS.platform_op;
const u32 = (at: number): number => scratch.getUint32(at, true);
const put = (at: number, value: number): void => scratch.setUint32(at, value, true);

/** Copy back the scratch bytes from `from` to `to`. */
const reply = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, from: number, to: number): number => {
  const low = (lo >>> 0) + from;
  const ok = copyToGuest(machine, vcpu, low | 0, low >= TWO32 ? (hi + 1) | 0 : hi, to - from, SCRATCH.subarray(from));
  return ok ? 0 : -ERRNO.EFAULT;
};

export const platform_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const lo = args[0];
  const hi = args[1];
  if (!copyFromGuest(machine, vcpu, lo, hi, PLATFORM_OP_BYTES)) return -ERRNO.EFAULT;
  const cmd = u32(platform.head.fields.cmd.at);
  if (u32(platform.head.fields.interface_version.at) !== XENPF_INTERFACE_VERSION) return -ERRNO.EACCES;
  if (!vcpu.domain.privileged) return -ERRNO.EPERM;
  switch (cmd) {
    case OP.settime32:
    case OP.settime64:
      return setTime(machine, cmd === OP.settime64);
    case OP.platform_quirk: {
      const quirk = u32(platform.platform_quirk.fields.quirk_id.at);
      return quirk >= QUIRK.NOIRQBALANCING && quirk <= QUIRK.IOAPIC_GOOD_REGSEL ? 0 : -ERRNO.EINVAL;
    }
    case OP.firmware_info:
      return firmwareInfo(machine, vcpu, lo, hi);
    case OP.efi_runtime_call:
    // A BIOS started the machine.
    case OP.change_freq:
    case OP.getidletime:
      return -ERRNO.ENOSYS;
    case OP.get_cpuinfo:
      return cpuInfo(machine, vcpu, lo, hi);
    case OP.get_cpu_version:
      return cpuVersion(machine, vcpu, lo, hi);
    case OP.cpu_online:
      return u32(platform.cpu_online.fields.cpuid.at) < machine.config.pcpus ? 0 : -ERRNO.EINVAL;
    case OP.cpu_offline: {
      const cpu = u32(platform.cpu_online.fields.cpuid.at);
      if (cpu === 0) return -ERRNO.EOPNOTSUPP;
      if (cpu >= machine.config.pcpus) return -ERRNO.EINVAL;
    }
  }
  const answer = aboutHardware(machine, vcpu, cmd, lo, hi);
  if (answer !== null) return answer;
  const name = suboperation('platform_op', cmd);
  if (name !== undefined) machine.notModelled(vcpu, `platform_op/${name}`);
  return -ERRNO.ENOSYS;
};

const setTime = (machine: Machine, isWide: boolean): number => {
  const { fields } = isWide ? platform.settime64 : platform.settime32;
  if (isWide && u32(platform.settime64.fields.mbz.at) !== 0) return -ERRNO.EINVAL;
  const secs = isWide ? scratch.getBigUint64(fields.secs.at, true) : BigInt(u32(fields.secs.at));
  setWallclock(machine, secs * 1_000_000_000n + BigInt(u32(fields.nsecs.at)) - scratch.getBigUint64(fields.system_time.at, true));
  return 0;
};

/** Firmware told Xen nothing but the state of the keyboard's shift keys. */
const firmwareInfo = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const { type, index, kbd_shift_flags } = platform.firmware_info.fields;
  switch (u32(type.at)) {
    case XEN_FW.DISK_INFO:
    case XEN_FW.DISK_MBR_SIGNATURE:
    case XEN_FW.VBEDDC_INFO:
      return -ERRNO.ESRCH;
    case XEN_FW.EFI_INFO:
      return -ERRNO.ENOSYS;
    case XEN_FW.KBD_SHIFT_FLAGS:
      if (u32(index.at) !== 0) return -ERRNO.ESRCH;
      SCRATCH[kbd_shift_flags.at] = 0;
      return reply(machine, vcpu, lo, hi, kbd_shift_flags.at, kbd_shift_flags.at + 1);
  }
  return -ERRNO.EINVAL;
};

const cpuInfo = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const { fields, size } = platform.get_cpuinfo;
  const { pcpus } = machine.config;
  const cpu = u32(fields.xen_cpuid.at);
  if (cpu >= pcpus) put(fields.flags.at, XEN_PCPU_FLAGS.INVALID);
  else {
    put(fields.apic_id.at, cpu);
    put(fields.acpi_id.at, cpu);
    put(fields.flags.at, XEN_PCPU_FLAGS.ONLINE);
  }
  put(fields.max_present.at, pcpus - 1);
  return reply(machine, vcpu, lo, hi, fields.xen_cpuid.at, size);
};

const cpuVersion = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const { fields, size } = platform.get_cpu_version;
  const { pcpus } = machine.config;
  SCRATCH.fill(0, fields.vendor_id.at, size);
  if (u32(fields.xen_cpuid.at) < pcpus) {
    const vendor = cpuidRow(machine.config, 0, null);
    put(fields.vendor_id.at, vendor?.ebx ?? 0);
    put(fields.vendor_id_middle.at, vendor?.edx ?? 0);
    put(fields.vendor_id_end.at, vendor?.ecx ?? 0);
    const { family, model, stepping } = processorSignature(machine.config);
    put(fields.family.at, family);
    put(fields.model.at, model);
    put(fields.stepping.at, stepping);
  }
  put(fields.max_present.at, pcpus - 1);
  return reply(machine, vcpu, lo, hi, fields.xen_cpuid.at, size);
};
