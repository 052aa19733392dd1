/** Smaller programs in which the ports move up: without one step, and with every later port that is said by its number one lower. */
import type { Argument, Program, Step, Value } from '#spec/program.ts';

/** Ports are given lowest first from 1 on, so that a step that took one pushes those behind it up. */
const LOWEST = 1;
const PORT_FIELDS = new Set(['port', 'local_port', 'remote_port']);

const lower = <T>(value: T): T => (typeof value === 'number' && value > LOWEST ? ((value - 1) as T) : value);

const lowerArgument = (argument: Argument): Argument => {
  if (typeof argument !== 'object' || !('struct' in argument)) return argument;
  const fields = Object.entries(argument.fields).map(([name, value]) => [name, PORT_FIELDS.has(name) ? lower(value) : value]);
  return { ...argument, fields: Object.fromEntries(fields) };
};

const lowerPorts = (step: Step): Step => {
  if (step.do === 'hypercall') return { ...step, args: step.args.map(lowerArgument) };
  if (step.do === 'wait' && step.ports) return { ...step, ports: step.ports.map((port): Value => lower(port)) };
  return step;
};

export function* withLowerPorts(program: Program): IterableIterator<Program> {
  for (let i = program.steps.length - 1; i >= 0; i--) {
    const later = program.steps.slice(i + 1);
    const lowered = later.map(lowerPorts);
    if (JSON.stringify(lowered) !== JSON.stringify(later)) yield { ...program, steps: [...program.steps.slice(0, i), ...lowered] };
  }
}
