/** Lengths and names of instructions: both decoders against objdump. */
import type { DecodeMode } from '#spec/isa/x86/mode.ts';
import { byteString } from '../../generators/isa/byte_strings.ts';
import { MODES } from '../../image/instruction/case.ts';
import { nameIn, sameName } from '../../peers/objdump/names.ts';
import { type Disassembled, objdumpPeer } from '../../peers/objdump/objdump.ts';
import { DECODE_EXCEPTIONS } from './decode_exceptions.ts';
import { type Decoded, executorDecodes, modelDecodes } from './decoders.ts';

export type DecodeDifference = { readonly seed: number; readonly mode: DecodeMode; readonly bytes: string; readonly what: string };

export type DecodeCheck = {
  readonly peer: string | null;
  readonly unavailable: string | null;
  readonly seeds: { readonly first: number; readonly last: number };
  readonly strings: number;
  /** Length and mnemonic agree. */
  readonly agreed: number;
  /** All three say that there is no such instruction. */
  readonly invalid: number;
  readonly tooLong: number;
  readonly notModelled: Readonly<Record<string, number>>;
  /** By finding. */
  readonly exceptions: Readonly<Record<string, number>>;
  readonly differences: readonly DecodeDifference[];
  readonly seconds: number;
};

const BATCH = 50_000;

/** Each mode gets every third string. */
const modeOf = (seed: number): DecodeMode => MODES[seed % MODES.length];
const MOST_DIFFERENCES = 100;

const isUndefined = (d: Decoded): boolean => d.kind === 'undefined' || (d.kind === 'instruction' && d.mnemonic === 'invalid');

/** What the engines make of a string, or how they differ. `nop` is the one name that the model has of its own. */
const together = (model: Decoded, executor: Decoded): Decoded | string => {
  const tell = (d: Decoded): string =>
    'length' in d ? `${d.kind} ${d.kind === 'instruction' ? d.mnemonic : ''} of ${d.length} bytes` : d.kind;
  const length = (d: Decoded): number => ('length' in d ? d.length : -1);
  const name = (d: Decoded): string => (d.kind === 'instruction' ? d.mnemonic : '');
  // The executor finds out only when it builds the instruction.
  const kinds = model.kind === executor.kind || (model.kind === 'undefined' && executor.kind === 'instruction');
  const names = model.kind === 'undefined' || name(model) === name(executor) || (name(model) === 'nop' && name(executor) === 'xchg');
  if (executor.kind === 'not modelled') return executor;
  if (model.kind === 'not modelled') return model;
  if (isUndefined(model) && isUndefined(executor)) return executor;
  return kinds && names && length(model) === length(executor) ? model : `model ${tell(model)}, executor ${tell(executor)}`;
};

type Verdict = 'agreed' | 'invalid' | 'too long' | { readonly notModelled: string } | { readonly differs: string };

const judge = (bytes: Uint8Array, mode: DecodeMode, shown: Disassembled): Verdict => {
  const ours = together(modelDecodes(bytes, mode), executorDecodes(bytes, mode));
  if (typeof ours === 'string') return { differs: ours };
  if (ours.kind === 'not modelled') return { notModelled: ours.what };
  const name = nameIn(shown.text);
  const broken = name === null || shown.text.includes('(bad)');
  if (ours.kind === 'too long') return broken ? 'too long' : { differs: `engines: more than 15 bytes; objdump: ${shown.text}` };
  if (ours.kind === 'undefined' && broken) return 'invalid';
  if (ours.kind === 'instruction' && ours.mnemonic === 'invalid')
    return broken ? 'invalid' : { differs: `engines: #UD; objdump: ${shown.text}` };
  const mnemonic = ours.kind === 'instruction' ? ours.mnemonic : 'undefined';
  const sameLength = ours.length === shown.length;
  const named = ours.kind === 'undefined' || (name !== null && sameName(ours.mnemonic, name));
  return sameLength && named
    ? 'agreed'
    : { differs: `engines: ${mnemonic}, ${ours.length} bytes; objdump: ${shown.text}, ${shown.length} bytes` };
};

export const checkDecoders = async (first: number, last: number, onStrings?: (n: number) => void): Promise<DecodeCheck> => {
  const started = performance.now();
  const objdump = objdumpPeer();
  const counts = { strings: 0, agreed: 0, invalid: 0, tooLong: 0 };
  const notModelled: Record<string, number> = {};
  const exceptions: Record<string, number> = {};
  const differences: DecodeDifference[] = [];
  const result = (): DecodeCheck => ({
    peer: objdump.available ? objdump.version : null,
    unavailable: objdump.available ? null : objdump.why,
    seeds: { first, last },
    ...counts,
    notModelled,
    exceptions,
    differences,
    seconds: (performance.now() - started) / 1000,
  });
  if (!objdump.available) return result();
  const take = (seed: number, bytes: Uint8Array, mode: DecodeMode, shown: Disassembled): void => {
    counts.strings++;
    const verdict = judge(bytes, mode, shown);
    if (verdict === 'agreed') counts.agreed++;
    else if (verdict === 'invalid') counts.invalid++;
    else if (verdict === 'too long') counts.tooLong++;
    else if ('notModelled' in verdict) {
      const what = verdict.notModelled.replace(/^.*instruction\//, '');
      notModelled[what] = (notModelled[what] ?? 0) + 1;
    } else {
      const exception = DECODE_EXCEPTIONS.find((e) => e.applies(bytes, shown.text, mode));
      if (exception) exceptions[exception.finding] = (exceptions[exception.finding] ?? 0) + 1;
      else if (differences.length < MOST_DIFFERENCES)
        differences.push({ seed, mode, bytes: Buffer.from(bytes).toString('hex'), what: verdict.differs });
    }
  };
  for (let at = first; at <= last && differences.length < MOST_DIFFERENCES; at += BATCH) {
    const seeds = Array.from({ length: Math.min(BATCH, last - at + 1) }, (_, n) => at + n);
    for (const mode of MODES) {
      const mine = seeds.filter((seed) => modeOf(seed) === mode);
      const strings = mine.map((seed) => byteString(seed, mode));
      const shown = await objdump.disassemble(strings, mode);
      for (const [n, bytes] of strings.entries()) take(mine[n], bytes, mode, shown[n]);
      onStrings?.(strings.length);
    }
  }
  return result();
};
