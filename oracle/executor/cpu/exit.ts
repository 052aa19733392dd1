/** How a run of the CPU ends. */

/**
 * `retired`: steps taken, the one that ended the run included (a faulting instruction is a step too).
 * - limit: as many steps as were asked for, or fewer when the bare machine wants to look around (`Cpu.pause`); the next instruction has
 *   not begun.
 * - fault: RIP and all registers as before the instruction. `error` is null for vectors without an error code; `cr2` the address of a #PF.
 * - trap: after the instruction: #DB of TF (vector 1; DR6.BS is for the hypervisor to report).
 * - int: INT n, INT3 through a gate that ring 3 may use (3, 4, 0x80): after the instruction.
 * - syscall: SYSCALL done as the CPU does it (RCX = next RIP, R11 = RFLAGS); RIP is the next instruction and the flags are unmasked. `served`: the
 *   CPU's server has carried it out.
 */
export type Exit =
  | { readonly kind: 'limit'; readonly retired: number }
  | {
      readonly kind: 'fault';
      readonly retired: number;
      readonly vector: number;
      readonly error: number | null;
      readonly cr2: bigint | null;
    }
  | { readonly kind: 'trap'; readonly retired: number; readonly vector: number }
  | { readonly kind: 'int'; readonly retired: number; readonly vector: number }
  | { readonly kind: 'syscall'; readonly retired: number; readonly served: boolean };

/** Exception vectors. */
export const DE = 0;
export const DB = 1;
export const NMI = 2;
export const BP = 3;
export const OF = 4;
export const BR = 5;
export const UD = 6;
export const NM = 7;
export const DF = 8;
export const TS = 10;
export const NP = 11;
export const SS = 12;
export const GP = 13;
export const PF = 14;
export const MF = 16;
export const AC = 17;
export const XM = 19;

/** How SYSCALL leaves the burst. */
export const SYSCALL = { kind: 'syscall' } as const;

/** How a burst can end before its count, other than by a fault. */
export type Leaving = { readonly kind: 'int'; readonly vector: number } | typeof SYSCALL;
