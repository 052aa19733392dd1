/** Whether a guest may use ports: by its virtual IOPL, or by the bitmap that its kernel has named. */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { injectPageFault } from './inject.ts';
import type { Emulation } from './privileged.ts';

/** CR4.DE. */
const CR4_DE = 8;
const NO_ACCESS = 0xff;
/** Bytes of a breakpoint by its length field. */
const LENGTHS = [1, 2, 8, 4] as const;

/** Enough I/O privilege: guest kernel counts as ring 1, or as ring 0 with the architectural_iopl assist. */
export const hasIopl = (vcpu: Vcpu): boolean => {
  const architectural = (vcpu.domain.vmAssist & (1 << VMASST_TYPE.architectural_iopl)) !== 0;
  return (vcpu.kernelMode ? (architectural ? 0 : 1) : 3) <= vcpu.iopl;
};

/** Null for who may. Two bytes of the bitmap are read through the kernel's page tables; what cannot be read allows nothing. */
export const refusePort = (machine: Machine, vcpu: Vcpu, port: number, bytes: number): Emulation | null => {
  if (hasIopl(vcpu)) return null;
  const { ioBitmap } = vcpu;
  if (ioBitmap === null || port + bytes > ioBitmap.ports) return 'refused';
  const first = bitmapByte(machine, vcpu, port >>> 3);
  const second = first < 0 ? NO_ACCESS : bitmapByte(machine, vcpu, (port >>> 3) + 1);
  if ((first < 0 || second < 0) && machine.ways['port-bitmap_fault'] === '#PF')
    return bitmapFault(machine, vcpu, (port >>> 3) + bytes - (first < 0 ? 2 : 1));
  const mask = (first < 0 ? NO_ACCESS : first) | ((second < 0 ? NO_ACCESS : second) << 8);
  return (mask & (((1 << bytes) - 1) << (port & 7))) === 0 ? null : 'refused';
};

const bitmapFault = (machine: Machine, vcpu: Vcpu, offset: number): Emulation => {
  const { lo, hi } = vcpu.ioBitmap!;
  const low = (lo >>> 0) + offset;
  injectPageFault(machine, vcpu, 0, low | 0, low < 0 ? (hi - 1) | 0 : low > 0xffffffff ? (hi + 1) | 0 : hi);
  return 'exception';
};

const bitmapByte = (machine: Machine, vcpu: Vcpu, index: number): number => {
  const { lo, hi } = vcpu.ioBitmap!;
  const low = (lo >>> 0) + index;
  const at = machine.translate(vcpu.kernelTable, low | 0, low > 0xffffffff ? (hi + 1) | 0 : hi, false);
  return at < 0 ? -1 : machine.memory.bytes[at];
};

/** The breakpoints on I/O that an access hits, as bits of DR6. Xen keeps these itself: the processor does not see them. */
export const ioBreakpoints = (vcpu: Vcpu, port: number, bytes: number): number => {
  if (vcpu.dr7Io === 0 || (vcpu.cr4 & CR4_DE) === 0) return 0;
  let hits = 0;
  for (let i = 0; i < 4; i++) {
    if ((vcpu.dr7Io & (3 << (2 * i))) === 0) continue;
    const width = LENGTHS[(vcpu.dr7 >>> (18 + 4 * i)) & 3];
    const start = (vcpu.dr[2 * i] >>> 0) + (vcpu.dr[2 * i + 1] >>> 0) * 2 ** 32;
    const aligned = start - (start % width);
    if (aligned < port + bytes && aligned + width > port) hits |= 1 << i;
  }
  return hits;
};
