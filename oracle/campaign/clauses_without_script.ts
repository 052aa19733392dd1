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
  /** Families, all of whose clauses may go without; those that a guest comes to by the way have scripts all the same. */
  readonly families?: readonly string[];
  readonly clauses?: readonly ClauseId[];
};

export const WITHOUT_SCRIPT: readonly Reason[] = [
  {
    why: 'What a processor does, not Xen: `check --isa x86` holds it against the processor and emulators, row by row of the opcode table.',
    tests: ['oracle/campaign/system/system.test.ts', 'oracle/campaign/isa/sequence_check.test.ts', 'oracle/cli/command/check_isa.test.ts'],
    families: ['x86', 'fp'],
  },
  {
    why: 'A machine without Xen: `check --bare` runs its images, and devices are held side by side.',
    tests: ['oracle/campaign/bare/lockstep.test.ts', 'oracle/campaign/bare/devices.test.ts', 'model/bare/boot.test.ts'],
    families: ['bare', 'device'],
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

const REASONS: ReadonlyMap<string, string> = new Map(
  WITHOUT_SCRIPT.flatMap(({ why, clauses = [] }) => clauses.map((c) => [c, why] as const)),
);

/** Why a clause has no script, by name or by family; null when nothing says so. */
export const whyWithoutScript = (clause: ClauseId): string | null =>
  REASONS.get(clause) ?? WITHOUT_SCRIPT.find(({ families = [] }) => families.includes(clause.split('/')[0]!))?.why ?? null;
