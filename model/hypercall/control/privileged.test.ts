/** What is refused, in its order: each row makes the mistakes of those before it good, one after another. */
import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { ERRNO, type Errno } from '#spec/abi/errno.ts';
import type { HypercallName } from '#spec/abi/hypercall.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { ARGUMENTS, DOM0, DOM1, pokeWords, twoDomains } from '../../testing/guest.ts';
import { hypercall } from '../../testing/step.ts';

const machine = twoDomains(ONE_PAGE_KERNEL);
const NOWHERE = 0x10000000;
/** cmd, interface version and domain, as domctls begin. */
const head = (cmd: number, version: number, domain = 0): bigint[] => [BigInt(version) * 2n ** 32n + BigInt(cmd), BigInt(domain)];

type Answer = Errno | 'not modelled';
const answer = (caller: VcpuRef, call: HypercallName, args: (number | bigint)[], argument: (number | bigint)[] = []): Answer => {
  const { machine: m } = { machine: pokeWords(machine, caller, [...argument, ...Array.from({ length: 18 - argument.length }, () => 0)]) };
  try {
    const { rc } = hypercall({ ...m, cpus: [{ current: caller }] }, caller, call, ...args);
    return (Object.entries(ERRNO) as [Errno, number][]).find(([, value]) => value === -rc)?.[0] ?? 'not modelled';
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('not modelled')) return 'not modelled';
    throw error;
  }
};

describe('domctl', () => {
  it.each<[string, number, bigint[], Answer, Answer]>([
    ['an argument that cannot be read', NOWHERE, [], 'EFAULT', 'EFAULT'],
    ['another version', ARGUMENTS, head(2, 0x14, 5), 'EACCES', 'EACCES'],
    ['a domain that is not there', ARGUMENTS, head(2, 0x15, 5), 'ESRCH', 'ESRCH'],
    ['DOMID_SELF', ARGUMENTS, head(2, 0x15, DOMID.SELF), 'ESRCH', 'ESRCH'],
    ['privilege', ARGUMENTS, head(2, 0x15, 0), 'EPERM', 'EINVAL'],
    ['createdomain looks for nobody', ARGUMENTS, head(1, 0x15, 5), 'EPERM', 'EINVAL'],
    ['getdomaininfo of a reserved number', ARGUMENTS, head(5, 0x15, 0x7ff0), 'EINVAL', 'EINVAL'],
    ['getdomaininfo behind the last', ARGUMENTS, head(5, 0x15, 2), 'ESRCH', 'ESRCH'],
    ['getdomaininfo', ARGUMENTS, head(5, 0x15, 1), 'EPERM', 'not modelled'],
    ['iomem_permission that wraps', ARGUMENTS, [...head(20, 0x15), 5n, 0n], 'EINVAL', 'EINVAL'],
    ['iomem_permission of the last frame', ARGUMENTS, [...head(20, 0x15), 2n ** 64n - 1n, 1n], 'EPERM', 'EPERM'],
    ['irq_permission of no interrupt of a domain\u2019s', ARGUMENTS, [...head(19, 0x15), 56n], 'EINVAL', 'EPERM'],
    ['irq_permission of one that nothing is mapped to', ARGUMENTS, [...head(19, 0x15), 55n], 'EPERM', 'EPERM'],
    ['irq_permission for nobody', ARGUMENTS, [...head(19, 0x15, 5), 999n], 'ESRCH', 'ESRCH'],
    ['ioport_permission of none', ARGUMENTS, [...head(21, 0x15), 5n], 'EINVAL', 'EINVAL'],
    ['ioport_permission of all and one more', ARGUMENTS, [...head(21, 0x15), 65537n * 2n ** 32n], 'EINVAL', 'EINVAL'],
    ['ioport_permission of all', ARGUMENTS, [...head(21, 0x15), 65536n * 2n ** 32n], 'EPERM', 'EPERM'],
    ['bind_pt_irq', ARGUMENTS, head(38, 0x15), 'EINVAL', 'EINVAL'],
    ['unbind_pt_irq', ARGUMENTS, head(48, 0x15), 'EINVAL', 'EINVAL'],
    ['ioport_mapping', ARGUMENTS, head(40, 0x15), 'EOPNOTSUPP', 'EOPNOTSUPP'],
    ['get_device_group', ARGUMENTS, head(50, 0x15), 'EOPNOTSUPP', 'EOPNOTSUPP'],
    ['memory_mapping of a frame too high', ARGUMENTS, [...head(39, 0x15), 0n, 2n ** 28n, 1n], 'EINVAL', 'EINVAL'],
    ['memory_mapping whose frames of the guest wrap', ARGUMENTS, [...head(39, 0x15), 2n ** 64n - 1n, 0n, 2n], 'EINVAL', 'EINVAL'],
    ['set_target to nobody', ARGUMENTS, [...head(46, 0x15), BigInt(DOMID.SELF)], 'ESRCH', 'ESRCH'],
    ['set_target to itself', ARGUMENTS, [...head(46, 0x15, 1), 1n], 'EINVAL', 'EINVAL'],
    ['set_target', ARGUMENTS, [...head(46, 0x15, 1), 0n], 'EOPNOTSUPP', 'EOPNOTSUPP'],
    ['vm_event_op of nobody', ARGUMENTS, head(56, 0x15, DOMID.INVALID), 'ESRCH', 'ESRCH'],
    ['vm_event_op', ARGUMENTS, head(56, 0x15, 1), 'EPERM', 'ENOSYS'],
    ['assign_device to nobody', ARGUMENTS, head(37, 0x15, DOMID.INVALID), 'ESRCH', 'ESRCH'],
    ['assign_device to the quarantine domain', ARGUMENTS, head(37, 0x15, DOMID.IO), 'EPERM', 'EOPNOTSUPP'],
  ])('%s', (_, address, argument, domU, dom0) => {
    expect([answer(DOM1, 'domctl', [address], argument), answer(DOM0, 'domctl', [address], argument)]).toEqual([domU, dom0]);
  });
});

describe('sysctl', () => {
  it.each<[number, bigint[], Answer, Answer]>([
    [NOWHERE, [], 'EFAULT', 'EFAULT'],
    [ARGUMENTS, head(3, 0x14), 'EACCES', 'EACCES'],
    [ARGUMENTS, head(3, 0x15), 'EPERM', 'not modelled'],
    [ARGUMENTS, head(5, 0x15), 'EPERM', 'ENOSYS'],
    [ARGUMENTS, head(20, 0x15), 'EPERM', 'EOPNOTSUPP'],
    [ARGUMENTS, head(21, 0x15), 'EPERM', 'ENODEV'],
  ])('%#', (address, argument, domU, dom0) => {
    expect([answer(DOM1, 'sysctl', [address], argument), answer(DOM0, 'sysctl', [address], argument)]).toEqual([domU, dom0]);
  });
});

it.each([
  ['kexec_op', 'not modelled'],
  ['hypfs_op', 'EINVAL'],
] as const)('%s asks for privilege before its arguments', (call, dom0) => {
  expect([answer(DOM1, call, [99, NOWHERE]), answer(DOM0, call, [99, NOWHERE])]).toEqual(['EPERM', dom0]);
});

const MCA = 0x01ecc003;
it.each<[string, number, bigint[], Answer]>([
  ['an argument that cannot be read', NOWHERE, [], 'EFAULT'],
  ['another version', ARGUMENTS, head(1, 1), 'EACCES'],
  ['a command that is none', ARGUMENTS, head(2, MCA), 'EINVAL'],
  ['both queues', ARGUMENTS, [head(1, MCA)[0]!, 3n], 'EINVAL'],
  ['no place for the entry', ARGUMENTS, [head(1, MCA)[0]!, 1n], 'EINVAL'],
  ['room for no processor', ARGUMENTS, [head(3, MCA)[0]!, 0n, 8n], 'EINVAL'],
  ['room for fewer than none', ARGUMENTS, [head(3, MCA)[0]!, 2n ** 31n, 8n], 'ENOMEM'],
  ['processors nowhere', ARGUMENTS, [head(3, MCA)[0]!, 1n, BigInt(NOWHERE)], 'EFAULT'],
  ['machine checks of one\u2019s own making', ARGUMENTS, head(4, MCA), 'not modelled'],
])('mca: %s', (_, address, argument, dom0) => {
  expect([answer(DOM1, 'mca', [address], argument), answer(DOM0, 'mca', [address], argument)]).toEqual(['EPERM', dom0]);
});

it.each(['xsm_op', 'tmem_op', 'argo_op'] as const)('%s is not there', (call) => {
  expect(answer(DOM0, call, [1, NOWHERE])).toBe('ENOSYS');
});

describe('paging_domctl_cont', () => {
  it.each<[number, bigint[], Answer]>([
    [NOWHERE, [], 'EFAULT'],
    [ARGUMENTS, head(11, 0x15, 5), 'EOPNOTSUPP'],
    [ARGUMENTS, head(10, 0x14, 5), 'EOPNOTSUPP'],
    [ARGUMENTS, head(10, 0x15, 5), 'ESRCH'],
    [ARGUMENTS, head(10, 0x15, 1), 'EPERM'],
  ])('%#', (address, argument, expected) => {
    expect(answer(DOM1, 'paging_domctl_cont', [address], argument)).toBe(expected);
  });
});

it.each<[number | bigint, Answer]>([
  [18, 'EINVAL'],
  [0xffffffff, 'EINVAL'],
  [1, 'EPERM'],
  [2n ** 32n + 1n, 'EPERM'],
  [0, 'EFAULT'],
  [14, 'not modelled'],
])('xenoprof_op %s', (op, expected) => {
  expect(answer(DOM1, 'xenoprof_op', [op, NOWHERE])).toBe(expected);
});

describe('hvm_op', () => {
  it.each<[string, number | bigint, number, bigint[], Answer]>([
    ['an unknown command', 77, NOWHERE, [], 'ENOSYS'],
    ['a command of more than 32 bits', 2n ** 32n, NOWHERE, [], 'ENOSYS'],
    ['get_param that cannot be read', 1, NOWHERE, [], 'EFAULT'],
    ['get_param of an index that is none', 1, ARGUMENTS, [39n * 2n ** 32n + 5n], 'EINVAL'],
    ['get_param of nobody', 1, ARGUMENTS, [38n * 2n ** 32n + 5n], 'ESRCH'],
    ['set_param of a PV domain, anybody\u2019s', 0, ARGUMENTS, [0n], 'EINVAL'],
    ['flush_tlbs', 5, NOWHERE, [], 'EINVAL'],
    ['pagetable_dying of another', 9, ARGUMENTS, [0n], 'EOPNOTSUPP'],
    ['pagetable_dying of oneself', 9, ARGUMENTS, [BigInt(DOMID.SELF)], 'EINVAL'],
    ['get_mem_type of nobody', 15, ARGUMENTS, [7n], 'ESRCH'],
    ['get_mem_type of another', 15, ARGUMENTS, [0n], 'EPERM'],
    ['get_mem_type of oneself', 15, ARGUMENTS, [1n], 'EINVAL'],
    ['altp2m', 25, NOWHERE, [], 'EOPNOTSUPP'],
    ['get_time', 10, ARGUMENTS, [], 'not modelled'],
  ])('%s', (_, op, address, argument, expected) => {
    expect(answer(DOM1, 'hvm_op', [op, address], argument)).toBe(expected);
  });
});

it.each<[string, number[], Answer]>([
  ['no buffers', [5, 0, NOWHERE], 'ENODATA'],
  ['three', [5, 3, NOWHERE], 'E2BIG'],
  ['that cannot be read', [5, 2, NOWHERE], 'EFAULT'],
  ['of nobody', [5, 2, ARGUMENTS], 'ESRCH'],
  ['of DOMID_SELF', [DOMID.SELF, 1, ARGUMENTS], 'ESRCH'],
  ['of oneself', [0x10001, 1, ARGUMENTS], 'EPERM'],
  ['of a PV domain', [0, 1, ARGUMENTS], 'EINVAL'],
])('dm_op: %s', (_, args, expected) => {
  expect(answer(DOM1, 'dm_op', args)).toBe(expected);
});
