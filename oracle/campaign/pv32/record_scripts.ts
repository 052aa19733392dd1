/** What both machines do with the scripts of 32-bit guests, written into them. */
import { writeFileSync } from 'node:fs';
import { printPv32Script } from '#traces/conformance_pv32.ts';
import { loadEngine } from '../engines.ts';
import { type Carried, carryOutPv32, type NamedPv32Script, readPv32Scripts } from './scripts.ts';

export type WrittenPv32 = { readonly name: string; readonly events: number; readonly finish: string; readonly agreed: boolean };

const FAMILY = 'compat/';
const same = (a: Carried, b: Carried): boolean => a.finish === b.finish && JSON.stringify(a.events) === JSON.stringify(b.events);

/** A script on which they part is left as it is. */
export const recordPv32Scripts = async (): Promise<readonly WrittenPv32[]> => {
  const [model, executor] = [await loadEngine('model'), await loadEngine('executor')];
  return readPv32Scripts().map(({ name, path, script }: NamedPv32Script): WrittenPv32 => {
    const carried = carryOutPv32(model, script);
    const { finish, events } = carried;
    const agreed = same(carried, carryOutPv32(executor, script));
    const clauses = [...carried.clauses].filter((clause) => clause.startsWith(FAMILY)).sort();
    if (agreed) writeFileSync(path, printPv32Script({ ...script, clauses, expected: { finish, events: [...events] } }));
    return { name, events: events.length, finish, agreed };
  });
};
