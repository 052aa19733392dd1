/** VCPUOP_register_vcpu_info: move a vCPU's vcpu_info from the shared info page into a page of the domain's choice. */
import type { Errno } from '#spec/abi/errno.ts';
import { vcpu_info } from '#spec/abi/xen.ts';
import { markEventsPending } from './event_channel/wake.ts';
import { PGT } from './frame_table.ts';
import type { Machine } from './machine.ts';
import { getPage, putPage } from './mm/page.ts';
import { getPageType } from './mm/page_type.ts';
import { minus } from './result.ts';
import { type Vcpu, VPF } from './vcpu.ts';
import { infoAddress } from './vcpu_info.ts';

const PAGE = 4096;

/** Once only; for the caller itself or for a vCPU that is down. All events are marked pending, lest one be lost in the move. */
export const mapVcpuInfo = (machine: Machine, caller: Vcpu, target: Vcpu, mfn: number, offset: number): number => {
  if (machine.ways['register_vcpu_info-checks'] === 'again first') return mapFresh(machine, caller, target, mfn, offset);
  if (isMisplaced(target, offset)) return minus(machine.ways['register_vcpu_info-misplaced']);
  if (target.infoRegistered) return minus('EINVAL');
  if (target !== caller && (target.pauseFlags & VPF.down) === 0) return minus('EINVAL');
  return take(machine, caller, target, mfn, offset, 'EINVAL');
};

const isMisplaced = (target: Vcpu, offset: number): boolean => offset > PAGE - vcpu_info.size || offset % target.domain.info.word !== 0;

/** Frame numbers that fit a physical address. */
const FRAMES = 2 ** 52;

/** The order of later releases: another vCPU may be up, and whether it was done before is asked early. */
const mapFresh = (machine: Machine, caller: Vcpu, target: Vcpu, mfn: number, offset: number): number => {
  if (offset >= PAGE || mfn >= FRAMES) return minus('EINVAL');
  if (target.infoRegistered) return minus('EBUSY');
  if (isMisplaced(target, offset)) return minus('ENXIO');
  return take(machine, caller, target, mfn, offset, 'EACCES');
};

/** `typeErrno`: for a frame that is no writable page. */
const take = (machine: Machine, caller: Vcpu, target: Vcpu, mfn: number, offset: number, typeErrno: Errno): number => {
  const { selector, word } = target.domain.info;
  const { frames, memory } = machine;
  if (!getPage(frames, mfn, target.domain.domid)) return minus('EINVAL');
  if (getPageType(machine, caller, mfn, PGT.writable) !== 0) {
    putPage(frames, mfn);
    return minus(typeErrno);
  }
  memory.writeBytes(mfn * PAGE + offset, memory.readBytes(infoAddress(target), vcpu_info.size));
  target.infoMfn = mfn;
  target.infoOffset = offset;
  target.infoRegistered = true;
  memory.fill(infoAddress(target) + selector, word, 0xff);
  markEventsPending(machine, target);
  return 0;
};
