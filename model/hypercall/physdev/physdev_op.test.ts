/** Interrupts of devices and PCI, in the order of Xen's checks: as domain 0, and as another domain. */
import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { ERRNO, type Errno } from '#spec/abi/errno.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { ARGUMENTS, DOM0, DOM1, pokeWords, twoDomains } from '../../testing/guest.ts';
import { hypercall } from '../../testing/step.ts';

const machine = twoDomains(ONE_PAGE_KERNEL);
const NOWHERE = 0x10000000;
const HIGH = 2n ** 32n;

type Answer = Errno | 'done' | 'not modelled';
type Name = keyof typeof SUBOPERATIONS.physdev_op;
const answer = (caller: VcpuRef, name: Name, address: number, argument: bigint[]): Answer => {
  const m = pokeWords(machine, caller, [...argument, 0n, 0n, 0n, 0n, 0n]);
  try {
    const { rc } = hypercall({ ...m, cpus: [{ current: caller }] }, caller, 'physdev_op', SUBOPERATIONS.physdev_op[name], address);
    return rc === 0 ? 'done' : ((Object.entries(ERRNO) as [Errno, number][]).find(([, value]) => value === -rc)?.[0] ?? 'not modelled');
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('not modelled')) return 'not modelled';
    throw error;
  }
};

describe('physdev_op', () => {
  it.each<[Name, number, bigint[], Answer, Answer]>([
    ['irq_unmask_notify', NOWHERE, [], 'done', 'done'],
    ['irq_status_query', NOWHERE, [], 'EFAULT', 'EFAULT'],
    ['irq_status_query', ARGUMENTS, [55n], 'done', 'done'],
    ['irq_status_query', ARGUMENTS, [56n], 'EINVAL', 'done'],
    ['irq_status_query', ARGUMENTS, [208n], 'EINVAL', 'EINVAL'],
    ['eoi', NOWHERE, [], 'EFAULT', 'EFAULT'],
    ['eoi', ARGUMENTS, [16n], 'EINVAL', 'EINVAL'],
    ['get_free_pirq', NOWHERE, [], 'EFAULT', 'EFAULT'],
    ['get_free_pirq', ARGUMENTS, [1n], 'done', 'done'],
    ['map_pirq', NOWHERE, [], 'EFAULT', 'EFAULT'],
    ['map_pirq', ARGUMENTS, [4n * HIGH + 9n, 0n, 0n, 0n, 1n], 'EINVAL', 'EINVAL'],
    ['map_pirq', ARGUMENTS, [9n], 'ESRCH', 'ESRCH'],
    ['map_pirq', ARGUMENTS, [BigInt(DOMID.SELF)], 'EPERM', 'EINVAL'],
    ['unmap_pirq', NOWHERE, [], 'EFAULT', 'EFAULT'],
    ['unmap_pirq', ARGUMENTS, [9n], 'ESRCH', 'ESRCH'],
    ['unmap_pirq', ARGUMENTS, [BigInt(DOMID.SELF)], 'EPERM', 'EINVAL'],
    ['alloc_irq_vector', NOWHERE, [], 'EFAULT', 'EFAULT'],
    ['alloc_irq_vector', ARGUMENTS, [5n], 'EPERM', 'done'],
    ['free_irq_vector', NOWHERE, [], 'ENOSYS', 'ENOSYS'],
    ['apic_read', NOWHERE, [], 'EFAULT', 'EFAULT'],
    ['apic_write', ARGUMENTS, [], 'EPERM', 'not modelled'],
    ['setup_gsi', ARGUMENTS, [24n], 'EINVAL', 'EINVAL'],
    ['setup_gsi', ARGUMENTS, [23n], 'EPERM', 'done'],
    ['setup_gsi', ARGUMENTS, [4n], 'EPERM', 'EEXIST'],
    ['manage_pci_add', ARGUMENTS, [], 'EPERM', 'not modelled'],
    ['manage_pci_remove', ARGUMENTS, [], 'EPERM', 'ENODEV'],
    ['manage_pci_add_ext', ARGUMENTS, [0n, 2n], 'EINVAL', 'EINVAL'],
    ['manage_pci_add_ext', ARGUMENTS, [HIGH, 1n], 'EPERM', 'not modelled'],
    ['pci_mmcfg_reserved', NOWHERE, [], 'EPERM', 'EFAULT'],
    ['pci_mmcfg_reserved', ARGUMENTS, [], 'EPERM', 'ENODEV'],
    ['pci_device_add', NOWHERE, [], 'EFAULT', 'EFAULT'],
    ['pci_device_add', ARGUMENTS, [4n * HIGH], 'EPERM', 'not modelled'],
    ['pci_device_remove', ARGUMENTS, [], 'EPERM', 'ENODEV'],
    ['restore_msi', ARGUMENTS, [], 'ENODEV', 'ENODEV'],
    ['restore_msi_ext', NOWHERE, [], 'EFAULT', 'EFAULT'],
    ['prepare_msix', ARGUMENTS, [], 'EPERM', 'ENODEV'],
    ['dbgp_op', NOWHERE, [], 'EPERM', 'EFAULT'],
    ['dbgp_op', ARGUMENTS, [], 'EPERM', 'done'],
  ])('%s of %s %s', (name, address, argument, domU, dom0) => {
    expect([answer(DOM1, name, address, argument), answer(DOM0, name, address, argument)]).toEqual([domU, dom0]);
  });
});

it('gives away the GSIs from the lowest, then other numbers from the highest, until none is left', () => {
  const { get_free_pirq, eoi } = SUBOPERATIONS.physdev_op;
  let m = { ...machine, cpus: [{ current: DOM1 }] };
  const take = (type: bigint): number => {
    const after = hypercall(pokeWords(m, DOM1, [type]), DOM1, 'physdev_op', get_free_pirq, ARGUMENTS);
    m = { ...m, ...after.machine, cpus: [{ current: DOM1 }] };
    return after.rc;
  };
  const rcs = Array.from({ length: 56 - 16 }, () => take(1n));
  expect([rcs.every((rc) => rc === 0), take(1n), take(0n)]).toEqual([true, -ERRNO.ENOSPC, -ERRNO.ENOSPC]);
  const end = (pirq: bigint) => hypercall(pokeWords(m, DOM1, [pirq]), DOM1, 'physdev_op', eoi, ARGUMENTS).rc;
  expect([end(15n), end(16n), end(55n), end(56n)]).toEqual([-ERRNO.EINVAL, 0, 0, -ERRNO.EINVAL]);
});
