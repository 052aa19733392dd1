/** Advisories about event channels, interrupts' numbers, what Xen tells of itself, and the end of domains. */
import type { Mutant } from '../catalogue.ts';
import { advisory, hostFault } from './advisory.ts';

export const OTHERS: readonly Mutant[] = [
  advisory(
    '13',
    'hypercall/pirq.ts',
    "  if (pirq < 0) return minus('ENOSPC');\n",
    `  if (pirq < 0) ${hostFault('an error serves as an index')}\n`,
    'get_free_pirq uses what it found when there is none',
  ),
  advisory(
    '21',
    'hypercall/pirq.ts',
    '  if (!domainByAnyId(machine, caller, scratch.getUint16(physdev.unmap_pirq.fields.domid.at, true)))',
    `  if (scratch.getUint32(physdev.unmap_pirq.fields.pirq.at, true) >= pirqLimit(caller)) ${hostFault('beyond the list of pirqs')}\n  if (!domainByAnyId(machine, caller, scratch.getUint16(physdev.unmap_pirq.fields.domid.at, true)))`,
    'unmap_pirq looks numbers up that are too large',
  ),
  advisory(
    '87',
    'hypercall/physdev_privilege.ts',
    '  if (cmd === OP.restore_msi || cmd === OP.restore_msi_ext) return noDevice',
    '  if (cmd === OP.restore_msi || cmd === OP.restore_msi_ext || cmd === OP.prepare_msix || cmd === OP.release_msix) return noDevice',
    'every domain may prepare a device’s interrupts',
  ),
  advisory(
    '107',
    'event_channel/fifo.ts',
    "    if (machine.ways['evtchn_fifo-no_control_block'] === 'lost' || !isNew) return;\n",
    `    ${hostFault('queues of a vCPU that has none')}\n`,
    'an event is queued for a vCPU without queues',
  ),
  advisory(
    '122',
    'hypercall/xen_version.ts',
    'const bytes = new Uint8Array(structure.size);',
    'const bytes = new Uint8Array(structure.size).fill(0xa5);',
    'what lies behind the texts is told as it was found',
  ),
  advisory(
    '127',
    'control/domctls/clock.ts',
    '  if (isSelf(request)) return -ERRNO.EINVAL;\n  stop(request);\n  const isMadeUp',
    '  stop(request);\n  const isMadeUp',
    'a domain may stop itself',
  ),
  advisory(
    '132',
    'control/domctls/domain_info.ts',
    'for (let i = 0; i < domctl_info.size; i++) op.setUint8(at + i, 0);',
    'for (let i = 0; i < domctl_info.size; i++) op.setUint8(at + i, 0xa5);',
    'gaps of a reply to the toolstack hold what was there',
  ),
  advisory(
    '188',
    'event_channel/fifo_control.ts',
    'domain.domid) !== 0) return -ERRNO.EINVAL;\n  queues.controlBlock',
    'domain.domid) !== 0) {\n    domain.fifo = fifo;\n    return -ERRNO.EINVAL;\n  }\n  queues.controlBlock',
    'queues that could not be set up are used',
  ),
  advisory(
    '221',
    'hypercall/sched_op.ts',
    '  const found = domain.portAt(port);\n  if (!found',
    `  if (port >= domain.validPorts) ${hostFault('a port of a block that is not there')}\n  const found = domain.portAt(port);\n  if (!found`,
    'a poll names ports that never came to life',
  ),
  advisory(
    '307',
    'event_channel/used_ports.ts',
    '    if (first >= WORDS) return WORDS * 32;\n',
    '',
    'the search for a free port begins behind the last one',
  ),
  advisory(
    '317',
    'event_channel/ports.ts',
    '  return null;\n};\n\n/** A port becomes',
    `  ${hostFault('a port beyond all')}\n};\n\n/** A port becomes`,
    'a domain whose ports are all in use gets one more',
  ),
  advisory(
    '344',
    'event_channel/close.ts',
    '    if (port % RESET_STRIDE === 0 && shouldPreempt(machine, caller)) {',
    '    if (port < 0) {',
    'the channels of a dying domain are closed in one go',
  ),
];
