import { expect, it } from 'vitest';
import { BadInput } from '#spec/failure.ts';
import { debian_4_17, dom0, domU } from '#spec/machines/debian_4_17.ts';
import { checkMachine, qemuArguments, xenCommandline } from './qemu.ts';

const after = (args: readonly string[], option: string): string | undefined => args[args.indexOf(option) + 1];

it('is the machine of the configuration', () => {
  const args = qemuArguments(debian_4_17());
  expect(after(args, '-m')).toBe('512');
  expect(after(args, '-append')).toBe('console=com1 com1=115200,8n1 dom0_mem=128M');
  expect(after(args, '-initrd')).toBe('image.elf');
});

it("gives domain 0 its memory and its command line, commas doubled as QEMU's list of modules wants", () => {
  const machine = debian_4_17([dom0('root=a,b quiet', 64)]);
  expect(xenCommandline(machine)).toBe('console=com1 com1=115200,8n1 dom0_mem=64M');
  expect(after(qemuArguments(machine), '-initrd')).toBe('image.elf root=a,,b quiet');
});

it('gives domain 0 a module for domain 1', () => {
  expect(after(qemuArguments(debian_4_17([dom0('x'), domU(1)])), '-initrd')).toBe('image.elf x,module.elf');
});

it.each([
  ['three domains', debian_4_17([dom0(), domU(1), domU(2)])],
  ['another second domain', debian_4_17([dom0(), domU(2)])],
  ['no domain 0', debian_4_17([domU(1)])],
  ['odd memory', debian_4_17([{ ...dom0(), pages: 1000 }])],
  ['more vCPUs than CPUs', debian_4_17([{ ...dom0(), vcpus: 2 }])],
])('refuses %s in one line', (_, machine) => {
  expect(() => checkMachine(machine)).toThrow(BadInput);
});
