/** The vCPU's record in memory that Xen and guest share: upcall flags, CR2, time. Reached by machine frame, never through page tables. */
import { COMPAT } from '#spec/abi/compat.ts';
import type { Field } from '#spec/abi/layout.ts';
import { vcpu_info } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { setMemory, vcpuOf } from './lens.ts';
import type { Machine } from './machine.ts';
import { read, write } from './memory/access.ts';
import { pageOf } from './memory/memory.ts';
import { pageByte } from './memory/page.ts';
import type { Size } from './word/size.ts';
import { fromNumber, type Word } from './word/word.ts';

type FieldName = keyof typeof vcpu_info.fields;

/** The field as the domain has it. */
export const vcpuInfoField = (machine: Machine, at: VcpuRef, name: FieldName): Field =>
  vcpuOf(machine, at).tables.pv32 ? COMPAT.vcpu_info.fields[name] : vcpu_info.fields[name];

export const vcpuInfoWord = (machine: Machine, at: VcpuRef, name: FieldName): Word => {
  const { mfn, offset } = vcpuOf(machine, at).vcpuInfo;
  const field = vcpuInfoField(machine, at, name);
  return read(machine.memory, mfn, offset + field.at, field.size as Size);
};

export const setVcpuInfoWord = (machine: Machine, at: VcpuRef, name: FieldName, value: Word): Machine => {
  const { mfn, offset } = vcpuOf(machine, at).vcpuInfo;
  const field = vcpuInfoField(machine, at, name);
  return setMemory(machine, write(machine.memory, mfn, offset + field.at, field.size as Size, value));
};

/** Value of a field of up to 32 bits. */
export const vcpuInfo = (machine: Machine, at: VcpuRef, name: FieldName): number => vcpuInfoWord(machine, at, name).lo >>> 0;

export const setVcpuInfo = (machine: Machine, at: VcpuRef, name: FieldName, value: number): Machine =>
  setVcpuInfoWord(machine, at, name, fromNumber(value));

/** An upcall is due: pending, and not masked. Both are bytes of which every bit counts. */
export const eventsNeedDelivery = (machine: Machine, at: VcpuRef): boolean => {
  const { mfn, offset } = vcpuOf(machine, at).vcpuInfo;
  const { evtchn_upcall_pending, evtchn_upcall_mask } = vcpu_info.fields;
  const page = pageOf(machine.memory, mfn);
  return pageByte(page, offset + evtchn_upcall_pending.at) !== 0 && pageByte(page, offset + evtchn_upcall_mask.at) === 0;
};
