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

/** A batch takes a second or so; a helper that hangs is ended, and goes on behind the case. */
const PATIENCE_MS = 120_000;

/** Output of the helper, whatever its exit code. */
const runHelper = (
  program: string,
  input: Uint8Array,
): Promise<{ readonly output: Uint8Array; readonly complaint: string; readonly code: number | null }> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, ['run'], { stdio: ['pipe', 'pipe', 'pipe'], timeout: PATIENCE_MS, killSignal: 'SIGKILL' });
    const output: Buffer[] = [];
    const complaint: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => output.push(part));
    child.stderr.on('data', (part: Buffer) => complaint.push(part));
    // The helper may end before it has read everything.
    child.stdin.on('error', () => {});
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ output: new Uint8Array(Buffer.concat(output)), complaint: Buffer.concat(complaint).toString().trim(), code }),
    );
    child.stdin.end(input);
  });

/** The helper's exit code when a case spoilt its way back: all results before it are there. */
const SPOILT = 3;

const runCases = async (program: string, cases: readonly InstructionCase[]): Promise<readonly (SiliconResult | null)[]> => {
  if (cases.length === 0) return [];
  const { output, complaint, code } = await runHelper(program, encodeBatch(cases));
  const got = decodeResults(cases, output);
  if (got.length === cases.length) return got;
  if (got.length === 0 && complaint !== '') throw new Error(`silicon: ${complaint}`);
  const left = cases.slice(got.length);
  if (code === SPOILT || left.length === 1) return [...got, null, ...(await runCases(program, left.slice(1)))];
  // It was ended from outside, and may have taken results along: the culprit is in one of the halves.
  const half = left.length >> 1;
  return [...got, ...(await runCases(program, left.slice(0, half))), ...(await runCases(program, left.slice(half)))];
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
