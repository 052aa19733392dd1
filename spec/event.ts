/** What an engine tells about a transition. Model, executor, peers and traces speak in these. */
import { z } from 'zod';

/** 64-bit value: `0x` and lower-case digits without leading zeros. */
export const Hex = z.string().regex(/^0x(0|[1-9a-f][0-9a-f]{0,15})$/);

export const VcpuRef = z.object({ domid: z.int(), vcpu: z.int() });
export type VcpuRef = z.infer<typeof VcpuRef>;

/** Why Xen ended a domain by itself; the names that both machines use. */
export const CrashReason = z.enum([
  'bounce-frame-fault', // the frame for an exception or upcall could not be written to the guest's stack
  'bounce-no-handler', // the exception has no handler (null address) in the virtual IDT
  'bounce-bad-selector',
  'iret-frame', // the iret hypercall could not read its frame
  'iret-no-user-table', // return to user mode without a user page table
  'iret-mode', // iret from the wrong mode
  'iret-failsafe', // the fault on return could not be delivered
  'no-syscall-callback', // SYSCALL from user mode without a registered callback
  'mode-switch',
  'triple-fault',
  'hypercall-page', // execution reached what cannot be executed
  'guest-request', // SCHEDOP_shutdown(crash)
  'watchdog',
  'nmi',
  'other',
]);
export type CrashReason = z.infer<typeof CrashReason>;

export const Event = z.discriminatedUnion('kind', [
  /** A hypercall. `result` is RAX afterwards as an unsigned hex number, null when the call does not return a value (iret, shutdown). `depth` 1 inside multicall. */
  z.object({ kind: z.literal('hypercall'), at: VcpuRef, call: z.string(), args: z.array(Hex), result: Hex.nullable(), depth: z.int() }),
  /** One element of a batched hypercall (mmu_update, mmuext_op, grant_table_op), before the `hypercall` event that contains it. `result` is the errno or GNTST value, signed. */
  z.object({ kind: z.literal('operation'), at: VcpuRef, name: z.string(), result: z.int() }),
  /** An exception bounced into the guest's virtual IDT. */
  z.object({ kind: z.literal('exception'), at: VcpuRef, vector: z.int(), error: z.int().nullable(), address: Hex.nullable() }),
  /** A frame pushed for one of the registered callbacks. */
  z.object({ kind: z.literal('callback'), at: VcpuRef, which: z.enum(['event', 'failsafe', 'syscall', 'nmi']) }),
  /** A privileged instruction that Xen carried out for the guest kernel. */
  z.object({ kind: z.literal('emulated'), at: VcpuRef, instruction: z.string() }),
  /** Xen made pCPUs, ascending, forget translations: all of them, or that of one address. Chapter: spec/chapters/tlb.md. */
  z.object({ kind: z.literal('tlb_flush'), cpus: z.array(z.int()).min(1), address: Hex.nullable() }),
  /** Bytes that the domain wrote by CONSOLEIO_write, one character (U+0000..U+00FF) a byte. */
  z.object({ kind: z.literal('console'), domid: z.int(), bytes: z.string() }),
  z.object({ kind: z.literal('runstate'), at: VcpuRef, state: z.enum(['running', 'runnable', 'blocked', 'offline']) }),
  z.object({ kind: z.literal('timer'), at: VcpuRef, which: z.enum(['singleshot', 'periodic', 'poll', 'watchdog']) }),
  z.object({ kind: z.literal('shutdown'), domid: z.int(), reason: z.int() }),
  z.object({ kind: z.literal('crash'), domid: z.int(), why: CrashReason }),
  z.object({ kind: z.literal('not_modelled'), at: VcpuRef, what: z.string() }),
]);
export type Event = z.infer<typeof Event>;
