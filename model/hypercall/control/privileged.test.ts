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
    ['privilege', ARGUMENTS, head(2, 0x15, 0), 'EPERM', 'not modelled'],
    ['createdomain looks for nobody', ARGUMENTS, head(1, 0x15, 5), 'EPERM', 'not modelled'],
    ['getdomaininfo of a reserved number', ARGUMENTS, head(5, 0x15, 0x7ff0), 'EINVAL', 'EINVAL'],
    ['getdomaininfo behind the last', ARGUMENTS, head(5, 0x15, 2), 'ESRCH', 'ESRCH'],
    ['getdomaininfo', ARGUMENTS, head(5, 0x15, 1), 'EPERM', 'not modelled'],
    ['iomem_permission that wraps', ARGUMENTS, [...head(20, 0x15), 5n, 0n], 'EINVAL', 'EINVAL'],
    ['iomem_permission of the last frame', ARGUMENTS, [...head(20, 0x15), 2n ** 64n - 1n, 1n], 'EPERM', 'not modelled'],
    ['assign_device to nobody', ARGUMENTS, head(37, 0x15, DOMID.INVALID), 'ESRCH', 'ESRCH'],
    ['assign_device to the quarantine domain', ARGUMENTS, head(37, 0x15, DOMID.IO), 'EPERM', 'not modelled'],
  ])('%s', (_, address, argument, domU, dom0) => {
    expect([answer(DOM1, 'domctl', [address], argument), answer(DOM0, 'domctl', [address], argument)]).toEqual([domU, dom0]);
  });
});

describe('sysctl', () => {
  it.each<[number, bigint[], Answer, Answer]>([
    [NOWHERE, [], 'EFAULT', 'EFAULT'],
    [ARGUMENTS, head(3, 0x14), 'EACCES', 'EACCES'],
    [ARGUMENTS, head(3, 0x15), 'EPERM', 'not modelled'],
  ])('%#', (address, argument, domU, dom0) => {
    expect([answer(DOM1, 'sysctl', [address], argument), answer(DOM0, 'sysctl', [address], argument)]).toEqual([domU, dom0]);
  });
});

it.each(['kexec_op', 'hypfs_op'] as const)('%s asks for privilege before its arguments', (call) => {
  expect([answer(DOM1, call, [99, NOWHERE]), answer(DOM0, call, [99, NOWHERE])]).toEqual(['EPERM', 'not modelled']);
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
  [0, 'not modelled'],
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
