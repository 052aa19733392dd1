/** The machine that a run happens on, as data: it stands in the header of every trace. */
import { z } from 'zod';
import { E820_QEMU_PC } from './machines/e820_qemu_pc.ts';
import { XEN_RELEASES } from './releases/release.ts';

const hex = z.string().regex(/^0x[0-9a-f]{1,16}$/);
/** Printable ASCII: each character is one byte for the guest. */
const text = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[\x20-\x7e]*$/);
const mfn = z.int().min(0).max(0x3ffffff);

/** One CPUID leaf as the guest reads it: leaf, subleaf (or null for any), EAX EBX ECX EDX. */
export const CpuidLeaf = z.object({ leaf: z.int(), subleaf: z.int().nullable(), eax: z.int(), ebx: z.int(), ecx: z.int(), edx: z.int() });
export type CpuidLeaf = z.infer<typeof CpuidLeaf>;

/** A domain to build before the first input. Domain 0 comes first; images are handed over beside the configuration. */
export const DomainConfig = z.object({
  domid: z.int().min(0).max(0x7fef),
  /** Size of the pseudo-physical memory in 4 KiB pages. */
  pages: z.int().min(64).max(0x400000),
  vcpus: z.int().min(1).max(32),
  cmdline: text(1023),
  /** Bytes of its initial RAM disk, which is handed over behind the domains' images (in the order of the domains that have one). */
  initrd: z.int().min(1).max(0x40000000).optional(),
  /** Most pages that it may have; absent: `pages`, and no limit for domain 0. */
  max_pages: z.int().min(1).max(0xffffffff).optional(),
});
export type DomainConfig = z.infer<typeof DomainConfig>;

export const MachineConfig = z.object({
  /** Which Xen: what a release does otherwise than the clauses say stands in spec/releases/. */
  release: z.enum(XEN_RELEASES),
  /** RAM in 4 KiB frames. */
  frames: z.int().min(1024).max(0x400000),
  pcpus: z.int().min(1).max(16),
  /** Where Xen takes frames from. Xen leaves the choice open (looseness `open/frame-choice`); a run pins it. */
  layout: z.object({
    /** Xen heap: [first, end). Handed out lowest first: M2P tables, then per domain shared_info and grant frames. */
    xenheap_first: mfn,
    xenheap_end: mfn,
    /** First of the frames that hold the machine-to-physical table; aligned to 512 frames. */
    m2p_first: mfn,
    /**
     * The same for the table of 32-bit domains, of four bytes a frame. It is there when a domain of the machine has a 32-bit kernel, and then
     * has to be given.
     */
    compat_m2p_first: mfn.optional(),
    /** Domain memory: each domain is one contiguous run of frames, in the order of `domains`, from here up. */
    domheap_first: mfn,
  }),
  /** The firmware's memory map: rows of address, size and type (E820_*), ascending. */
  e820: z
    .array(z.tuple([hex, hex, z.int().min(0).max(0xffffffff)]))
    .max(128)
    .default(E820_QEMU_PC.map(([address, size, type]) => [address, size, type])),
  xen: z.object({
    major: z.int(),
    minor: z.int(),
    extraversion: text(15),
    compiler: text(63),
    compile_by: text(15),
    compile_domain: text(31),
    compile_date: text(31),
    capabilities: text(1023),
    changeset: text(63),
    commandline: text(1023),
    /** Bytes as hex digits. */
    build_id: z.string().regex(/^([0-9a-f]{2})*$/),
    virt_start: hex,
    /** Feature submap 0 as dom0 and as another domain read it. */
    features_dom0: z.int(),
    features_domu: z.int(),
    /**
     * Whether Xen was built with VERBOSE_DEBUG, which lets every domain write by CONSOLEIO_write. Release builds, Debian's among
     * them, let dom0 alone; a machine whose domains are to be heard needs it.
     */
    verbose_debug: z.boolean().default(true),
    max_grant_frames: z.int().min(1),
    max_maptrack_frames: z.int().min(1),
  }),
  cpu: z.object({
    /** What CPUID answers natively. */
    cpuid: z.array(CpuidLeaf),
    /** What Xen answers behind its forced-emulation prefix (ud2, "xen", cpuid). */
    cpuid_forced: z.array(CpuidLeaf),
    tsc_khz: z.int().min(1),
  }),
  /** Wall clock at boot in seconds since 1970; never printed by generated programs. */
  wallclock_sec: z.int().min(0),
  domains: z.array(DomainConfig).min(1).max(16),
  /**
   * What is behind domain 0's ports. Absent: the devices of a PC, which are not modelled, so that a port which would reach one stops the
   * run. `empty`: none. Chapter: spec/chapters/host.md.
   */
  host: z.enum(['empty']).optional(),
  /** Answer what is not modelled with -ENOSYS and an event instead of stopping. */
  lenient: z.boolean(),
});
export type MachineConfig = z.infer<typeof MachineConfig>;
