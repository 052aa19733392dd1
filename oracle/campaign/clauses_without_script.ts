/**
 * Clauses that no recorded script exercises, and why not: data, which oracle/campaign/recorded.test.ts holds to what was measured. A clause that gets
 * a script leaves this list.
 */
import type { ClauseId } from '#spec/clauses.ts';

type Reason = {
  /** Why real Xen was not asked by a script, and what exercises the clause instead. */
  readonly why: string;
  /** Tests that exercise them instead. */
  readonly tests?: readonly string[];
  readonly clauses: readonly ClauseId[];
};

export const WITHOUT_SCRIPT: readonly Reason[] = [
  {
    why: 'How the file of an image is laid out: scripts of the bare machine are cases in one image of our own, a multiboot ELF file.',
    tests: ['model/bare/boot.test.ts', 'oracle/campaign/bare/lockstep.test.ts'],
    clauses: ['bare/multiboot-addresses', 'bare/pvh-entry', 'bare/pvh-info'],
  },
  {
    why: 'The numbers are part of the configuration, or there are none: every judge draws its own.',
    clauses: ['bare/random', 'x86/random-none'],
  },
  {
    why: 'Nobody sends bytes to the serial port of a judge; what it receives in loopback has a script.',
    tests: ['oracle/campaign/bare/devices.test.ts'],
    clauses: ['device/serial-receive'],
  },
  {
    why: 'The processor stops by name at any base but the one that it starts with.',
    clauses: ['device/lapic-base'],
  },
  {
    why: 'Neither QEMU nor Bochs has INVPCID, and the processor has it for ring 0 alone.',
    tests: ['oracle/campaign/system/system.test.ts'],
    clauses: ['x86/invpcid-type'],
  },
  {
    why: 'Xen refuses reserved bits in the entries of a PV guest, so that no walk meets one in tables that it looked at.',
    tests: ['model/memory/translate.test.ts'],
    clauses: ['x86/page_walk-reserved'],
  },
  {
    why: 'The machines stop there by name: there is nothing else to see.',
    tests: ['oracle/campaign/matrix/matrix.test.ts'],
    clauses: ['compat/call-not_modelled'],
  },
  {
    why: 'An upcall must come due after the call began and before it looks: no step of a program says when.',
    clauses: ['sched/poll-upcall'],
  },
  { why: "Nobody types at the recorder's console.", clauses: ['console/input', 'console/read-fault'] },
  {
    why: 'How much memory is free differs from machine to machine, so that a claim that leaves too little on one leaves enough on another.',
    clauses: ['memory/allocate-claimed', 'memory/exchange-none'],
  },
  {
    why: 'Half a million mappings must be open, of which one reference bears 255: no program is so long.',
    clauses: ['gnttab/handle-none'],
  },
  {
    why: 'What lies on the way to the store must go between the fault and the look of Xen: no step of a program says when.',
    clauses: ['emulation/ptwr-read_fault'],
  },
  {
    why: 'The recorder gives no initial RAM disk; a test does, and asks real Xen.',
    tests: ['oracle/peers/xen/initrd.test.ts'],
    clauses: ['domain/build-initrd'],
  },
  { why: 'The reference has an identifier; the clause is about builds that have none.', clauses: ['version/build_id-none'] },
  { why: "The answer is Debian's build configuration, which both machines leave out: they stop by name.", clauses: ['hypfs/read-config'] },
  {
    why: "A device of the host, which QEMU's machine has and the model's has not: an empty host has none, and tests of the ports ask that.",
    clauses: ['host/port-timer'],
  },
];

const REASONS: ReadonlyMap<string, string> = new Map(WITHOUT_SCRIPT.flatMap(({ why, clauses }) => clauses.map((c) => [c, why] as const)));

/** Why a clause has no script; null when nothing says so. */
export const whyWithoutScript = (clause: ClauseId): string | null => REASONS.get(clause) ?? null;
