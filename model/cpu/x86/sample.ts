/**
 * A small machine for trying instructions one by one: examples and tests use it. Page n of the address space is frame
 * 256 + n, below 2 MiB; what a page allows is given by its flags.
 */
import { FLAT } from '#spec/abi/xen.ts';
import { ADDRESS_BITS, type X86Mode } from '#spec/isa/x86/mode.ts';
import { writeBytes } from '../../memory/access.ts';
import { emptyMemory, type Memory, writeWord } from '../../memory/memory.ts';
import { fromBigInt, fromNumber, or, type Word, word, ZERO } from '../../word/word.ts';
import { type CpuState, CS, DS, ES, FS, freshCpu, GS, type Hidden, SS } from './state.ts';
import { executeInstruction, type Platform } from './step.ts';

/** Where the code, the data and the stack of a sample lie. */
export const PLACE = { code: 0x1000, data: 0x4000, readOnly: 0x6000, noExecute: 0x7000, absent: 0x9000, stack: 0xa000 } as const;

const ROOT = 1;
const FIRST_FRAME = 256;
const READ_WRITE = 0x67;

export type Sample = { readonly cpu: CpuState; readonly memory: Memory };

/** Registers by number, RFLAGS bits added to the initial ones, and bytes to put at addresses. */
export type Setting = {
  readonly regs?: Readonly<Record<number, bigint>>;
  readonly flags?: number;
  readonly bytes?: Readonly<Record<number, readonly number[]>>;
  readonly rip?: number;
};

/** The frame of a page of the sample. */
export const frameOf = (address: number): number => FIRST_FRAME + Math.floor(address / 4096);

/** A processor at the start of `code`, RSP at the top of a page of stack. */
export const sample = (code: readonly number[], { regs = {}, flags = 0, bytes = {}, rip = PLACE.code }: Setting = {}): Sample => {
  const all = { ...bytes, [rip]: code };
  const memory = Object.entries(all).reduce((m, [at, content]) => put(m, Number(at), content), TABLES);
  const fresh = freshCpu(ROOT, fromNumber(rip), [0, FLAT.RING3_CS64, FLAT.RING3_SS64, 0, 0, 0]);
  const values = Array.from({ length: 16 }, (_, n) => fromBigInt(regs[n] ?? (n === 4 ? BigInt(PLACE.stack + 0x800) : 0n)));
  return { cpu: { ...fresh, regs: values, flags: fresh.flags | flags }, memory };
};

/** What a segment register of a legacy mode holds in a sample, unless the test says otherwise: 64 KiB or 4 GiB from address 0. */
const hiddenIn = (mode: X86Mode, register: number): Hidden => {
  const wide = ADDRESS_BITS[mode] === 32;
  const type = register === CS && mode !== 'real' && mode !== 'v86' ? 0xfb : mode === 'real' ? 0x93 : 0xf3;
  return { base: ZERO, limit: wide ? 0xffffffff : 0xffff, rights: type | (wide ? 0xc000 : 0), usable: true };
};

/** A sample in another mode, with parts of segment registers replaced. Its pages stay as they are. */
export const inMode = ({ cpu, memory }: Sample, mode: X86Mode, parts: Readonly<Record<number, Partial<Hidden>>> = {}): Sample => {
  const hidden = [ES, CS, SS, DS, FS, GS].map((n) => ({ ...hiddenIn(mode, n), ...parts[n] }));
  const system = { ...cpu.system, mode, cpl: mode === 'real' ? 0 : 3 };
  return { cpu: { ...cpu, segments: { ...cpu.segments, hidden }, system }, memory };
};

/** A sample on the machine without a hypervisor, at a privilege level, on the same page tables. */
export const asBare = ({ cpu, memory }: Sample, cpl: number): Sample => {
  const system = { ...cpu.system, kind: 'bare' as const, cpl, cr3: fromNumber(ROOT * 4096) };
  return { cpu: { ...cpu, system }, memory };
};

/** Tables for the first 2 MiB: frames 1 to 4 are the levels from the top. */
const tables = (): Memory => {
  let m = emptyMemory(1024);
  for (const level of [1, 2, 3]) m = writeWord(m, level, 0, fromNumber((level + 1) * 4096 + READ_WRITE));
  for (let page = 0; page < 512; page++) m = setPage(m, page * 4096, READ_WRITE);
  m = setPage(m, PLACE.readOnly, READ_WRITE & ~2);
  m = setPage(m, PLACE.noExecute, READ_WRITE, true);
  return setPage(m, PLACE.absent, 0);
};

/** The memory with other flags for the page at `address`. */
export const setPage = (memory: Memory, address: number, flags: number, noExecute = false): Memory =>
  writeWord(memory, 4, Math.floor(address / 4096), or(word(noExecute ? 0x80000000 : 0, 0), fromNumber(frameOf(address) * 4096 + flags)));

/** Bytes at a virtual address of the sample; they may cross pages. */
const put = (memory: Memory, at: number, content: readonly number[]): Memory => {
  const room = 4096 - (at % 4096);
  const first = writeBytes(memory, frameOf(at), at % 4096, Uint8Array.from(content.slice(0, room)));
  return content.length <= room ? first : put(first, at + room, content.slice(room));
};

const TABLES = tables();

/** It has RDPID and all of the XSAVE family. */
export const SAMPLE_PLATFORM: Platform = {
  cpuid: [
    { leaf: 0, subleaf: null, eax: 1, ebx: 2, ecx: 3, edx: 4 },
    { leaf: 7, subleaf: 0, eax: 0, ebx: 0, ecx: 1 << 22, edx: 0 },
    { leaf: 0xd, subleaf: 1, eax: 0xf, ebx: 0, ecx: 0, edx: 0 },
  ],
  tsc: ZERO,
};

/** One step of a sample. */
export const tryOne = ({ cpu, memory }: Sample, platform = SAMPLE_PLATFORM): ReturnType<typeof executeInstruction> =>
  executeInstruction(cpu, memory, platform);

/** A register's value after one step. */
export const regAfter = (code: readonly number[], setting: Setting, reg: number): Word => tryOne(sample(code, setting)).cpu.regs[reg];
