/**
 * Bugs planted on purpose, as data: a place in a source file and what to put there instead. A mutant is applied while the
 * module loads, so sources stay clean and a run without mutants costs nothing.
 */
export type Mutant = {
  readonly id: string;
  /** What is broken: an engine (the campaign must find it), what an engine shows of itself, or the judge. */
  readonly part: 'executor' | 'model' | 'observation' | 'judge';
  /** From the root of the checkout. */
  readonly file: string;
  /** Text that stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** What a user of the broken machine would meet. */
  readonly summary: string;
};

export const MUTANTS: readonly Mutant[] = [
  {
    id: 'executor-close',
    part: 'executor',
    file: 'oracle/executor/hypervisor/event_channel/ports.ts',
    find: '  clearPending(machine, domain, channel.port);\n',
    replace: '',
    summary: 'EVTCHNOP_close leaves the pending bit set',
  },
  {
    id: 'model-adc',
    part: 'model',
    file: 'model/cpu/x86/rules/arithmetic.ts',
    find: 'const sum = zeroExtend(add(a, b, s.flags & CF), size);',
    replace: 'const sum = zeroExtend(add(a, b), size);',
    summary: 'ADC forgets the carry',
  },
  {
    id: 'observation-register',
    part: 'observation',
    file: 'oracle/executor/observe.ts',
    find: 'hexText(cpu.gprLo(register), cpu.gprHi(register))',
    replace: "register === 3 ? '0x0' : hexText(cpu.gprLo(register), cpu.gprHi(register))",
    summary: 'the observation drops RBX',
  },
  {
    id: 'observation-memory',
    part: 'observation',
    file: 'oracle/executor/observe.ts',
    find: '  memory: machine.memory.digest(),\n',
    replace: "  memory: '0000000000000000',\n",
    summary: 'the observation drops all memory',
  },
  {
    id: 'observation-frames',
    part: 'observation',
    file: 'oracle/executor/observe.ts',
    find: 'frames: machine.frames.digest(),',
    replace: "frames: '0000000000000000',",
    summary: 'the observation drops the frame table',
  },
  {
    id: 'observation-domain',
    part: 'observation',
    file: 'oracle/executor/observe.ts',
    find: 'domains: machine.domains.map(observeDomain),',
    replace: 'domains: machine.domains.slice(0, 1).map(observeDomain),',
    summary: 'the observation drops every domain but the first',
  },
  {
    id: 'observation-port',
    part: 'observation',
    file: 'oracle/executor/observe.ts',
    find: 'port === null ? [] : observePort(port, domain.fifo !== null)',
    replace: 'port === null || port.port === 2 ? [] : observePort(port, domain.fifo !== null)',
    summary: 'the observation drops port 2',
  },
  {
    id: 'judge-events',
    part: 'judge',
    file: 'oracle/compare/lockstep.ts',
    find: "const events = firstDifference(expected.report.events, seen.report.events, 'events');",
    replace: 'const events = firstDifference(expected.report.events.length, seen.report.events.length);',
    summary: 'the judge counts events without reading them',
  },
  {
    id: 'judge-retired',
    part: 'judge',
    file: 'oracle/compare/lockstep.ts',
    find: "return retired ? { aspect: 'retired', difference: retired } : compareQuestions(expected.report, seen.report);",
    replace: 'return null;',
    summary: 'the judge does not compare retired steps',
  },
  {
    id: 'judge-observation',
    part: 'judge',
    file: 'oracle/compare/lockstep.ts',
    find: 'if (!observation) return null;',
    replace: "if (!observation || observation.path.includes('.gpr[')) return null;",
    summary: 'the judge overlooks general registers',
  },
  {
    id: 'judge-memory',
    part: 'judge',
    file: 'oracle/compare/lockstep.ts',
    find: "if (observation.path === 'memory') return",
    replace: "if (observation.path === 'memory') return null;\n  if (observation.path === 'memory!') return",
    summary: 'the judge overlooks memory',
  },
  {
    id: 'judge-status',
    part: 'judge',
    file: 'oracle/compare/lockstep.ts',
    find: "if (status) return { aspect: 'status', difference: status };",
    replace: '',
    summary: 'the judge does not compare who may run next',
  },
  {
    id: 'judge-list',
    part: 'judge',
    file: 'oracle/compare/difference.ts',
    find: 'if (expected.length === seen.length) return null;',
    replace: 'return null;',
    summary: 'a list that is longer on one side passes: a dropped domain, port or event',
  },
  {
    id: 'judge-failure',
    part: 'judge',
    file: 'oracle/compare/lockstep.ts',
    find: "if (expected.kind === 'not_modelled' && seen.kind === 'not_modelled' && expected.what === seen.what)",
    replace: 'if (expected.kind === seen.kind) return null;\n    if (expected.kind === seen.kind)',
    summary: 'two different failures pass as the same',
  },
  {
    id: 'judge-digest',
    part: 'judge',
    file: 'spec/digest.ts',
    find: '(lo | hi) === 0 ? 0 : finish(Math.imul(lo, 0x9e3779b1)',
    replace: 'lo === 0 ? 0 : finish(Math.imul(lo, 0x9e3779b1)',
    summary: 'one half of the digest overlooks words whose low half is zero',
  },
];

export const mutantById = (id: string): Mutant | undefined => MUTANTS.find((m) => m.id === id);
