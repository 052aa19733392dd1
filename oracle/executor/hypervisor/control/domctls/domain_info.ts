/** getdomaininfo, getvcpuinfo: what there is to know of a domain and of a vCPU. */
import { domctl, domctl_info, XEN_DOMINF, XEN_X86_EMU_PIT } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { RUNSTATE } from '#spec/abi/xen.ts';
import type { Domain } from '../../domain.ts';
import type { Machine } from '../../machine.ts';
import { type Vcpu, VPF } from '../../vcpu.ts';
import { put64, vcpuOf, type Work } from './request.ts';

const F = domctl_info.fields;
const HANDLE_BYTES = 16;

/** Time that the vCPU has run, ns. */
const timeRun = (machine: Machine, vcpu: Vcpu): number =>
  vcpu.runstateTime[RUNSTATE.running] + (vcpu.runstate === RUNSTATE.running ? Math.max(0, machine.now - vcpu.runstateEntry) : 0);

const isUp = ({ pauseFlags }: Vcpu): boolean => (pauseFlags & VPF.down) === 0;
const isBlocked = ({ pauseFlags }: Vcpu): boolean => (pauseFlags & VPF.blocked) !== 0;

const flagsOf = (domain: Domain): number => {
  const up = domain.vcpus.filter(isUp);
  const blocked = up.length > 0 && up.every(isBlocked) ? XEN_DOMINF.blocked : 0;
  const running = up.some(({ processor }) => processor >= 0) ? XEN_DOMINF.running : 0;
  return (
    blocked |
    running |
    (domain.dying === 'dead' ? XEN_DOMINF.dying : 0) |
    (domain.debugged ? XEN_DOMINF.debugged : 0) |
    (domain.shutdown === null ? 0 : XEN_DOMINF.shutdown) |
    (domain.pauses > 0 ? XEN_DOMINF.paused : 0) |
    ((domain.shutdownCode ?? -1) << XEN_DOMINF.shutdownshift)
  );
};

/** Writes the record of 112 bytes at `at`. */
export const tellDomain = (machine: Machine, domain: Domain, op: DataView, at: number): void => {
  for (let i = 0; i < domctl_info.size; i++) op.setUint8(at + i, 0);
  op.setUint16(at + F.domid.at, domain.domid, true);
  op.setUint32(at + F.flags.at, flagsOf(domain), true);
  put64(op, at + F.tot_pages.at, domain.pages);
  put64(op, at + F.max_pages.at, domain.maxPages);
  put64(op, at + F.outstanding_pages.at, domain.claimed);
  put64(op, at + F.shared_info_frame.at, domain.sharedInfoMfn);
  put64(
    op,
    at + F.cpu_time.at,
    domain.vcpus.reduce((sum, vcpu) => sum + timeRun(machine, vcpu), 0),
  );
  op.setUint32(at + F.nr_online_vcpus.at, domain.vcpus.filter(isUp).length, true);
  op.setUint32(at + F.max_vcpu_id.at, domain.vcpus.length - 1, true);
  for (let i = 0; i < HANDLE_BYTES; i++) op.setUint8(at + F.handle_0.at + i, domain.handle[i]);
  op.setUint8(at + F.gpaddr_bits.at, machine.physicalBits);
  op.setUint32(at + F.emulation_flags.at, domain.privileged ? XEN_X86_EMU_PIT : 0, true);
};

/** Older records end where the bits of an address would stand: what is emulated is told there. */
const SHORT_BYTES = domctl_info.size - 8;

/** The record as a list has it. */
export const domainRecord = (machine: Machine, domain: Domain): Uint8Array => {
  const view = new DataView(new ArrayBuffer(domctl_info.size));
  tellDomain(machine, domain, view, 0);
  if (machine.ways['getdomaininfolist-record'] === '112 bytes') return new Uint8Array(view.buffer);
  view.setUint32(F.gpaddr_bits.at, view.getUint32(F.emulation_flags.at, true), true);
  return new Uint8Array(view.buffer, 0, SHORT_BYTES);
};

const INFO = domctl.getdomaininfo.fields;
/** Where an older record has nothing: 2 bytes behind the number of the domain, 4 at its end. */
const isHole = (at: number): boolean => at === 2 || at === 3 || at >= SHORT_BYTES - 4;

export const getDomainInfo: Work = ({ machine, domain, op }) => {
  if (machine.ways['getdomaininfo-record'] === '112 bytes') tellDomain(machine, domain, op, INFO.domid.at);
  else
    domainRecord(machine, domain).forEach((byte, at) => {
      if (!isHole(at)) op.setUint8(INFO.domid.at + at, byte);
    });
  return 0;
};

export const getVcpuInfo: Work = (request) => {
  const { machine, op } = request;
  const { fields } = domctl.getvcpuinfo;
  const vcpu = vcpuOf(request, op.getUint32(fields.vcpu.at, true));
  if (!vcpu) return -ERRNO.EINVAL;
  op.setUint8(fields.online.at, isUp(vcpu) ? 1 : 0);
  op.setUint8(fields.blocked.at, isBlocked(vcpu) ? 1 : 0);
  op.setUint8(fields.running.at, vcpu.processor >= 0 ? 1 : 0);
  put64(op, fields.cpu_time.at, timeRun(machine, vcpu));
  op.setUint32(fields.cpu.at, Math.max(0, vcpu.processor), true);
  return 0;
};
