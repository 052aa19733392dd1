/** Planted leaks: one domain learns of another, or has an effect on it, what it may not. Two worlds have to find each (oracle/campaign/worlds/). */
import type { Mutant } from './catalogue.ts';

const leak = (id: string, file: string, find: string, replace: string, summary: string): Mutant => ({
  id: `leak-${id}`,
  part: 'executor',
  file: `oracle/executor/${file}`,
  find,
  replace,
  summary,
});

export const LEAKS: readonly Mutant[] = [
  leak(
    'scrub',
    'hypervisor/memory/allocate.ts',
    'if (domain && domain.dying !== null) machine.memory.fill(mfn * 4096, 4096, 0);',
    '',
    'a page of a domain that died is handed out as it was left',
  ),
  leak(
    'padding',
    'hypervisor/runstate_area.ts',
    'scratch.setUint32(state.at + 4, 0, true);',
    '',
    'the gap in a reply holds what was in the buffer before',
  ),
  leak(
    'reply-length',
    'hypervisor/hypercall/xen_version.ts',
    'copyToGuest(machine, vcpu, lo, hi, layouts.platform_parameters.size)',
    'copyToGuest(machine, vcpu, lo, hi, 64)',
    'a reply is longer than what was filled in',
  ),
  leak(
    'stale-grant',
    'hypervisor/grant_table/pv_mapping.ts',
    'if (fits) machine.memory.writeHalves(at, movedLo, movedHi);',
    'if (fits && moves) machine.memory.writeHalves(at, movedLo, movedHi);',
    'a grant is given back, and its mapping stays',
  ),
  leak(
    'grant-user',
    'hypervisor/grant_table/grant_entry.ts',
    'if (!permits || memory.read16(entry + domid.at) !== user) return GNTST.general_error;',
    'if (!permits) return GNTST.general_error;',
    'a grant may be used by whom it does not name',
  ),
  leak(
    'grant-frame',
    'hypervisor/grant_table/copy_buffer.ts',
    'if (this.domid !== DOMID.SELF) {',
    'if (domain === null) {',
    'a copy may name pages of others by their frames',
  ),
  leak(
    'last-domid',
    'hypervisor/event_channel/event_channel_op.ts',
    'put(fields.status.at, EVTCHNSTAT.ipi);',
    'put(fields.status.at, EVTCHNSTAT.ipi);\n      put(fields.u0.at, machine.domains.at(-1)!.domid + machine.domains.at(-2)!.domid);',
    'the status of a port tells numbers of other domains',
  ),
  leak(
    'port-count',
    'hypervisor/event_channel/ports.ts',
    'let port = domain.usedPorts.lowest(0); port < limit;',
    'let port = domain.usedPorts.lowest(machine.domains.reduce((n, { activePorts }) => n + activePorts, 0)); port < limit;',
    'port numbers tell how many ports all domains have',
  ),
  leak(
    'event',
    'hypervisor/event_channel/notify.ts',
    'raisePort(machine, machine.domainById(channel.remoteDom)!, channel.remotePort);',
    'for (const other of machine.domains) if (other.portAt(channel.remotePort)) raisePort(machine, other, channel.remotePort);',
    'an event raises the same port of all domains',
  ),
  leak(
    'owner',
    'hypervisor/mm/page.ts',
    'if (mfn >= frames.count || frames.refs[mfn] === 0 || frames.owner[mfn] !== owner) return false;\n  frames.touch(mfn);',
    'if (mfn >= frames.count || frames.refs[mfn] === 0) return false;\n  frames.touch(mfn);',
    'whose frame it is is not asked',
  ),
  leak(
    'copy-page',
    'hypervisor/mm/whole_page.ts',
    'if (!isRamOf(machine, from, pgOwner)) return -ERRNO.EINVAL;',
    '',
    'copy_page reads pages of others',
  ),
  leak(
    'lazy-registers',
    'hypervisor/scheduler.ts',
    '  pcpu.current = next;\n  if (next) {\n',
    '  pcpu.current = next;\n  if (next && previous) next.cpu.s.set(previous.cpu.s.subarray(80, 144), 80);\n  if (next) {\n',
    'SSE registers stay as the last vCPU left them',
  ),
];

export const leakById = (id: string): Mutant | undefined => LEAKS.find((one) => one.id === id);
