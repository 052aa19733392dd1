import { expect, it } from 'vitest';
import { type Ask, findPackages, packageVersion } from './packages.ts';
import { xenPeer } from './xen.ts';

const nothing: Ask = () => null;
const installed: Ask = (program, args) => {
  if (program === 'dpkg-query') return 'install ok installed 4.17.7-1';
  if (program === 'dpkg') return `/boot\n/boot/xen-4.17-amd64.config\n/boot/xen-4.17-amd64.efi\n/boot/xen-4.17-amd64.gz\n`;
  return args[0] === '--version' ? 'QEMU emulator version 7.2.22 (Debian)' : null;
};

it('names what is missing and how to get it', () => {
  expect(findPackages('4.17', '', nothing, '')).toEqual({
    missing:
      'not installed: xen-hypervisor-4.17-amd64, qemu-system-x86 (Debian 12: apt-get install --no-install-recommends xen-hypervisor-4.17-amd64 qemu-system-x86)',
  });
  expect(findPackages('4.17', '', installed, '')).toMatchObject({ missing: expect.stringMatching(/^not installed: qemu-system-x86 /) });
});

it('does not take a removed package for an installed one', () => {
  expect(packageVersion('xen', () => 'deinstall ok config-files 4.17.7-1')).toBeNull();
  expect(packageVersion('xen', () => 'install ok installed 4.17.7-1\n')).toBe('4.17.7-1');
});

it('is then unavailable, as a value', () => {
  expect(xenPeer({ missing: 'not installed: x' })).toEqual({ available: false, name: 'xen', why: 'not installed: x' });
});

it('says nothing of the folders it found things in', () => {
  const peer = xenPeer({ release: '4.17', hypervisor: '/boot/x.gz', qemu: '/usr/bin/q', xenVersion: '4.17.7', qemuVersion: '7.2' });
  const { available, name, version, details } = peer as Extract<typeof peer, { available: true }>;
  expect(JSON.stringify({ available, name, version, details })).not.toMatch(/\/(boot|usr)/);
});
