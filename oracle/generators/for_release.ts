/** Programs for another release of Xen: what the control domain's structures say of their version is that release's. */
import { XEN_DOMCTL, XEN_DOMCTL_LATE, XEN_SYSCTL } from '#spec/abi/control.ts';
import { XEN_DOMCTL_HVM, XEN_DOMCTL_NOT_BUILT, XEN_DOMCTL_TOOLS } from '#spec/abi/domctl.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { XEN_SYSCTL_MODELLED, XEN_SYSCTL_TOOLS } from '#spec/abi/sysctl.ts';
import type { Argument, Call, Program, Step } from '#spec/program.ts';
import { HARDWARE_LEFT_OUT, INTERFACE_VERSIONS, isAnswered } from '#spec/releases/control.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { READ_ONLY_PAGE } from './operations/read_only.ts';

type Interface = 'domctl' | 'sysctl';
const REFERENCE = INTERFACE_VERSIONS[REFERENCE_RELEASE];

/** The head of a structure as one quadword, with the release's version where it had the reference's. */
const head = (word: string, of: Interface, release: XenRelease): string => {
  const command = BigInt(word) & 0xffffffffn;
  return BigInt(word) >> 32n === BigInt(REFERENCE[of]) && isForBoth(Number(command), of, release)
    ? `0x${((BigInt(INTERFACE_VERSIONS[release][of]) << 32n) | command).toString(16)}`
    : word;
};

const HEADS = new Map<unknown, Interface>(READ_ONLY_PAGE.words.flatMap(({ value, head: of }) => (of === undefined ? [] : [[value, of]])));

const REFUSING: Readonly<Record<Interface, readonly unknown[]>> = {
  domctl: XEN_DOMCTL_LATE.filter((command) => command !== XEN_DOMCTL.vm_event_op),
  sysctl: Object.values(XEN_SYSCTL),
};
const TOOLS: Readonly<Record<Interface, readonly unknown[]>> = {
  domctl: Object.values(XEN_DOMCTL_TOOLS),
  sysctl: Object.values(XEN_SYSCTL_TOOLS),
};
/** What programs for 4.14 leave alone: what its machines leave out, and the record in which free memory stands where programs look. */
const LEFT_ALONE: Readonly<Record<Interface, readonly unknown[]>> = {
  domctl: [
    XEN_DOMCTL_NOT_BUILT.gdbsx_guestmemio,
    XEN_DOMCTL_HVM.set_broken_page_p2m,
    XEN_DOMCTL.test_assign_device,
    XEN_DOMCTL.vm_event_op,
    XEN_DOMCTL.shadow_op,
  ],
  sysctl: [XEN_SYSCTL_MODELLED.physinfo],
};
/** Whether programs may come through to the operation: not where a release answers domain 0 otherwise, and nobody has said how. */
const isForBoth = (command: unknown, of: Interface, release: XenRelease): boolean =>
  !(release === '4.14' && LEFT_ALONE[of].includes(command)) &&
  // A domain's own structure differs in each.
  !(of === 'domctl' && command === XEN_DOMCTL.createdomain) &&
  (isAnswered(release, TOOLS[of].includes(command)) || REFUSING[of].includes(command));

const argumentFor = (argument: Argument, release: XenRelease): Argument => {
  if (typeof argument !== 'object') return argument;
  if ('calls' in argument) return { calls: argument.calls.map((call) => callFor(call, release)) };
  if (!('struct' in argument)) return argument;
  const of = /^(?:control\.sysctl$|sysctl\.)/.test(argument.struct) ? 'sysctl' : 'domctl';
  const known = /^(?:control|domctl|sysctl)\./.test(argument.struct) && argument.fields.interface_version === REFERENCE[of];
  return known && isForBoth(argument.fields.cmd, of, release)
    ? { ...argument, fields: { ...argument.fields, interface_version: INTERFACE_VERSIONS[release][of] } }
    : argument;
};

const argumentsFor = (args: readonly Argument[], release: XenRelease): Argument[] => args.map((one) => argumentFor(one, release));
/** A call with a name and nothing behind it stands for one whose answers nobody knows of the release. */
const nameFor = ({ call, args }: Pick<Call, 'call' | 'args'>, release: XenRelease): Call['call'] =>
  (call === 'hypfs_op' && !isAnswered(release, true)) || isHardwareLeftOut(call, args, release) ? 'tmem_op' : call;

const { platform_op, physdev_op } = SUBOPERATIONS;
/** Operations about hardware that a release's machines leave out. */
const isHardwareLeftOut = (call: Call['call'], [first]: readonly Argument[], release: XenRelease): boolean => {
  const named = (table: Readonly<Record<string, number>>, command: unknown): boolean =>
    HARDWARE_LEFT_OUT[release].some((row) => row.startsWith(`${call}/`) && table[row.slice(`${call}/`.length)] === command);
  if (call === 'physdev_op') return named(physdev_op, first);
  return call === 'platform_op' && typeof first === 'object' && 'struct' in first && named(platform_op, first.fields['cmd']);
};
const callFor = ({ call, args }: Call, release: XenRelease): Call => ({
  call: nameFor({ call, args }, release),
  args: argumentsFor(args, release),
});

const stepFor = (step: Step, release: XenRelease): Step => {
  if (step.do === 'hypercall') return { ...step, call: nameFor(step, release), args: argumentsFor(step.args, release) };
  if (step.do === 'calls') return { ...step, calls: step.calls.map((call) => callFor(call, release)) };
  const of = step.do === 'access' && typeof step.value === 'string' ? HEADS.get(step.value) : undefined;
  return of === undefined || step.do !== 'access' ? step : { ...step, value: head(String(step.value), of, release) };
};

/** The same program for a release. */
export const forRelease = (program: Program, release: XenRelease): Program =>
  release === REFERENCE_RELEASE ? program : { ...program, release, steps: program.steps.map((step) => stepFor(step, release)) };
