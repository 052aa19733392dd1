/**
 * The memory map that SeaBIOS gives Xen on `qemu-system-x86_64 -M pc -m 512`: address, size, type (1 RAM, 2 reserved). Measured: what
 * Xen 4.17 prints of it when it starts.
 */
export const E820_QEMU_PC: readonly (readonly [address: string, size: string, type: number])[] = [
  ['0x0', '0x9fc00', 1],
  ['0x9fc00', '0x400', 2],
  ['0xf0000', '0x10000', 2],
  ['0x100000', '0x1fee0000', 1],
  ['0x1ffe0000', '0x20000', 2],
  ['0xfffc0000', '0x40000', 2],
  ['0xfd00000000', '0x300000000', 2],
];
