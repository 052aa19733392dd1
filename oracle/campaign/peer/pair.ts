/** Programs of two domains as programs of two domains neither of which is domain 0: what names a domain names the same partner again. */
import { LAYOUTS } from '#spec/abi/layouts.ts';
import type { Argument, Call, Program, Step } from '#spec/program.ts';

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

/** Whether nothing in it is domain 0's alone to do. */
export const canBePair = ({ steps, vcpus }: Program): boolean => vcpus !== 2 && !steps.some(({ do: what }) => what === 'rest');

export const asPair = (program: Program): Program => ({ ...program, steps: program.steps.map(inStep) });
