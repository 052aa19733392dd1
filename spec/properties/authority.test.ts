import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { VcpuObservation } from '../observation.ts';
import { authority } from './authority.ts';
import { domain, frame, small, vcpu } from './testing/small_machine.ts';

/** What is said of vCPU 0 of domain 0. A 32-bit one has a base table that is Xen's: no frame of a domain. */
const told = (change: Partial<VcpuObservation>, frames = [frame(0x500)]): readonly string[] => [
  ...authority.violations(small({ domains: [domain(0, { vcpus: [vcpu(change)] })], frames })),
];

test.each<readonly [change: Partial<VcpuObservation>, what: readonly string[]]>([
  [{}, []],
  [{ cs: 0xe031 }, ['d0v0: CS e031 is of ring 1']],
  [{ cs: 0xe032, initialised: false }, []],
  [{ cs: 0 }, ['d0v0: CS 0 is of ring 0']],
  [{ ss: 0xe028 }, ['d0v0: SS e028 is of ring 0']],
  [{ ss: 0xe02a }, ['d0v0: SS e02a is of ring 2']],
  [{ ss: 0 }, []],
  [{ ss: 2 }, []],
  [{ rflags: '0x2' }, ['d0v0: RFLAGS 0x2 keeps interrupts from Xen']],
  [{ rflags: '0x1202' }, ['d0v0: RFLAGS 0x1202 has IOPL or VM']],
  [{ rflags: '0x2202' }, ['d0v0: RFLAGS 0x2202 has IOPL or VM']],
  [{ rflags: '0x20202' }, ['d0v0: RFLAGS 0x20202 has IOPL or VM']],
  [{ rflags: '0x4ad7' }, []],
  [{ traps: [[3, 0, 0xe033, '0x0']] }, []],
  [{ traps: [[3, 0, 0, '0x0']] }, []],
  [
    {
      traps: [
        [3, 0, 0xe033, '0x0'],
        [14, 0, 0xe030, '0x0'],
      ],
    },
    ['d0v0: the handler of trap 14 has CS e030'],
  ],
])('a vCPU of a 64-bit domain with %o: %o', (change, what) => {
  expect(told(change)).toEqual(what);
  expect(told({ kernel_table: 0x500, ...change })).toEqual(what);
});

test('the kernel of a 32-bit domain runs in ring 1, and never in ring 0', () => {
  expect(told({ kernel_table: 0x600, cs: 0xe019, ss: 0xe021, traps: [[3, 0, 0xe019, '0x0']] })).toEqual([]);
  expect(told({ kernel_table: 0x600, cs: 0xe018, ss: 0xe020, traps: [[3, 0, 0xe018, '0x0']] })).toEqual([
    'd0v0: CS e018 is of ring 0',
    'd0v0: SS e020 is of ring 0',
    'd0v0: the handler of trap 3 has CS e018',
  ]);
});

test.each(['fs_base', 'gs_base', 'gs_base_other', 'event_callback', 'failsafe_callback', 'syscall_callback'] as const)(
  '%s is canonical when bits 48 to 63 are as bit 47 is',
  (name) => {
    const says = (address: string) => told({ [name]: address });
    for (const address of ['0x7fffffffffff', '0xffff800000000000', '0xffffffffffffffff']) expect(says(address)).toEqual([]);
    for (const address of ['0x800000000000', '0xffff7fffffffffff'])
      expect(says(address)).toEqual([`d0v0: ${name} ${address} is not canonical`]);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (address) => {
        const isExtended = BigInt.asUintN(64, BigInt.asIntN(48, address)) === address;
        return (says(`0x${address.toString(16)}`).length === 0) === isExtended;
      }),
    );
  },
);
