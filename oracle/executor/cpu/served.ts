/** SYSCALLs that somebody carries out while the CPU runs (GuestCpu.server), and the exit of those that end the run. */
import type { Cpu } from './cpu.ts';
import { type Exit, SYSCALL } from './exit.ts';
import { LONGEST } from './instruction.ts';
import type { SyscallServer } from './interface.ts';
import { PAGE } from './layout.ts';
import { FETCH } from './link.ts';

/** Have a SYSCALL carried out, `retired` steps into the run. As a rule the guest goes on behind it, in the same code. False: the run ends. */
export const serve = (c: Cpu, server: SyscallServer, retired: number): boolean => {
  const { code, offset, s } = c;
  const lo = s[PAGE];
  const hi = s[PAGE + 1];
  if (!server.serve(retired)) return false;
  const stays = !c.sync() && c.code === code && c.offset === offset && s[PAGE] === lo && s[PAGE + 1] === hi;
  // Nearer to the page's start the SYSCALL may have begun in the page before, and `code` is still that one.
  if (stays && offset >= LONGEST) c.resume = code.ops[offset] ?? FETCH;
  return true;
};

/** One for all: nobody keeps an exit beyond the next run. */
const exit = { kind: SYSCALL.kind, retired: 0, served: false };

export const exitBySyscall = (retired: number, served: boolean): Exit => {
  exit.retired = retired;
  exit.served = served;
  return exit;
};
