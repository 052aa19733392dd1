/** A machine with an image loaded. Chapter: spec/chapters/bare.md. */
import { ENTRY, INFO, RAM_HOLE } from '#spec/bare/boot.ts';
import type { BareConfig } from '#spec/bare/machine.ts';
import { DR6_RESET, DR7_RESET, XCR0_RESET } from '#spec/isa/x86/control_registers.ts';
import type { SegmentObservation } from '#spec/isa/x86/cpu_observation.ts';
import { FRESH_FPU } from '../cpu/x86/fpu/state.ts';
import { type CpuState, CS, type Hidden, RAX, RBX } from '../cpu/x86/state.ts';
import type { SystemSegment, SystemState } from '../cpu/x86/system/state.ts';
import { devicesAtEntry } from '../device/at_entry.ts';
import { writeBytes } from '../memory/access.ts';
import { emptyMemory, type Memory } from '../memory/memory.ts';
import { fromHex, type Word, word, ZERO } from '../word/word.ts';
import { badImage, type Piece } from './image_file.ts';
import type { Loaded } from './loaded.ts';
import type { Machine } from './machine.ts';
import { loadMultiboot } from './multiboot.ts';
import { loadPvh } from './pvh.ts';

const FRAME = 4096;

/** Build a machine. Throws BadInput for an image or configuration that cannot start. */
export const bootBareMachine = (config: BareConfig, image: Uint8Array): Machine => {
  if (INFO.cmdline + config.cmdline.length >= INFO.end) badImage('the command line is too long');
  const loaded = loadMultiboot(image, config) ?? loadPvh(image, config) ?? badImage('neither a multiboot nor a PVH image');
  const memory = loaded.pieces.reduce((m, piece) => withPiece(m, piece), emptyMemory(config.frames));
  return {
    config,
    cpu: cpuAtEntry(loaded),
    memory: writeBytes(memory, INFO.first / FRAME, 0, loaded.info),
    devices: devicesAtEntry(config),
    now: 0,
    retired: 0,
    retiredAtTime: 0,
    drawn: 0,
    haltTold: false,
    ended: null,
    events: [],
    cited: ['bare/image-place', 'bare/entry-state', ...loaded.clauses],
  };
};

const touches = ({ at, length }: Piece, start: number, end: number): boolean => at < end && at + length > start;

const withPiece = (memory: Memory, piece: Piece): Memory => {
  const { at, length, bytes } = piece;
  if (at + length > memory.frames * FRAME || touches(piece, RAM_HOLE.start, RAM_HOLE.end)) badImage('a segment outside RAM');
  if (touches(piece, INFO.first, INFO.end)) badImage('a segment where the boot information lies');
  let now = memory;
  for (let n = 0; n < bytes.length; ) {
    const offset = (at + n) % FRAME;
    const here = Math.min(FRAME - offset, bytes.length - n);
    now = writeBytes(now, Math.floor((at + n) / FRAME), offset, bytes.subarray(n, n + here));
    n += here;
  }
  return now;
};

const hiddenOf = ({ base, limit, rights, usable }: SegmentObservation): Hidden => ({ base: fromHex(base), limit, rights, usable });
const systemSegment = (seen: SegmentObservation): SystemSegment => ({ selector: seen.selector, ...hiddenOf(seen) });

const cpuAtEntry = ({ entry, eax }: Loaded): CpuState => {
  const regs = new Array<Word>(16).fill(ZERO);
  regs[RAX] = word(0, eax);
  regs[RBX] = word(0, INFO.info);
  const all = [0, 1, 2, 3, 4, 5].map((register) => (register === CS ? ENTRY.cs : ENTRY.data));
  return {
    regs,
    rip: word(0, entry),
    flags: ENTRY.rflags,
    segments: { selectors: all.map(({ selector }) => selector), fsBase: ZERO, gsBase: ZERO, hidden: all.map(hiddenOf), root: 0 },
    fpu: FRESH_FPU,
    system: systemAtEntry(),
  };
};

const systemAtEntry = (): SystemState => ({
  kind: 'bare',
  mode: 'prot32',
  cpl: 0,
  cr0: ENTRY.cr0,
  cr2: ZERO,
  cr3: ZERO,
  cr4: ENTRY.cr4,
  cr8: 0,
  efer: 0,
  xcr0: word(0, XCR0_RESET),
  dr: [ZERO, ZERO, ZERO, ZERO, word(0, DR6_RESET), word(0, DR7_RESET)],
  gdtr: { base: fromHex(ENTRY.gdtr.base), limit: ENTRY.gdtr.limit },
  idtr: { base: fromHex(ENTRY.idtr.base), limit: ENTRY.idtr.limit },
  ldtr: systemSegment(ENTRY.ldtr),
  tr: systemSegment(ENTRY.tr),
  msrs: new Map(),
  fpuAside: false,
  shadow: 'none',
  activity: 'running',
  nmiBlocked: false,
});
