/** VCPUOP_register_vcpu_info: move a vCPU's record from the shared info page into a page of the domain. */
import { vcpu as abi } from '#spec/abi/sched.ts';
import { vcpu_info } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { domainOf, setMemory, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { readBytes, writeBytes } from '../../memory/access.ts';
import { wordIn } from '../../memory/guest.ts';
import { getPage, getPageAndType, putPage } from '../../page_type/references.ts';
import { getPageType } from '../../page_type/type.ts';
import { refreshTime } from '../../time/clock.ts';
import { setVcpuInfoWord } from '../../vcpu_info.ts';
import { ALL_ONES, toNumber } from '../../word/word.ts';
import { markEventsPending } from '../event_channel/wake.ts';
import { fieldOf } from '../guest_struct.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import type { VcpuOperation } from './vcpu_op.ts';

const SIZE = vcpu_info.size;
const ALIGNMENT = 8;
const COMPAT_ALIGNMENT = 4;

/** The time record is renewed whatever comes of it. */
export const registerVcpuInfo: VcpuOperation = (machine, caller, target, arg) => {
  const copied = copyFromGuest(machine, caller, arg, abi.register_vcpu_info.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'vcpu/register_vcpu_info-fault');
  const m = domainOf(machine, target.domid).pv32 ? cite(copied.machine, 'compat/register_vcpu_info-offset') : copied.machine;
  const mfn = toNumber(wordIn(copied.bytes, abi.register_vcpu_info.fields.mfn.at));
  const offset = fieldOf(copied.bytes, abi.register_vcpu_info.fields.offset);
  if (waysOf(machine.config.release)['register_vcpu_info-checks'] === 'again first') return moveAgainFirst(m, caller, target, mfn, offset);
  const result = move(m, caller, target, mfn, offset);
  return { ...result, machine: refreshTime(result.machine, target, caller) };
};

const isMisplaced = (machine: Machine, { domid }: VcpuRef, offset: number): boolean =>
  offset > 4096 - SIZE || offset % (domainOf(machine, domid).pv32 ? COMPAT_ALIGNMENT : ALIGNMENT) !== 0;

/** Frame numbers that an address has room for. */
const FRAME_LIMIT = 2 ** 52;

/** As releases do that ask first whether there was a registration before. */
const moveAgainFirst = (machine: Machine, caller: VcpuRef, target: VcpuRef, mfn: number, offset: number): HypercallResult => {
  if (offset >= 4096 || mfn >= FRAME_LIMIT) return fail(machine, 'EINVAL', 'vcpu/register_vcpu_info-offset');
  if (vcpuOf(machine, target).infoMoved) return fail(machine, 'EBUSY', 'vcpu/register_vcpu_info-again');
  if (isMisplaced(machine, target, offset)) return fail(machine, 'ENXIO', 'vcpu/register_vcpu_info-offset');
  const page = getPage(machine, target.domid, mfn);
  if (page.errno) return fail(page.machine, 'EINVAL', 'vcpu/register_vcpu_info-frame');
  const used = getPageType(page.machine, mfn, 'writable');
  if (used.errno) return fail(putPage(used.machine, mfn), 'EACCES', 'vcpu/register_vcpu_info-frame');
  const result = moveTo(used.machine, target, mfn, offset);
  return { ...result, machine: refreshTime(result.machine, target, caller) };
};

const move = (machine: Machine, caller: VcpuRef, target: VcpuRef, mfn: number, offset: number): HypercallResult => {
  if (isMisplaced(machine, target, offset))
    return fail(machine, waysOf(machine.config.release)['register_vcpu_info-misplaced'], 'vcpu/register_vcpu_info-offset');
  const vcpu = vcpuOf(machine, target);
  if (vcpu.infoMoved) return fail(machine, 'EINVAL', 'vcpu/register_vcpu_info-again');
  if (target.vcpu !== caller.vcpu && vcpu.online) return fail(machine, 'EINVAL', 'vcpu/register_vcpu_info-running');
  const taken = getPageAndType(machine, target.domid, mfn, 'writable');
  if (taken.errno) return fail(taken.machine, 'EINVAL', 'vcpu/register_vcpu_info-frame');
  return moveTo(taken.machine, target, mfn, offset);
};

/** The frame is held, as a writable page. */
const moveTo = (machine: Machine, target: VcpuRef, mfn: number, offset: number): HypercallResult => {
  const vcpu = vcpuOf(machine, target);
  const record = readBytes(machine.memory, vcpu.vcpuInfo.mfn, vcpu.vcpuInfo.offset, SIZE);
  const copied = setMemory(machine, writeBytes(machine.memory, mfn, offset, record));
  const moved = updateVcpu(copied, target, { vcpuInfo: { mfn, offset }, infoMoved: true });
  // vcpu/register_vcpu_info-pending: everything is marked pending, so that no event gets lost on the way.
  const marked = setVcpuInfoWord(cite(moved, 'vcpu/register_vcpu_info-pending'), target, 'evtchn_pending_sel', ALL_ONES);
  return done(markEventsPending(marked, target), 'vcpu/register_vcpu_info-moved');
};
