/** GNU objdump as a peer: it says how long an instruction is and what it is called. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DecodeMode } from '#spec/isa/x86/mode.ts';
import type { Unavailable } from '../peer.ts';

/** `text` as objdump prints it in Intel's syntax, prefixes first. */
export type Disassembled = { readonly length: number; readonly text: string };

export type Objdump = {
  readonly available: true;
  readonly name: 'objdump';
  readonly version: string;
  /** The instruction at the start of each string of 16 bytes. */
  disassemble(strings: readonly Uint8Array[], mode?: DecodeMode): Promise<readonly Disassembled[]>;
};

const STRING = 16;
/** Each string has a slot of its own. What follows it there, prefixes up to a NOP, ends with the slot wherever decoding enters it. */
const SLOT = 32;
const SEGMENT_CS = 0x2e;
const NOP = 0x90;

const LEGACY: readonly number[] = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3];
/** An override that means nothing in 64-bit mode, to objdump neither. */
const IGNORED = 0x26;
const isRex = (byte: number): boolean => byte >> 4 === 4;

/**
 * A REX prefix counts only right before the opcode; objdump takes any other for an instruction of its own (F-051). It gets
 * a string that means the same.
 */
export const withoutDeadRex = (string: Uint8Array): Uint8Array => {
  const bytes = string.slice();
  for (let n = 0; n + 1 < bytes.length && (isRex(bytes[n]) || LEGACY.includes(bytes[n])); n++)
    if (isRex(bytes[n]) && (isRex(bytes[n + 1]) || LEGACY.includes(bytes[n + 1]))) bytes[n] = IGNORED;
  return bytes;
};

const slots = (strings: readonly Uint8Array[], mode: DecodeMode): Uint8Array => {
  const bytes = new Uint8Array(strings.length * SLOT).fill(SEGMENT_CS);
  for (const [n, string] of strings.entries()) {
    const shown = string.subarray(0, STRING);
    bytes.set(mode === '64' ? withoutDeadRex(shown) : shown, n * SLOT);
    bytes[n * SLOT + SLOT - 1] = NOP;
  }
  return bytes;
};

const ARGUMENTS = ['-D', '-w', '-b', 'binary', '--no-show-raw-insn', '-z', '-M', 'intel'] as const;
const MACHINE: Readonly<Record<DecodeMode, readonly string[]>> = {
  '64': ['-m', 'i386:x86-64'],
  '32': ['-m', 'i386'],
  '16': ['-m', 'i8086'],
};
const LINE = /^\s*([0-9a-f]+):\s*(.*)$/;

/** The first instruction of each slot, and where the next one begins. */
const readSlots = async (lines: AsyncIterable<string>, count: number): Promise<readonly Disassembled[]> => {
  const found: Disassembled[] = new Array(count);
  let open: { readonly at: number; readonly text: string } | null = null;
  for await (const line of lines) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const at = Number.parseInt(match[1], 16);
    if (open !== null) found[open.at / SLOT] = { length: at - open.at, text: open.text };
    open = at % SLOT === 0 ? { at, text: match[2].trim() } : null;
  }
  return found;
};

const disassemble = async (strings: readonly Uint8Array[], mode: DecodeMode = '64'): Promise<readonly Disassembled[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'xenspec-objdump-'));
  try {
    const file = join(folder, 'strings');
    writeFileSync(file, slots(strings, mode));
    const child = spawn('objdump', [...ARGUMENTS, ...MACHINE[mode], file], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    return await readSlots(createInterface({ input: child.stdout }), strings.length);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** objdump, or why it cannot be asked. */
export const objdumpPeer = (): Objdump | Unavailable => {
  try {
    const said = execFileSync('objdump', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return { available: true, name: 'objdump', version: said.split('\n')[0], disassemble };
  } catch {
    return { available: false, name: 'objdump', why: 'not installed (Debian 12: apt-get install --no-install-recommends binutils)' };
  }
};
