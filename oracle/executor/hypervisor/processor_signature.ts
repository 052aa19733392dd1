/** What the machine's CPUID says of its processors. */
import type { CpuidLeaf, MachineConfig } from '#spec/config.ts';

/** The answer to one leaf; undefined reads as zeros. */
export const cpuidRow = ({ cpu }: MachineConfig, leaf: number, subleaf: number | null): CpuidLeaf | undefined =>
  cpu.cpuid.find((row) => row.leaf >>> 0 === leaf && (row.subleaf === null || row.subleaf === subleaf));

const POWER_LEAF = 0x80000007;
const INVARIANT_TSC = 1 << 8;

/** The time-stamp counter has the same rate whatever the processor does. */
export const isTscInvariant = ({ config }: { readonly config: MachineConfig }): boolean =>
  ((cpuidRow(config, POWER_LEAF, null)?.edx ?? 0) & INVARIANT_TSC) !== 0;

/** Family and model with their extensions, and stepping. */
export const processorSignature = (
  config: MachineConfig,
): { readonly family: number; readonly model: number; readonly stepping: number } => {
  const signature = cpuidRow(config, 1, null)?.eax ?? 0;
  const family = (signature >>> 8) & 0xf;
  const hasModelExtension = family === 0xf || family === 6;
  return {
    family: family === 0xf ? family + ((signature >>> 20) & 0xff) : family,
    model: ((signature >>> 4) & 0xf) | (hasModelExtension ? (signature >>> 12) & 0xf0 : 0),
    stepping: signature & 0xf,
  };
};
