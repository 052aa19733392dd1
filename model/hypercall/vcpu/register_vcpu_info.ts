/** VCPUOP_register_vcpu_info: move a vCPU's record from the shared info page into a page of the domain. */
import { vcpu as abi } from '#spec/abi/sched.ts';
import { vcpu_info } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { setMemory, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { readBytes, writeBytes } from '../../memory/access.ts';
import { wordIn } from '../../memory/guest.ts';
import { getPageAndType } from '../../page_type/references.ts';
import { refreshTime } from '../../time/clock.ts';
import { setVcpuInfoWord } from '../../vcpu_info.ts';
import { ALL_ONES, toNumber } from '../../word/word.ts';
import { markEventsPending } from '../event_channel/wake.ts';
import { fieldOf } from '../guest_struct.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import type { VcpuOperation } from './vcpu_op.ts';

const SIZE = vcpu_info.size;
const ALIGNMENT = 8;

/** The time record is renewed whatever comes of it. */
export const registerVcpuInfo: VcpuOperation = (machine, caller, target, arg) => {
  const copied = copyFromGuest(machine, caller, arg, abi.register_vcpu_info.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'vcpu/register_vcpu_info-fault');
  const mfn = toNumber(wordIn(copied.bytes, abi.register_vcpu_info.fields.mfn.at));
  const offset = fieldOf(copied.bytes, abi.register_vcpu_info.fields.offset);
  const result = move(copied.machine, caller, target, mfn, offset);
  return { ...result, machine: refreshTime(result.machine, target, caller) };
};

const move = (machine: Machine, caller: VcpuRef, target: VcpuRef, mfn: number, offset: number): HypercallResult => {
  if (offset > 4096 - SIZE || offset % ALIGNMENT !== 0) return fail(machine, 'ENXIO', 'vcpu/register_vcpu_info-offset');
  const vcpu = vcpuOf(machine, target);
  if (vcpu.infoMoved) return fail(machine, 'EINVAL', 'vcpu/register_vcpu_info-again');
  if (target.vcpu !== caller.vcpu && vcpu.online) return fail(machine, 'EINVAL', 'vcpu/register_vcpu_info-running');
  const taken = getPageAndType(machine, target.domid, mfn, 'writable');
  if (taken.errno) return fail(taken.machine, 'EINVAL', 'vcpu/register_vcpu_info-frame');
  const record = readBytes(taken.machine.memory, vcpu.vcpuInfo.mfn, vcpu.vcpuInfo.offset, SIZE);
  const copied = setMemory(taken.machine, writeBytes(taken.machine.memory, mfn, offset, record));
  const moved = updateVcpu(copied, target, { vcpuInfo: { mfn, offset }, infoMoved: true });
  // vcpu/register_vcpu_info-pending: everything is marked pending, so that no event gets lost on the way.
  const marked = setVcpuInfoWord(cite(moved, 'vcpu/register_vcpu_info-pending'), target, 'evtchn_pending_sel', ALL_ONES);
  return done(markEventsPending(marked, target), 'vcpu/register_vcpu_info-moved');
};
