import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { BadInput } from '#spec/failure.ts';
import { readTrace } from '#traces/file.ts';
import { RECORDED_FOLDER } from '../campaign/conformance.ts';
import { damage } from '../hygiene/hostile.ts';
import { generator, mutateJson } from '../hygiene/hostile_json.ts';
import { replayFile } from './command/replay.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenspec-hostile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'x.trace');

const recorded = readdirSync(RECORDED_FOLDER)
  .filter((file) => file.endsWith('.trace.gz'))
  .map((file) => readFileSync(join(RECORDED_FOLDER, file)))
  .sort((a, b) => a.length - b.length)
  .slice(0, 12);

/** A trace that holds its inputs and an observation, made of the shortest recording. */
const scripted = ((): string => {
  const [header] = gunzipSync(recorded[0]!).toString('utf8').split('\n');
  const parsed = { ...JSON.parse(header!), visible: ['inputs', 'events', 'observations'] };
  const inputs = [
    { kind: 'time', now: 3_000_000_000 },
    { kind: 'schedule', cpu: 0, vcpu: { domid: 0, vcpu: 0 } },
    { kind: 'execute', cpu: 0, steps: 100 },
    { kind: 'console_input', bytes: 'x' },
  ].map((input) => ({ record: 'input', input }));
  const end = { record: 'end', finish: 'limit', reason: null, retired: null };
  return `${[parsed, ...inputs, { record: 'observation', observation: { now: 0 } }, end].map((r) => JSON.stringify(r)).join('\n')}\n`;
})();

const texts = [...recorded.map((gz) => gunzipSync(gz).toString('utf8')), scripted];

/** A trace whose JSON is sound, but whose values are not what they were: mostly in the header, where the machine stands. */
const withOddValues = (seed: number): string => {
  const random = generator(seed);
  const lines = texts[seed % texts.length]!.trimEnd().split('\n');
  const at = random(3) === 0 ? random(lines.length) : 0;
  lines[at] = mutateJson(lines[at]!, random, ['elf', 'program']);
  return `${lines.join('\n')}\n`;
};

const damaged = (seed: number): Uint8Array | string => {
  if (seed % 2 === 0) return withOddValues(seed);
  const packed = recorded[seed % recorded.length]!;
  return damage(seed % 4 === 1 ? packed : gunzipSync(packed), seed);
};

/** A recorded program takes fewer steps; a damaged one is not worth more. */
const LIMIT = 20_000;

const outcomeOf = async (content: Uint8Array | string, run: boolean): Promise<string> => {
  writeFileSync(path, content);
  try {
    if (!run) return (await readTrace(path)).records.length > 0 ? 'read' : 'empty';
    const verdicts = (await replayFile(path, ['model', 'executor'], LIMIT)).map(({ verdict }) => verdict.verdict);
    return verdicts[0] === verdicts[1] ? verdicts[0]! : verdicts.join(' / ');
  } catch (error) {
    const { message, stack } = error as Error;
    return error instanceof BadInput && message.startsWith(path) && !message.includes('\n') ? 'refused' : `${stack}`;
  }
};

/** A machine may be refused by an engine, which does not know the file. */
const BY_ENGINE = /^BadInput: (?:configuration|machine|image|ELF image|the executor holds)[^\n]*/;

test('10,000 damaged traces are refused in one line, or read, and replayed to the same verdict on both machines', async () => {
  const counts = new Map<string, number>();
  const strange: string[] = [];
  for (let seed = 1; seed <= 10_000; seed++) {
    // Reading is cheap, and what it lets pass is run often enough.
    const outcome = await outcomeOf(damaged(seed), seed % 8 === 0);
    const kind = BY_ENGINE.test(outcome) ? 'refused' : outcome;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if (!['refused', 'read', 'accepted', 'rejected', 'inconclusive'].includes(kind)) strange.push(`trace ${seed}: ${kind}`);
  }
  expect(strange).toEqual([]);
  expect(counts.get('refused')).toBeGreaterThan(5000);
  expect(counts.get('read')).toBeGreaterThan(500);
  expect(counts.get('accepted')).toBeGreaterThan(50);
  expect(counts.get('rejected')).toBeGreaterThan(20);
}, 120_000);
