/** Programs of two domains as programs of two domains neither of which is domain 0: what names a domain names the same partner again. */
import { LAYOUTS } from '#spec/abi/layouts.ts';
import type { Argument, Call, Program, Step } from '#spec/program.ts';
import { CONTROL_ANSWERED } from '#spec/releases/control.ts';
import { REFERENCE_RELEASE } from '#spec/releases/release.ts';

/** Who the two are. */
export const PAIR = [1, 2] as const;

/** Calls whose argument of that number is a domain. */
const NAMES_DOMAIN: Readonly<Record<string, number>> = { mmu_update: 3, mmuext_op: 3, update_va_mapping_otherdomain: 3 };

const renamed = <T>(domid: T): T | number => (domid === 0 ? PAIR[0] : domid === 1 ? PAIR[1] : domid);

type Struct = Extract<Argument, { struct: unknown }>;
const inStruct = (given: Struct): Struct => {
  const layout = LAYOUTS[given.struct].fields as Readonly<Record<string, { readonly kind: string } | undefined>>;
  const fields = Object.entries(given.fields).map(([name, value]): [string, Argument] => [
    name,
    layout[name]?.kind === 'domid' ? renamed(value) : inArgument(value),
  ]);
  return { struct: given.struct, fields: Object.fromEntries(fields) };
};

const inArgument = (argument: Argument): Argument => {
  if (typeof argument !== 'object') return argument;
  if ('struct' in argument) return inStruct(argument);
  if ('structs' in argument) return { ...argument, structs: argument.structs.map(inStruct) };
  return 'calls' in argument ? { calls: argument.calls.map(inCall) } : argument;
};

const inCall = <T extends Call>(call: T): T => {
  const names = NAMES_DOMAIN[call.call];
  return { ...call, args: call.args.map((argument, i) => (i === names ? renamed(argument) : inArgument(argument))) };
};

const inStep = (step: Step): Step => {
  if (step.do === 'hypercall') return inCall(step);
  return step.do === 'grant_entry' ? { ...step, domid: renamed(step.domid) } : step;
};

/** Whether nothing in it is domain 0's alone to do, and it is known what domain 0 is answered when it destroys one of the two. */
export const canBePair = ({ steps, vcpus, release }: Program): boolean =>
  vcpus !== 2 && CONTROL_ANSWERED[release ?? REFERENCE_RELEASE] && !steps.some(({ do: what }) => what === 'rest');

const ENDS: readonly Pick<Extract<Step, { do: 'end' }>, 'how' | 'reason'>[] = [
  { how: 'shutdown', reason: 3 },
  { how: 'unhandled' },
  { how: 'shutdown', reason: 1 },
  { how: 'bad_stack' },
  { how: 'shutdown', reason: 2 },
  { how: 'bad_iret' },
];
/** Number of the step that is put in: no generated program has so many. */
const LAST_STEP = 9000;

/** The same program, in half of the seeds with an end of one of the two domains put in anywhere; the other goes on. */
export const withEnd = (program: Program, seed: number): Program => {
  const { steps } = program;
  if (seed % 2 === 1 || steps.some((step) => step.do === 'end')) return program;
  const drawn = Math.imul(seed, 0x9e3779b1) >>> 0;
  const place = drawn % (steps.length + 1);
  const end: Step = { id: LAST_STEP, domain: (drawn >>> 16) & 1, do: 'end', ...ENDS[(drawn >>> 20) % ENDS.length]! };
  return { ...program, steps: [...steps.slice(0, place), end, ...steps.slice(place)] };
};

export const asPair = (program: Program): Program => ({ ...program, steps: program.steps.map(inStep) });
