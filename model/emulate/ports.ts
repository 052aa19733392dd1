/** Who may use I/O ports: the virtual IOPL, and the I/O bitmap. Chapter: spec/chapters/emulation.md. */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../journal.ts';
import { domainOf, setMemory, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { readGuest } from '../memory/guest.ts';
import { addInt } from '../word/word.ts';

/** The virtual IOPL allows I/O: it counts ring 1 for the kernel, ring 0 with the assist architectural_iopl, ring 3 for user mode. */
export const ioplAllows = (machine: Machine, at: VcpuRef): boolean => {
  const { mode, iopl } = vcpuOf(machine, at);
  const architectural = (domainOf(machine, at.domid).vmAssist & (1n << BigInt(VMASST_TYPE.architectural_iopl))) !== 0n;
  return iopl >= (mode === 'user' ? 3 : architectural ? 0 : 1);
};

export type Permission = { readonly machine: Machine; readonly allowed: boolean };

/** Whether the guest has asked for the use of these ports: by its IOPL, or by clear bits in its bitmap. */
export const portsAllowed = (machine: Machine, at: VcpuRef, port: number, size: number): Permission => {
  if (ioplAllows(machine, at)) return { machine, allowed: true };
  const { ioBitmap, kernelTable } = vcpuOf(machine, at);
  if (!ioBitmap || port + size > ioBitmap.ports) return { machine, allowed: false };
  let m = machine;
  let mask = 0;
  let readable = true;
  for (let k = 0; k < 2; k++) {
    const read = readGuest(m.memory, kernelTable, addInt(ioBitmap.address, (port >> 3) + k), 1);
    m = setMemory(m, read.memory);
    readable &&= read.kind === 'done';
    mask |= (readable && read.kind === 'done' ? read.bytes[0] : 0xff) << (8 * k);
  }
  const wanted = ((1 << size) - 1) << (port & 7);
  return { machine: cite(m, 'emulation/port-bitmap'), allowed: (mask & wanted) === 0 };
};
