/** Asks the judges: QEMU and Bochs about cases of bare images, the processor about instructions. */
import type { InstructionScript, ScriptJudge, SystemScript } from '#traces/conformance_x86.ts';
import type { Silicon } from '../../peers/silicon/silicon.ts';
import { findBarePeer } from '../system/check.ts';
import { judge } from '../system/judge.ts';
import { needsOf } from '../system/needs.ts';
import { peerRunner } from '../system/peer_runner.ts';
import { runCases } from '../system/runner.ts';
import type { Verdict } from '../system/tally.ts';
import { differencesOf, type X86Machines } from './carry_out.ts';
import { instructionAnswer, instructionCaseOf } from './instruction_case.ts';
import { systemAnswer, systemCaseOf } from './system_case.ts';

/** Why nobody answered so that it can be written down. */
export type Refused = { readonly why: string };
/** A script made whole, or why not. */
export type Answered<S> = S | Refused;
export const isRefused = <S extends object>(answered: Answered<S>): answered is Refused => 'why' in answered;

/** Cases in one image. */
const CHUNK = 25;

/**
 * Scripts with what the emulators answered: one of them must say what both engines say, but for words that findings explain. Those that somebody wrote
 * have an image of their own, since they may leave devices in any state; drawn ones put right what they touched.
 */
export const askEmulators = async (machines: X86Machines, scripts: readonly SystemScript[]): Promise<readonly Answered<SystemScript>[]> => {
  const answers = new Map<SystemScript, Answered<SystemScript>>();
  const drawn = scripts.filter(({ seed }) => seed !== null);
  const chunks = scripts.filter(({ seed }) => seed === null).map((script) => [script]);
  for (let at = 0; at < drawn.length; at += CHUNK) chunks.push(drawn.slice(at, at + CHUNK));
  for (const chunk of chunks) for (const [i, answered] of (await askChunk(machines, chunk)).entries()) answers.set(chunk[i]!, answered);
  return scripts.map((script) => answers.get(script)!);
};

const askChunk = async (machines: X86Machines, scripts: readonly SystemScript[]): Promise<readonly Answered<SystemScript>[]> => {
  const cases = scripts.map((script) => systemCaseOf(script.case, script.title));
  const [models, executors] = [[], []] as [Awaited<ReturnType<X86Machines['system']>>[], Awaited<ReturnType<X86Machines['system']>>[]];
  for (const c of cases) {
    models.push(await machines.system('model', c));
    executors.push(await machines.system('executor', c));
  }
  const judges: ScriptJudge[][] = cases.map(() => []);
  const said: string[][] = cases.map(() => []);
  for (const name of ['qemu', 'bochs'] as const) {
    const peer = findBarePeer(name);
    if (!peer.available) {
      for (const one of said) one.push(`${name}: ${peer.why}`);
      continue;
    }
    const asked = [...cases.keys()].filter((i) => !needsOf(cases[i]!).some((feature) => peer.lacks.includes(feature)));
    const outcomes = await runCases(
      peerRunner(peer),
      asked.map((i) => cases[i]!),
    );
    for (const [n, i] of asked.entries()) {
      const verdict = judge(name, { seed: 0, c: cases[i]!, model: models[i]!.answer, executor: executors[i]!.answer, peer: outcomes[n]! });
      if (verdict.kind === 'agreed') judges[i]!.push({ name, version: peer.version, findings: [] });
      else if (verdict.kind === 'explained' && !verdict.whole)
        judges[i]!.push({ name, version: peer.version, findings: [...verdict.findings] });
      else said[i]!.push(`${name}: ${saysOtherwise(verdict)}`);
    }
  }
  return scripts.map((script, i) => {
    const expected = systemAnswer(models[i]!.answer);
    const { answer } = models[i]!;
    if (expected === null) return { why: answer.kind === 'record' ? 'no answer' : `${answer.kind}: ${answer.why}` };
    if (judges[i]!.length === 0) return { why: said[i]!.join('; ') };
    return { ...script, clauses: [...models[i]!.clauses], judges: judges[i]!, expected };
  });
};

const saysOtherwise = (verdict: Exclude<Verdict, { kind: 'agreed' }>): string => {
  switch (verdict.kind) {
    case 'lacking':
      return verdict.what;
    case 'explained':
      return verdict.findings.join(', ');
    case 'different':
      return verdict.first.what;
  }
};

/** Scripts with what the processor answered, which must be what both engines answer. */
export const askProcessor = async (
  machines: X86Machines,
  scripts: readonly InstructionScript[],
  peer: Silicon,
): Promise<readonly Answered<InstructionScript>[]> => {
  const cases = scripts.map((script) => instructionCaseOf(script.case, script.seed));
  const results = await peer.run(cases);
  return scripts.map((script, i) => {
    const [c, result] = [cases[i]!, results[i]];
    const expected = result ? instructionAnswer(result) : null;
    if (expected === null) return { why: 'the processor did not come to an end' };
    const model = machines.instruction('model', c);
    const found = [model, machines.instruction('executor', c)].flatMap(({ answer }) => differencesOf(c, expected, answer));
    if (found.length > 0) return { why: found[0]! };
    return { ...script, clauses: [...model.clauses], judges: [{ name: 'silicon', version: peer.version, findings: [] }], expected };
  });
};
