/** VCPUOP_register_vcpu_info: move a vCPU's vcpu_info from the shared info page into a page of the domain's choice. */
import { vcpu_info } from '#spec/abi/xen.ts';
import { PGT } from './frame_table.ts';
import type { Machine } from './machine.ts';
import { getPage, putPage } from './mm/page.ts';
import { getPageType } from './mm/page_type.ts';
import { minus } from './result.ts';
import { markEventsPending } from './upcall.ts';
import { type Vcpu, VPF } from './vcpu.ts';
import { infoAddress } from './vcpu_info.ts';

const PAGE = 4096;

/** Once only; for the caller itself or for a vCPU that is down. All events are marked pending, lest one be lost in the move. */
export const mapVcpuInfo = (machine: Machine, caller: Vcpu, target: Vcpu, mfn: number, offset: number): number => {
  const { selector, word } = target.domain.info;
  if (offset > PAGE - vcpu_info.size || offset % word !== 0) return minus('ENXIO');
  if (target.infoRegistered) return minus('EINVAL');
  if (target !== caller && (target.pauseFlags & VPF.down) === 0) return minus('EINVAL');
  const { frames, memory } = machine;
  if (!getPage(frames, mfn, target.domain.domid)) return minus('EINVAL');
  if (getPageType(machine, caller, mfn, PGT.writable) !== 0) {
    putPage(frames, mfn);
    return minus('EINVAL');
  }
  memory.writeBytes(mfn * PAGE + offset, memory.readBytes(infoAddress(target), vcpu_info.size));
  target.infoMfn = mfn;
  target.infoOffset = offset;
  target.infoRegistered = true;
  memory.fill(infoAddress(target) + selector, word, 0xff);
  markEventsPending(machine, target);
  return 0;
};
