/** What releases changed in the devices that domain 0 is kept from. Chapters: spec/chapters/host.md, spec/chapters/page_type.md. */
import { change } from './change.ts';

export const DEVICE_CHANGES = {
  'dom0-kept_ports': change({
    clause: 'host/port-nothing',
    ways: { '4.14': 'devices', '4.17': 'devices', '4.20': 'devices and resets' },
    says: {
      devices: 'Domain 0 is kept from the ports of the devices that Xen uses itself.',
      'devices and resets':
        'Domain 0 is kept from five more: those that choose how the interrupt controllers are triggered (0x4d0, 0x4d1), that reset the processor or mask address line 20 (0x92), that let x87 errors be ignored (0xf0), and that reset the machine (0xcf9).',
    },
    shown: { script: 'release-devices', steps: [45, 48, 51, 52, 55, 69, 72, 75, 76, 79] },
  }),
  'dom0-kept_frames': change({
    clause: 'page_type/l1-io_denied',
    ways: { '4.14': 'all messages', '4.17': 'all messages', '4.20': 'local APIC' },
    says: {
      'all messages': 'Domain 0 may map neither the local APIC nor the rest of the range of message-signalled interrupts.',
      'local APIC': 'Of that range domain 0 may not map the local APIC alone.',
    },
    shown: { script: 'release-devices', steps: [8, 10, 12, 14, 16, 18, 93] },
  }),
} as const;
