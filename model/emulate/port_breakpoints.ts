/** Breakpoints on ports, which Xen watches itself. Chapter: spec/chapters/emulation.md. */
import type { VcpuRef } from '#spec/event.ts';
import { CR4, DR7_LENGTH } from '#spec/isa/x86/control_registers.ts';
import { vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';

/** The breakpoints that an access to `size` ports from `port` on meets, as bits of DR6. */
export const metPorts = (machine: Machine, at: VcpuRef, port: number, size: number): number => {
  const { dr, ioBreakpoints, cr4 } = vcpuOf(machine, at);
  if (ioBreakpoints === 0 || (cr4.lo & CR4.DE) === 0) return 0;
  return [0, 1, 2, 3]
    .filter((n) => {
      if (((ioBreakpoints >>> (2 * n)) & 3) === 0 || dr[n].hi !== 0) return false;
      const length = DR7_LENGTH[(dr[5].lo >>> (18 + 4 * n)) & 3];
      const first = (dr[n].lo & ~(length - 1)) >>> 0;
      return first < port + size && port < first + length;
    })
    .reduce((bits, n) => bits | (1 << n), 0);
};
