/**
 * The modes in which an x86-64 processor takes instructions apart and carries them out. CR0.PE, RFLAGS.VM, EFER.LMA and the L and D
 * bits of CS's descriptor choose: Intel SDM volume 3, 2.2 and 9.8; AMD APM volume 2, 1.3.
 *
 * - `real`, `v86`: 16-bit code; segment bases are the selector times 16; `v86` runs at CPL 3 under a protected mode kernel.
 * - `prot16`, `prot32`: protected mode without long mode, default sizes by CS.D.
 * - `compat16`, `compat32`: the same code under a 64-bit kernel (EFER.LMA = 1, CS.L = 0).
 * - `64`: EFER.LMA = 1, CS.L = 1.
 */
export const X86_MODES = ['real', 'v86', 'prot16', 'prot32', 'compat16', 'compat32', '64'] as const;
export type X86Mode = (typeof X86_MODES)[number];

/** Default size of operands and addresses in bits; operands of 64-bit mode default to 32 nevertheless. */
export const ADDRESS_BITS: Readonly<Record<X86Mode, 16 | 32 | 64>> = {
  real: 16,
  v86: 16,
  prot16: 16,
  prot32: 32,
  compat16: 16,
  compat32: 32,
  '64': 64,
};

/** What decoding depends on: everything else of a mode shows only when an instruction is carried out. */
export type DecodeMode = '16' | '32' | '64';
export const decodeMode = (mode: X86Mode): DecodeMode => String(ADDRESS_BITS[mode]) as DecodeMode;
