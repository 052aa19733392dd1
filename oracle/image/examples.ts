/** A few programs by name, for a first look and for tests. */
import type { Program } from '#spec/program.ts';

const SELF = 0x7ff0;

export const EXAMPLES = {
  /** Nothing but a greeting. */
  hello: { steps: [{ id: 1, do: 'hypercall', call: 'console_io', args: [0, 6, { text: 'hello\n' }] }] },

  /** Arithmetic, and a trap in the middle of it. */
  compute: {
    steps: [
      {
        id: 1,
        do: 'code',
        regs: { rax: '0x123456789abcdef0', rbx: 7 },
        code: [
          { op: 'add', args: ['rax', 'rbx'] },
          { op: 'adc', args: ['ecx', 'eax'] },
          { op: 'imul', args: ['rdx', 'rax', 99] },
          { op: 'shl', args: ['rdx', 13] },
          { op: 'setc', args: ['bl'] },
          { op: 'push', args: ['rdx'] },
          { op: 'pop', args: ['r9'] },
        ],
      },
      { id: 2, do: 'code', regs: { rcx: 0 }, code: [{ op: 'div', args: ['rcx'] }], show: ['rax', 'rcx'] },
      { id: 3, do: 'access', how: 'write', at: { page: 2, as: 'va', plus: 4092 }, size: 8, value: '0x1122334455667788' },
      { id: 4, do: 'access', how: 'read', at: { page: 3, as: 'va' }, size: 4 },
      { id: 5, do: 'access', how: 'read', at: { page: 3, as: 'entry_va' }, size: 8, show: 'pte' },
      { id: 6, do: 'access', how: 'write', at: '0xffff800000000000', size: 8 },
      { id: 7, do: 'access', how: 'read', at: '0x10', size: 1 },
      { id: 8, do: 'code', code: [{ op: 'ud2', args: [] }] },
      { id: 9, do: 'code', code: [{ op: 'int3', args: [] }] },
      { id: 10, do: 'hash', page: 2 },
    ],
  },

  /** Ports of one domain, upcalls and a timer. */
  events: {
    steps: [
      {
        id: 1,
        do: 'hypercall',
        call: 'event_channel_op',
        args: [6, { struct: 'evtchn.alloc_unbound', fields: { dom: SELF, remote_dom: SELF } }],
      },
      {
        id: 2,
        do: 'hypercall',
        call: 'event_channel_op',
        args: [0, { struct: 'evtchn.bind_interdomain', fields: { remote_dom: SELF, remote_port: { step: 1, of: 'port' } } }],
      },
      { id: 3, do: 'upcalls', on: true },
      {
        id: 4,
        do: 'hypercall',
        call: 'event_channel_op',
        args: [4, { struct: 'evtchn.send', fields: { port: { step: 2, of: 'local_port' } } }],
      },
      { id: 5, do: 'hypercall', call: 'event_channel_op', args: [1, { struct: 'evtchn.bind_virq', fields: { virq: 0, vcpu: 0 } }] },
      { id: 6, do: 'wait', how: 'block', timer: 'singleshot', ns: 20_000_000 },
      { id: 7, do: 'wait', how: 'block', timer: 'periodic', ns: 20_000_000 },
      { id: 8, do: 'wait', how: 'poll', timer: 'none', ns: 5_000_000, ports: [{ step: 5, of: 'port' }] },
      { id: 9, do: 'wait', how: 'block', timer: 'none', ns: 0 },
      {
        id: 10,
        do: 'hypercall',
        call: 'event_channel_op',
        args: [5, { struct: 'evtchn.status', fields: { dom: SELF, port: { step: 5, of: 'port' } } }],
      },
      { id: 11, do: 'hypercall', call: 'event_channel_op', args: [3, { struct: 'evtchn.close', fields: { port: 99 } }] },
      { id: 12, do: 'events' },
    ],
  },

  /** Page tables, grants and user mode. */
  memory: {
    steps: [
      { id: 1, do: 'hypercall', call: 'update_va_mapping', args: [{ page: 1, as: 'va' }, { page: 2, as: 'pte', flags: '0x61' }, 2] },
      { id: 2, do: 'access', how: 'write', at: { page: 1, as: 'va' }, size: 8, value: 1 },
      { id: 3, do: 'access', how: 'read', at: { page: 1, as: 'entry_va' }, size: 8, show: 'pte' },
      {
        id: 4,
        do: 'hypercall',
        call: 'mmu_update',
        args: [
          {
            structs: [
              {
                struct: 'xen.mmu_update',
                fields: { ptr: { page: 1, as: 'entry_maddr' }, val: { page: 3, as: 'pte', flags: '0x8000000000000067' } },
              },
            ],
          },
          1,
          { array: ['0xdeadbeef'], size: 4, show: 'number' },
          SELF,
        ],
      },
      { id: 5, do: 'access', how: 'execute', at: { page: 1, as: 'va' }, size: 1 },
      {
        id: 6,
        do: 'hypercall',
        call: 'mmuext_op',
        args: [{ structs: [{ struct: 'xen.mmuext_op', fields: { cmd: 0, arg1: { page: 4, as: 'mfn' } } }] }, 1, 0, SELF],
      },
      { id: 7, do: 'grant_setup', frames: 1 },
      { id: 8, do: 'grant_entry', ref: 9, flags: 1, domid: 0, frame: { page: 5, as: 'mfn' } },
      {
        id: 9,
        do: 'hypercall',
        call: 'grant_table_op',
        args: [
          0,
          { structs: [{ struct: 'gnttab.map_grant_ref', fields: { host_addr: { page: 6, as: 'va' }, flags: 2, ref: 9, dom: 0 } }] },
          1,
        ],
      },
      { id: 10, do: 'access', how: 'read', at: { page: 6, as: 'entry_va' }, size: 8, show: 'pte' },
      {
        id: 11,
        do: 'code',
        mode: 'user',
        regs: { rbx: { page: 7, as: 'user_va' } },
        code: [{ op: 'mov', args: [{ size: 64, base: 'rbx' }, 'rbx'] }],
      },
      { id: 12, do: 'access', mode: 'user', how: 'read', at: { page: 'l4', as: 'va' }, size: 8, show: 'pte' },
      { id: 13, do: 'access', mode: 'user', how: 'write', at: '0x30000000', size: 8 },
      { id: 14, do: 'code', mode: 'user', back: 'int', code: [{ op: 'inc', args: ['r12'] }] },
      {
        id: 15,
        do: 'hypercall',
        call: 'multicall',
        args: [
          {
            calls: [
              { call: 'xen_version', args: [0, 0] },
              { call: 63, args: [] },
            ],
          },
          2,
        ],
      },
      { id: 16, do: 'hypercall', call: 'xen_version', args: [3, { struct: 'version.capabilities', fields: {} }] },
    ],
  },

  /** A port and a page between two domains. */
  two_domains: {
    steps: [
      {
        id: 1,
        domain: 1,
        do: 'hypercall',
        call: 'event_channel_op',
        args: [6, { struct: 'evtchn.alloc_unbound', fields: { dom: SELF, remote_dom: 0 } }],
      },
      {
        id: 2,
        domain: 0,
        do: 'hypercall',
        call: 'event_channel_op',
        args: [0, { struct: 'evtchn.bind_interdomain', fields: { remote_dom: 1, remote_port: { step: 1, of: 'port' } } }],
      },
      {
        id: 3,
        domain: 0,
        do: 'hypercall',
        call: 'event_channel_op',
        args: [4, { struct: 'evtchn.send', fields: { port: { step: 2, of: 'local_port' } } }],
      },
      { id: 4, domain: 1, do: 'upcalls', on: true },
      { id: 5, domain: 1, do: 'access', how: 'write', at: { page: 3, as: 'va' }, size: 8, value: 4711 },
      { id: 6, domain: 1, do: 'grant_entry', ref: 9, flags: 1, domid: 0, frame: { page: 3, as: 'mfn' } },
      {
        id: 7,
        domain: 0,
        do: 'hypercall',
        call: 'grant_table_op',
        args: [
          0,
          { structs: [{ struct: 'gnttab.map_grant_ref', fields: { host_addr: { page: 6, as: 'va' }, flags: 2, ref: 9, dom: 1 } }] },
          1,
        ],
      },
      { id: 8, domain: 0, do: 'access', how: 'read', at: { page: 6, as: 'va' }, size: 8, show: 'number' },
      { id: 9, domain: 1, do: 'end', how: 'shutdown', reason: 3 },
      {
        id: 10,
        domain: 0,
        do: 'hypercall',
        call: 'event_channel_op',
        args: [4, { struct: 'evtchn.send', fields: { port: { step: 2, of: 'local_port' } } }],
      },
    ],
  },
} as const satisfies Readonly<Record<string, Program>>;
