/** What a state's number leaves out must be what it always was. */
import type { Domain } from '#model/domain.ts';
import type { Machine } from '#model/machine.ts';
import type { Vcpu } from '#model/vcpu.ts';
import { ModelBug } from '#spec/failure.ts';

type Fields<T> = readonly (keyof T)[];

/** All fields of `base` but those that the number tells. */
const othersOf = <T extends object>(base: T, told: Fields<T>): Fields<T> =>
  (Object.keys(base) as (keyof T)[]).filter((key) => !told.includes(key));

/** Throws ModelBug for the first field outside `told` that is another than in the base machine. */
export const constantBut = (
  base: Machine,
  told: { readonly machine: Fields<Machine>; readonly domain: Fields<Domain>; readonly vcpu: Fields<Vcpu> },
): ((machine: Machine) => void) => {
  const ofMachine = sameAs(base, [...told.machine, 'domains', 'journal'], 'machine');
  const ofDomains = base.domains.map((domain) => sameAs(domain, [...told.domain, 'vcpus'], 'domain'));
  const ofVcpus = base.domains.map(({ vcpus }) => vcpus.map((vcpu) => sameAs(vcpu, told.vcpu, 'vCPU')));
  return (machine) => {
    ofMachine(machine);
    if (machine.domains.length !== base.domains.length) throw new ModelBug('the number of domains changed');
    for (let d = 0; d < machine.domains.length; d++) {
      const domain = machine.domains[d]!;
      if (base.domains[d] === domain) continue;
      ofDomains[d]!(domain);
      if (base.domains[d]!.vcpus !== domain.vcpus) for (let v = 0; v < domain.vcpus.length; v++) ofVcpus[d]![v]!(domain.vcpus[v]!);
    }
  };
};

/** Compares the fields named; compiled for them, because it is done for each transition. */
const comparerOf = <T extends object>(fields: Fields<T>): ((before: T, after: T) => boolean) => {
  const names = fields.map(String);
  if (!names.every((name) => /^\w+$/.test(name))) throw new ModelBug('a field with a strange name');
  return new Function('a', 'b', `return ${names.map((name) => `a.${name} === b.${name}`).join(' && ')};`) as (
    before: T,
    after: T,
  ) => boolean;
};

const fieldCount = (of: object): number => {
  let count = 0;
  for (const _ in of) count++;
  return count;
};

/** Throws ModelBug where an object made from `base` differs from it in other fields than `told`. */
const sameAs = <T extends object>(base: T, told: Fields<T>, what: string): ((after: T) => void) => {
  const fields = othersOf(base, told);
  const isSame = comparerOf(fields);
  const count = fieldCount(base);
  return (after) => {
    if (after === base) return;
    if (fieldCount(after) !== count) throw new ModelBug(`outside the scope, fields of a ${what} came or went`);
    if (isSame(base, after)) return;
    throw new ModelBug(`outside the scope, ${what}.${String(fields.find((field) => base[field] !== after[field]))} changed`);
  };
};
