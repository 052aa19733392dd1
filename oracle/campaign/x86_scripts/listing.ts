/** Code as objdump reads it, for people who read scripts. */
import type { X86Script } from '#traces/conformance_x86.ts';
import { objdumpPeer } from '../../peers/objdump/objdump.ts';
import { bytesOf } from './numbers.ts';

/** A script's listing stops here: what comes behind is data, or a device program that repeats itself. */
const MOST_LINES = 60;

const bitsOf = ({ kind, case: { mode } }: X86Script): '64' | '32' | '16' => {
  if (kind === 'instruction') return mode as '64' | '32' | '16';
  return mode === '64' ? '64' : mode === 'prot32' || mode === 'compat32' ? '32' : '16';
};

/** One line for each instruction from the start; none where objdump is not installed. */
export const listingOf = async (script: X86Script): Promise<readonly string[]> => {
  const objdump = objdumpPeer();
  if (!objdump.available) return script.listing;
  const code = bytesOf(script.case.code);
  const lines: string[] = [];
  // What follows an instruction decides nothing about it, so that each is asked about where the one before ended.
  for (let at = 0; at < code.length && lines.length < MOST_LINES; ) {
    const [first] = await objdump.disassemble([code.subarray(at, at + 16)], bitsOf(script));
    if (first === undefined || first.length < 1) break;
    lines.push(first.text.replace(/\s+/g, ' '));
    at += first.length;
    if (script.kind === 'instruction') break;
  }
  return lines;
};
