/** I/O ports behind Xen. There are no devices; what Xen would emulate or hand through is not modelled. Chapter: spec/chapters/emulation.md. */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { domainOf, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';

/** QEMU's and Bochs's debug port: it swallows what is written and reads as its own number. */
const DEBUG_PORT = 0xe9;
/** Emulated by Xen for whoever may use ports: interval timer, speaker, clock, PCI configuration. */
const EMULATED: readonly (readonly [first: number, last: number])[] = [
  [0x42, 0x43],
  [0x61, 0x61],
  [0x70, 0x71],
  [0xcf8, 0xcff],
];
/** Kept by Xen from dom0 too: interrupt controllers, timer, serial line, ACPI timer. */
const KEPT: readonly (readonly [first: number, last: number])[] = [
  [0x20, 0x21],
  [0xa0, 0xa1],
  [0x40, 0x40],
  [0x3f8, 0x3ff],
  [0x608, 0x60b],
];

const within = (ranges: typeof KEPT, port: number): boolean => ranges.some(([first, last]) => port >= first && port <= last);

/** The virtual IOPL allows I/O: it counts ring 1 for the kernel, ring 0 with the assist architectural_iopl, ring 3 for user mode. */
export const ioplAllows = (machine: Machine, at: VcpuRef): boolean => {
  const { mode, iopl } = vcpuOf(machine, at);
  const architectural = (domainOf(machine, at.domid).vmAssist & (1n << BigInt(VMASST_TYPE.architectural_iopl))) !== 0n;
  return iopl >= (mode === 'user' ? 3 : architectural ? 0 : 1);
};

/** What `size` bytes at a port read as. Throws NotModelled for ports with something behind them. */
export const readPort = (domid: number, port: number, size: number): number => {
  checkModelled(domid, port, size);
  if (domid === 0 && port === DEBUG_PORT && size === 1) return DEBUG_PORT;
  return size === 4 ? -1 : 2 ** (size * 8) - 1;
};

/** A write that nobody sees. Throws NotModelled for ports with something behind them. */
export const writePort = checkModelled;

function checkModelled(domid: number, port: number, size: number): void {
  for (let at = port; at < port + size; at++) {
    const known = domid === 0 ? within(KEPT, at) || (at === DEBUG_PORT && size === 1) : true;
    if (within(EMULATED, at) || !known) throw new NotModelled(`port/${port.toString(16)}`);
  }
}
