import { describe, expect, it } from 'vitest';
import { CLAUSES } from '#spec/clauses.ts';
import { BadInput } from '#spec/failure.ts';
import { parseX86Script, printX86Script, type X86Script } from '#traces/conformance_x86.ts';
import { X86Machines } from './carry_out.ts';
import { readX86Scripts } from './scripts.ts';

const scripts = readX86Scripts();
const machines = await X86Machines.load();
const carried = await machines.carryOutAll(scripts.map(({ script }) => script));

describe('what a judge answered', () => {
  it.each(scripts.map(({ name }, i) => ({ name, i })))('$name is the answer of model and executor', ({ i }) =>
    expect({ model: carried[i]!.model, executor: carried[i]!.executor }).toEqual({ model: [], executor: [] }),
  );

  it.each(scripts.map(({ name, script }, i) => ({ name, script, i })))('$name says which clauses it exercises', ({ script, i }) =>
    expect(carried[i]!.clauses).toEqual(script.clauses),
  );

  it('every script has a judge, and is written as it is printed', () => {
    for (const { name, script } of scripts) {
      expect(script.judges.length, name).toBeGreaterThan(0);
      expect(parseX86Script(printX86Script(script), name)).toEqual(script);
    }
  });

  it('a script is named after a clause of its own, when after any', () => {
    const named = scripts.flatMap(({ name, script }) => {
      const [folder, file] = name.split('/') as [string, string];
      const clause = [`${folder}/${file}`, file.replace('-', '/')].find((id) => id in CLAUSES);
      return clause === undefined || script.clauses.includes(clause) ? [] : [name];
    });
    expect(named).toEqual([]);
  });
});

describe('a difference shows', () => {
  const find = (kind: X86Script['kind']): X86Script => scripts.find(({ script }) => script.kind === kind)!.script;
  it('of a record', async () => {
    const script = find('system');
    if (script.kind !== 'system') throw new Error('no such script');
    const expected = { ...script.expected!, fields: { ...script.expected!.fields, r15: '0x77' } };
    const { answer } = await machines.carryOut('model', { ...script, expected });
    expect(answer).toEqual([expect.stringContaining('r15')]);
  });
  it('of an instruction', async () => {
    const script = find('instruction');
    if (script.kind !== 'instruction') throw new Error('no such script');
    const expected = { ...script.expected!, registers: { ...script.expected!.registers, rbp: '0x77777' } };
    for (const engine of ['model', 'executor'] as const)
      expect((await machines.carryOut(engine, { ...script, expected })).answer).toEqual([expect.stringContaining('rbp')]);
  });
  it('when nothing was recorded', async () =>
    expect((await machines.carryOut('executor', { ...find('instruction'), expected: null } as X86Script)).answer).toEqual([
      'it was not recorded yet',
    ]));
});

describe('no script', () => {
  const good = scripts.find(({ script }) => script.kind === 'system')!.script;
  it.each([
    ['no JSON', '{', 'x: not JSON'],
    ['another format', '{}', 'x: '],
    ['too much code', JSON.stringify({ ...good, case: { ...good.case, code: '90'.repeat(0x281) } }), 'x: case.code'],
    ['half a byte', JSON.stringify({ ...good, case: { ...good.case, code: '9' } }), 'x: case.code: bytes in hexadecimal'],
    [
      'a decimal number',
      JSON.stringify({ ...good, case: { ...good.case, flags: '12' } }),
      'x: case.flags: a number of 32 bits in hexadecimal',
    ],
    ['an unknown mode', JSON.stringify({ ...good, case: { ...good.case, mode: '128' } }), 'x: case.mode'],
    ['an unknown field', JSON.stringify({ ...good, surprise: 1 }), 'x: '],
  ])('with %s', (_, text, said) => {
    const parse = (): unknown => parseX86Script(text, 'x');
    expect(parse).toThrow(BadInput);
    expect(parse).toThrow(said);
    expect(() => parse()).not.toThrow('\n');
  });
  it('of an instruction that no table has', async () => {
    const script = { ...good, case: { ...good.case, instruction: 'ZZ nothing' } } as X86Script;
    await expect(machines.carryOut('model', script)).rejects.toThrow('no row of the opcode table is called ZZ nothing');
  });
  it('with a field that records do not have', async () => {
    const script = { ...good, expected: { end: 'record', fields: { mood: '0x1' }, changes: [] } } as X86Script;
    await expect(machines.carryOut('model', script)).rejects.toThrow('records have no field mood');
  });
});
