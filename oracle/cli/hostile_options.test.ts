import { expect, test } from 'vitest';
import { generator } from '../hygiene/hostile_json.ts';
import { EXIT } from './exit_code.ts';
import { here } from './testing/cli.ts';

// Command lines that must end before they do anything: files that are not there, words that nobody knows, an option that does not exist.
const STOP = '--no-such-option';
const COMMANDS: readonly (readonly string[])[] = [
  ['run', 'absent.elf', '--on', 'model', '--cmdline', 'quiet', '--memory', '128', '--limit', '1000', '--domU', 'absent.elf'],
  ['run', 'absent.elf', '--machine', 'absent.json', '--lenient', '--json', '--domU-memory', '16'],
  ['replay', 'absent.trace.gz', 'other.trace.gz', '--on', 'both', '--limit', '5', '--json'],
  ['replay', 'absent.trace.gz', '--mutant', 'no-such-mutant'],
  ['diff', 'absent.trace.gz', 'other.trace.gz', '--json', '--no-model'],
  ['explain', 'no/such_clause', '--json'],
  ['check', '--seeds', '1..20', '--programs', '5', '--out', 'nowhere', '--budget', '3', '--mutant', 'x', STOP],
  ['record', 'absent.elf', '--peer', 'executor', '--seeds', '1..2', '--batch', '8', '--out', 'nowhere', STOP],
  ['peers', '--json', STOP],
];

const JUNK = [
  '',
  '-',
  '--',
  '-1',
  '0',
  '1e9',
  '99999999999999999999',
  '..',
  '1..',
  'NaN',
  '\u0000',
  '\u001b[31m',
  'é',
  '\n',
  'x'.repeat(3000),
];
const garble = (text: string, random: (below: number) => number): string => {
  const at = random(text.length + 1);
  const letter = String.fromCharCode(random(3) === 0 ? random(65536) : 32 + random(95));
  return [text.slice(0, at), text.slice(0, at) + letter + text.slice(at), text.slice(0, at) + letter + text.slice(at + 1)][random(3)]!;
};

/** The command with one to three of its words garbled, replaced, repeated, moved or gone; what makes it stop stays, last. */
const mutated = (seed: number): readonly string[] => {
  const random = generator(seed);
  const command = COMMANDS[seed % COMMANDS.length]!;
  const words = command.filter((word) => word !== STOP);
  for (let rounds = 1 + random(3); rounds > 0; rounds--) {
    const at = random(words.length);
    const word = words[at] ?? '';
    const change = random(5);
    if (change === 0) words.splice(at, 1);
    else if (change === 1) words.splice(at, 0, word);
    else if (change === 2) words[at] = JUNK[random(JUNK.length)]!;
    else if (change === 3) words.push(...words.splice(at, 1));
    else words[at] = garble(word, random);
  }
  return command.includes(STOP) ? [...words, STOP] : words;
};

test('10,000 damaged command lines end with exit code 2 and one line, or with help that was asked for', async () => {
  const strange: string[] = [];
  const helped = /(?:^|\s)(?:-h|--help|help|-V|--version)/;
  for (let seed = 1; seed <= 10_000; seed++) {
    const args = mutated(seed);
    const { code, stdout, stderr } = await here(...args);
    const lines = stderr.split('\n').length - 1;
    // No argument at all, or `help` alone, prints all the help there is.
    const help = args.length === 0 || helped.test(args.join(' ')) || stderr.startsWith('Usage:');
    const refused = code === EXIT.badInput && stdout === '' && lines === 1 && stderr.startsWith('xenspec: ');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may come out
    const clean = !/[\u0000-\u0009\u000b-\u001f]/.test(stderr);
    if (!clean || !(refused || (help && (code === EXIT.ok || code === EXIT.badInput))))
      strange.push(`${seed}: ${JSON.stringify(args)} → ${code} ${JSON.stringify(stderr.slice(0, 200))}`);
  }
  expect(strange.slice(0, 10)).toEqual([]);
}, 120_000);
