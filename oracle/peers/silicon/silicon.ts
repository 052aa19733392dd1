/** The processor of this machine as a peer: it runs single instructions, unprivileged, in a process of their own. */
import { execFileSync, spawn } from 'node:child_process';
import type { CpuidLeaf } from '#spec/config.ts';
import type { InstructionCase } from '../../image/instruction/case.ts';
import type { Unavailable } from '../peer.ts';
import { buildHelper } from './build.ts';
import { brandOf, featuresOf, vendorOf } from './features.ts';
import { decodeResults, encodeBatch, type SiliconResult } from './format.ts';

export type Silicon = {
  readonly available: true;
  readonly name: 'silicon';
  /** The processor's own name. */
  readonly version: string;
  readonly vendor: string;
  /** Names of the features that rows may need. */
  readonly features: ReadonlySet<string>;
  /** The leaves that programs read here. */
  readonly cpuid: readonly CpuidLeaf[];
  /**
   * Run cases, each from its own state. Null for a case that ended the helper itself, which then goes on with the next. Throws
   * when the helper cannot be started at all.
   */
  run(cases: readonly InstructionCase[]): Promise<readonly (SiliconResult | null)[]>;
};

/** Output of the helper, whatever its exit code. */
const runHelper = (program: string, input: Uint8Array): Promise<{ output: Uint8Array; complaint: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, ['run'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    const complaint: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => output.push(part));
    child.stderr.on('data', (part: Buffer) => complaint.push(part));
    // The helper may end before it has read everything.
    child.stdin.on('error', () => {});
    child.on('error', reject);
    child.on('close', () => resolve({ output: Buffer.concat(output), complaint: Buffer.concat(complaint).toString().trim() }));
    child.stdin.end(input);
  });

const runCases = async (program: string, cases: readonly InstructionCase[]): Promise<readonly (SiliconResult | null)[]> => {
  const results: (SiliconResult | null)[] = [];
  while (results.length < cases.length) {
    const left = cases.slice(results.length);
    const { output, complaint } = await runHelper(program, encodeBatch(left));
    const got = decodeResults(left, output);
    if (got.length === 0 && complaint !== '') throw new Error(`silicon: ${complaint}`);
    results.push(...got);
    if (got.length < left.length) results.push(null);
  }
  return results;
};

/** Leaves whose answer depends on ECX, among those that programs here ask for. */
const BY_SUBLEAF: readonly number[] = [7, 0xd];

const readCpuid = (program: string): readonly CpuidLeaf[] =>
  execFileSync(program, ['features'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => {
      const [leaf, subleaf, eax, ebx, ecx, edx] = line.split(' ').map((word) => Number.parseInt(word, 16));
      return { leaf, subleaf: BY_SUBLEAF.includes(leaf) ? subleaf : null, eax, ebx, ecx, edx };
    });

/** The processor, or why it cannot be asked. */
export const siliconPeer = (): Silicon | Unavailable => {
  const built = buildHelper();
  if ('missing' in built) return { available: false, name: 'silicon', why: built.missing };
  const { program } = built;
  const cpuid = readCpuid(program);
  return {
    available: true,
    name: 'silicon',
    version: brandOf(cpuid),
    vendor: vendorOf(cpuid),
    features: featuresOf(cpuid),
    cpuid,
    run: (cases) => runCases(program, cases),
  };
};
