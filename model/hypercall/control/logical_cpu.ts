/** What the mca hypercall tells of the one processor. Chapter: spec/chapters/privileged.md. */
import { MCA_CAPABILITY, mca, XEN_CPU_CAPS, XEN_VENDOR_AMD } from '#spec/abi/mca.ts';
import type { CpuidLeaf, MachineConfig } from '#spec/config.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { signatureOf } from '../../cpu/x86/signature.ts';
import { withFields } from '../guest_struct.ts';

const NOTHING = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
type Registers = Pick<CpuidLeaf, 'eax' | 'ebx' | 'ecx' | 'edx'>;

const leafOf = ({ cpu }: MachineConfig, leaf: number, subleaf: number | null = null): Registers =>
  cpu.cpuid.find((row) => row.leaf === leaf && row.subleaf === subleaf) ?? NOTHING;

/** Leaves whose registers are the 48 characters of the processor's name, and its maker's registers in their order. */
const NAME_LEAVES = [0x80000002, 0x80000003, 0x80000004];
const nameOf = (config: MachineConfig): readonly number[] =>
  NAME_LEAVES.flatMap((leaf) => {
    const { eax, ebx, ecx, edx } = leafOf(config, leaf);
    return [eax, ebx, ecx, edx];
  });

/** In KB: what the third level says, in units of 512. */
const cacheSize = (config: MachineConfig): number => (leafOf(config, 0x80000006).edx >>> 18) * 512;
/** In bytes: what CLFLUSH flushes, told in units of 8. */
const cacheLine = (config: MachineConfig): number => ((leafOf(config, 1).ebx >>> 8) & 0xff) * 8;

/** The 304 bytes about processor 0. Clause `mca/physcpuinfo-processor`. */
export const describeProcessor = (config: MachineConfig): Uint8Array => {
  const { logical_cpu } = mca;
  const { ebx, edx, ecx, eax: level } = leafOf(config, 0);
  const { family, model, stepping } = signatureOf(leafOf(config, 1).eax);
  const bytes = withFields(new Uint8Array(logical_cpu.size), logical_cpu, {
    clusterid: leafOf(config, 1).ebx >>> 24,
    ncores: 1,
    ncores_active: 1,
    nthreads: 1,
    cpuid_level: level,
    family,
    vendor: XEN_VENDOR_AMD,
    model,
    step: stepping,
    cache_size: cacheSize(config),
    cache_alignment: cacheLine(config),
    nmsrvals: 1,
    msr: MCA_CAPABILITY.msr,
    msr_value: Number(MCA_CAPABILITY.value),
  });
  const { vendorid, brandid, cpu_caps } = logical_cpu.fields;
  putWords(bytes, vendorid.at, [ebx, edx, ecx]);
  putWords(bytes, brandid.at, nameOf(config));
  putWords(bytes, cpu_caps.at, capabilityWords(config));
  return bytes;
};

/** The processor's features as Xen keeps them. */
export const capabilityWords = (config: MachineConfig): readonly number[] =>
  XEN_CPU_CAPS[waysOf(config.release)['physinfo-features']].map(
    ({ leaf, subleaf, register, without }) => leafOf(config, leaf, subleaf)[register] & ~without,
  );

const putWords = (bytes: Uint8Array, at: number, words: readonly number[]): void => {
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setUint32(at + 4 * i, word >>> 0, true);
};
