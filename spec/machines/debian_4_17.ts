/**
 * The default machine: what Debian's Xen 4.17 on `qemu-system-x86_64 -M pc -cpu max -m 512` with `dom0_mem=128M` shows to a
 * guest. Values measured on that machine.
 */
import type { DomainConfig, MachineConfig } from '../config.ts';
import { CPUID_QEMU_MAX, CPUID_QEMU_MAX_FORCED } from './cpuid_qemu_max.ts';
import { E820_QEMU_PC } from './e820_qemu_pc.ts';

const MIB = 256; // pages

/** Domain 0. */
export const dom0 = (cmdline = '', memoryMiB = 128, vcpus = 1): DomainConfig => ({ domid: 0, pages: memoryMiB * MIB, vcpus, cmdline });

/** An unprivileged domain; `domid` 1 and up. */
export const domU = (domid: number, cmdline = '', memoryMiB = 16): DomainConfig => ({ domid, pages: memoryMiB * MIB, vcpus: 1, cmdline });

export const debian_4_17 = (domains: readonly DomainConfig[] = [dom0()], lenient = false): MachineConfig => ({
  release: '4.17',
  frames: 0x1ffe0,
  pcpus: 1,
  layout: { m2p_first: 0x200, xenheap_first: 0x400, xenheap_end: 0x1000, domheap_first: 0x1000 },
  e820: E820_QEMU_PC.map(([address, size, type]) => [address, size, type]),
  xen: {
    major: 4,
    minor: 17,
    extraversion: '.7',
    compiler: 'x86_64-linux-gnu-gcc (Debian 12.2.0-14+deb12u1) 12.2.0',
    compile_by: 'pkg-xen-devel',
    compile_domain: 'lists.alioth.debian.org',
    compile_date: 'Wed Nov  4 16:52:28 UTC 2026',
    capabilities: 'xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ',
    changeset: '',
    commandline: 'console=com1 com1=115200,8n1 dom0_mem=128M',
    build_id: '151b373fd64b321593bf987fd923cd10dabadac4',
    virt_start: '0xffff800000000000',
    features_dom0: 0x228f0,
    features_domu: 0x220f0,
    verbose_debug: true,
    max_grant_frames: 64,
    max_maptrack_frames: 1024,
  },
  cpu: { cpuid: [...CPUID_QEMU_MAX], cpuid_forced: [...CPUID_QEMU_MAX_FORCED], tsc_khz: 1_000_000 },
  wallclock_sec: 1_577_836_800, // 2020-01-01, where recordings start QEMU's clock
  domains: [...domains],
  lenient,
});
