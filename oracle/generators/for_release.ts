/** Programs for another release of Xen: what the control domain's structures say of their version is that release's. */
import type { Argument, Call, Program, Step } from '#spec/program.ts';
import { INTERFACE_VERSIONS } from '#spec/releases/control.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { READ_ONLY_PAGE } from './operations/read_only.ts';

type Interface = 'domctl' | 'sysctl';
const REFERENCE = INTERFACE_VERSIONS[REFERENCE_RELEASE];

/** The head of a structure as one quadword, with the release's version where it had the reference's. */
const head = (word: string, of: Interface, release: XenRelease): string => {
  const command = BigInt(word) & 0xffffffffn;
  return BigInt(word) >> 32n === BigInt(REFERENCE[of])
    ? `0x${((BigInt(INTERFACE_VERSIONS[release][of]) << 32n) | command).toString(16)}`
    : word;
};

const HEADS = new Map<unknown, Interface>(READ_ONLY_PAGE.words.flatMap(({ value, head: of }) => (of === undefined ? [] : [[value, of]])));

const argumentFor = (argument: Argument, release: XenRelease): Argument => {
  if (typeof argument !== 'object') return argument;
  if ('calls' in argument) return { calls: argument.calls.map((call) => callFor(call, release)) };
  if (!('struct' in argument)) return argument;
  const of = argument.struct === 'control.sysctl' ? 'sysctl' : 'domctl';
  const known = argument.struct.startsWith('control.') && argument.fields.interface_version === REFERENCE[of];
  return known ? { ...argument, fields: { ...argument.fields, interface_version: INTERFACE_VERSIONS[release][of] } } : argument;
};

const argumentsFor = (args: readonly Argument[], release: XenRelease): Argument[] => args.map((one) => argumentFor(one, release));
const callFor = ({ call, args }: Call, release: XenRelease): Call => ({ call, args: argumentsFor(args, release) });

const stepFor = (step: Step, release: XenRelease): Step => {
  if (step.do === 'hypercall') return { ...step, args: argumentsFor(step.args, release) };
  if (step.do === 'calls') return { ...step, calls: step.calls.map(({ call, args }) => ({ call, args: argumentsFor(args, release) })) };
  const of = step.do === 'access' && typeof step.value === 'string' ? HEADS.get(step.value) : undefined;
  return of === undefined || step.do !== 'access' ? step : { ...step, value: head(String(step.value), of, release) };
};

/** The same program for a release. */
export const forRelease = (program: Program, release: XenRelease): Program =>
  release === REFERENCE_RELEASE ? program : { ...program, release, steps: program.steps.map((step) => stepFor(step, release)) };
