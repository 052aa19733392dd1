/** Hypercalls about HVM guests, and those that Debian's Xen was built without. */
import { DM_OP_MOST_BUFFERS, HVM_NR_PARAMS, XENTRACE_EVENTS, XENTRACE_MOST_EXTRA } from '#spec/abi/hvm.ts';
import { MATRIX } from '#spec/matrix/matrix.ts';
import type { Argument } from '#spec/program.ts';
import { PAGES, SELF } from '../state.ts';
import { NO_DOMAIN } from './control.ts';
import { type Args, type Fault, type Operation, operation, POINTERS, struct, va, wrong, wrongField, wrongWord } from './operation.ts';

const COMMAND = wrong(0, 'command', { unknown: 99, 'of 64 bits': '0x100000000' });
/** Half of the structure is in a page that is not there. */
const TORN = wrong(1, 'argument 1', { torn: va(PAGES.windows[1], 4096 - 8) });
const { alias: _self, ...NOT_EVEN_THE_CALLER } = NO_DOMAIN;

const param = (name: string, command: number): Operation =>
  operation(`hvm_op/${name}`, [command, struct('hvm.param', { domid: SELF, index: 0, value: 0 })], {
    variants: [0, 1].map((domid): Args => [command, struct('hvm.param', { domid, index: HVM_NR_PARAMS - 1, value: 1 })]),
    faults: [
      COMMAND,
      TORN,
      wrongField(1, 'domid', NOT_EVEN_THE_CALLER),
      wrongField(1, 'index', { beyond: HVM_NR_PARAMS, far: '0xffffffff' }),
    ],
  });

const asked = (name: string, command: number, layout: 'hvm.pagetable_dying' | 'hvm.get_mem_type'): Operation =>
  operation(`hvm_op/${name}`, [command, struct(layout, { domid: SELF })], {
    variants: [0, 1].map((domid): Args => [command, struct(layout, { domid })]),
    faults: [COMMAND, TORN, wrongField(1, 'domid', { ...NOT_EVEN_THE_CALLER, another: 0, 'another too': 1 })],
  });

/** Whatever they are given. */
const HEEDLESS: readonly string[] = [
  'set_pci_intx_level',
  'set_isa_irq_level',
  'set_pci_link_route',
  'flush_tlbs',
  'set_mem_access',
  'get_mem_access',
];
const heedless = (name: string, command: number): Operation =>
  operation(`hvm_op/${name}`, [command, { buffer: 64, show: 'nothing' }], { faults: [COMMAND, wrong(1, 'argument 1', { none: 0 })] });

const HVM_OP: readonly Operation[] = MATRIX.flatMap(({ call, sub, command }): readonly Operation[] => {
  if (call !== 'hvm_op' || sub === null || command === null) return [];
  if (sub === 'set_param' || sub === 'get_param') return [param(sub, command)];
  if (sub === 'pagetable_dying' || sub === 'get_mem_type') return [asked(sub, command, `hvm.${sub}`)];
  return sub.startsWith('altp2m/') || sub === 'set_evtchn_upcall_vector' || HEEDLESS.includes(sub) ? [heedless(sub, command)] : [];
});

const buffers = (op: number, count: number): Argument => ({
  structs: Array.from({ length: count }, () => struct('hvm.dm_op_buf', { h: { array: [op, 0, 0, 0, 0, 0, 0, 0], size: 4 }, size: 32 })),
});
const BUFFERS: readonly Fault[] = [
  ...wrong(1, 'count', { none: 0, many: DM_OP_MOST_BUFFERS + 1, far: '0xffffffff' }),
  ...wrong(2, 'buffers', { ...POINTERS, torn: va(PAGES.windows[1], 4096 - 8) }),
];
const DM_OP: readonly Operation[] = MATRIX.flatMap(({ call, sub, command }): readonly Operation[] =>
  call === 'dm_op' && command !== null
    ? [
        operation(`dm_op/${sub}`, [0, 1, buffers(command, 1)], {
          variants: [
            [1, 1, buffers(command, 1)],
            [1, 2, buffers(command, 2)],
          ],
          spared: ['h', 'size'],
          faults: [
            wrong(0, 'domain', { ...NO_DOMAIN, another: 1, 'in 32 bits': 0x10000 }),
            BUFFERS,
            wrongField(2, 'h', { unmapped: '0x10000' }),
          ],
        }),
      ]
    : [],
);

/** Not even a command is looked at. */
const NOT_BUILT: readonly Operation[] = MATRIX.flatMap(({ call, sub, command }): readonly Operation[] => {
  if (command === null || !['xsm_op', 'tmem_op', 'argo_op'].includes(call)) return [];
  const structure: Argument = { array: [command, 1, 0, 0, 0, 0, 0, 0], size: 4 };
  const args: Args = call === 'argo_op' ? [command, structure, 0, 0, 0] : [structure];
  const faults =
    call === 'argo_op'
      ? [wrong(0, 'command', { unknown: 99 })]
      : [wrongWord(0, 0, 'command', { unknown: 99 }), wrongWord(0, 1, 'interface_version', { older: 0 })];
  return [operation(`${call}/${sub}`, args, { faults })];
});

/** What any guest may call for, and nobody hears. */
const HEARD_BY_NOBODY: readonly Operation[] = [
  operation('hvm_op/get_time', [10, struct('hvm.get_time')], { faults: [wrong(0, 'command', { 'in 64 bits': '0x10000000a' })] }),
  operation('hvm_op/xentrace', [11, struct('hvm.xentrace', { event: 1, extra_bytes: XENTRACE_MOST_EXTRA })], {
    faults: [
      wrongField(1, 'event', { beyond: XENTRACE_EVENTS, far: 0xffff }),
      wrongField(1, 'extra_bytes', { none: 0, many: XENTRACE_MOST_EXTRA + 1, far: 0xffff }),
    ],
  }),
  operation('hvm_op/guest_request_vm_event', [24, 0], {
    faults: [wrong(1, 'argument', { some: 1, there: { buffer: 8, show: 'nothing' } })],
  }),
];

export const HVM_OPERATIONS: readonly Operation[] = [...HVM_OP, ...HEARD_BY_NOBODY, ...DM_OP, ...NOT_BUILT];
