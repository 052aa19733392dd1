/** What sorts of programs ran in each role: those that a campaign must not forget to draw. */
import { XEN_DOMCTL_MODELLED } from '#spec/abi/domctl.ts';
import type { Program, Step } from '#spec/program.ts';
import { domainsOf } from '../../image/index.ts';
import { ROLES, type Role } from './subject.ts';

export const KINDS = [
  'one domain, one vCPU',
  'two domains',
  'two domains, of which one dies',
  'two vCPUs (-smp 2)',
  'upcalls delivered',
  'an end of their own',
] as const;
export type Kind = (typeof KINDS)[number];
export type KindCounts = Record<Role, Record<Kind, number>>;

export const noKinds = (): KindCounts =>
  Object.fromEntries(ROLES.map((role) => [role, Object.fromEntries(KINDS.map((kind) => [kind, 0]))])) as KindCounts;

/** A call of destroydomain about the other domain. */
const destroys = (step: Step): boolean => {
  if (step.do !== 'hypercall' || step.call !== 'domctl') return false;
  const [op] = step.args;
  return typeof op === 'object' && 'fields' in op && op.fields['cmd'] === XEN_DOMCTL_MODELLED.destroydomain && op.fields['domain'] === 1;
};

/** A program may be of several kinds. In one of two domains each is a part: domain 0 and a domain that it built, or two domains that were built side by side. */
export const kindsOf = (program: Program): readonly Kind[] => {
  const two = domainsOf(program) === 2;
  const smp = program.vcpus === 2;
  const kinds: Kind[] = two ? ['two domains'] : smp ? ['two vCPUs (-smp 2)'] : ['one domain, one vCPU'];
  if (two && program.steps.some((step) => step.do === 'end' || destroys(step))) kinds.push('two domains, of which one dies');
  if (program.steps.some((step) => step.do === 'upcalls' && step.on)) kinds.push('upcalls delivered');
  if (program.steps.some((step) => step.do === 'end')) kinds.push('an end of their own');
  return kinds;
};
