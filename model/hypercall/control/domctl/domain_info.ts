/** XEN_DOMCTL_getdomaininfo: what there is to know of a domain at a glance. */
import { control } from '#spec/abi/control.ts';
import { domctl, domctl_info, XEN_DOMINF, XEN_X86_EMU_PIT } from '#spec/abi/domctl.ts';
import { waysOf } from '#spec/releases/changes.ts';
import type { Domain } from '../../../domain.ts';
import { cite } from '../../../journal.ts';
import { pcpuOf, refOf } from '../../../lens.ts';
import type { Machine } from '../../../machine.ts';
import { accounted } from '../../../sched/runstate.ts';
import type { Vcpu } from '../../../vcpu.ts';
import { withFields } from '../../guest_struct.ts';
import { type Rule, tell } from './rule.ts';

const GPADDR_BITS = 40;
const RUNNING = 0;
const NO_CODE = -1;

export const timeRun = (machine: Machine, { runstate }: Vcpu): number => accounted(runstate, machine.now).times[RUNNING];

/** domctl/getdomaininfo-flags */
const flagsOf = (machine: Machine, { vcpus, shutdown, shutdownCode, dying, pauses, debugged }: Domain): number => {
  const up = vcpus.filter(({ online }) => online);
  const blocked = up.length > 0 && up.every((vcpu) => vcpu.blocked);
  const running = up.some((vcpu) => pcpuOf(machine, refOf(vcpu)) >= 0);
  const code = shutdownCode ?? shutdown ?? NO_CODE;
  return (
    (dying?.stage === 'dead' ? XEN_DOMINF.dying : 0) |
    (pauses ? XEN_DOMINF.paused : 0) |
    (blocked ? XEN_DOMINF.blocked : 0) |
    (debugged ? XEN_DOMINF.debugged : 0) |
    (running ? XEN_DOMINF.running : 0) |
    (shutdown === null ? 0 : XEN_DOMINF.shutdown) |
    (code << XEN_DOMINF.shutdownshift)
  );
};

/** The 112 bytes of struct xen_domctl_getdomaininfo. */
const wholeInfo = (machine: Machine, domain: Domain): Uint8Array => {
  const up = domain.vcpus.filter(({ online }) => online);
  const bytes = withFields(new Uint8Array(domctl_info.size), domctl_info, {
    domid: domain.domid,
    flags: flagsOf(machine, domain),
    tot_pages: domain.pages,
    max_pages: domain.maxPages,
    outstanding_pages: domain.claimed,
    shared_info_frame: domain.sharedInfo,
    cpu_time: domain.vcpus.reduce((sum, vcpu) => sum + timeRun(machine, vcpu), 0),
    nr_online_vcpus: up.length,
    max_vcpu_id: domain.vcpus.length - 1,
    gpaddr_bits: GPADDR_BITS,
    emulation_flags: domain.domid === 0 ? XEN_X86_EMU_PIT : 0,
  });
  bytes.set(domain.handle ?? [], domctl_info.fields.handle_0.at);
  return bytes;
};

const { fields } = domctl_info;
const WORD = 4;
/** struct xen_domctl_getdomaininfo, as the release has it: the older one has the emulation's flags where addresses' bits stand now. */
export const domainInfo = (machine: Machine, domain: Domain): Uint8Array => {
  const whole = wholeInfo(machine, domain);
  if (waysOf(machine.config.release)['getdomaininfolist-record'] === '112 bytes') return whole;
  const flags = whole.slice(fields.emulation_flags.at, fields.emulation_flags.at + WORD);
  return Uint8Array.from([...whole.slice(0, fields.gpaddr_bits.at), ...flags, 0, 0, 0, 0]);
};

/** Bytes of the older record that nothing is stored in. */
const isLeft = (at: number): boolean => at === 2 || at === 3 || at >= fields.gpaddr_bits.at + WORD;

/** domctl/getdomaininfo-domain: `target` has the number that was asked for, or the next one. */
export const getdomaininfo: Rule = (machine, asked) => {
  const { target } = asked;
  const after = withFields(asked.bytes, control.domctl, { domain: target.domid });
  const short = waysOf(machine.config.release)['getdomaininfo-record'] === '104 bytes';
  for (const [i, byte] of domainInfo(machine, target).entries())
    if (!(short && isLeft(i))) after[domctl.getdomaininfo.fields.domid.at + i] = byte;
  return tell(cite(cite(machine, 'domctl/getdomaininfo-domain'), 'domctl/getdomaininfo-flags'), asked, after, 'domctl/getdomaininfo-told');
};
