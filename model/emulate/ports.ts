/** Who may use I/O ports: the virtual IOPL, and the I/O bitmap. Chapter: spec/chapters/emulation.md. */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { VECTOR } from '../cpu/x86/outcome.ts';
import { cite } from '../journal.ts';
import { domainOf, setMemory, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { readGuest } from '../memory/guest.ts';
import { addInt } from '../word/word.ts';
import type { Emulated } from './emulated.ts';

/** The virtual IOPL allows I/O: it counts ring 1 for the kernel, ring 0 with the assist architectural_iopl, ring 3 for user mode. */
export const ioplAllows = (machine: Machine, at: VcpuRef): boolean => {
  const { mode, iopl } = vcpuOf(machine, at);
  const architectural = (domainOf(machine, at.domid).vmAssist & (1n << BigInt(VMASST_TYPE.architectural_iopl))) !== 0n;
  return iopl >= (mode === 'user' ? 3 : architectural ? 0 : 1);
};

/** `refused`: what the instruction comes to instead; null is the #GP(0) of who may not. */
export type Permission =
  | { readonly machine: Machine; readonly allowed: true }
  | { readonly machine: Machine; readonly allowed: false; readonly refused: Emulated };

/** Whether the guest has asked for the use of these ports: by its IOPL, or by clear bits in its bitmap. */
export const portsAllowed = (machine: Machine, at: VcpuRef, port: number, size: number): Permission => {
  if (ioplAllows(machine, at)) return { machine, allowed: true };
  const { ioBitmap, kernelTable } = vcpuOf(machine, at);
  if (!ioBitmap || port + size > ioBitmap.ports) return { machine, allowed: false, refused: null };
  let m = machine;
  let mask = 0;
  let unread = 0;
  for (let k = 0; k < 2; k++) {
    const read = readGuest(m.memory, kernelTable, addInt(ioBitmap.address, (port >> 3) + k), 1);
    m = setMemory(m, read.memory);
    if (read.kind !== 'done') unread ||= 2 - k;
    mask |= (unread === 0 && read.kind === 'done' ? read.bytes[0] : 0xff) << (8 * k);
  }
  if (unread > 0 && waysOf(machine.config.release)['port-bitmap_fault'] === '#PF') {
    const address = addInt(ioBitmap.address, (port >> 3) + size - unread);
    const told = cite(m, 'emulation/port-bitmap');
    return { machine: told, allowed: false, refused: { machine: told, fault: { vector: VECTOR.PF, error: 0, address } } };
  }
  const wanted = ((1 << size) - 1) << (port & 7);
  const told = cite(m, 'emulation/port-bitmap');
  return (mask & wanted) === 0 ? { machine: told, allowed: true } : { machine: told, allowed: false, refused: null };
};
