/** One case of a bare image: the state in which it begins, its code, and how that becomes the harness's list of actions. */
import type { X86Mode } from '#spec/isa/x86/mode.ts';
import { ACTION } from './driver.ts';
import type { Entry } from './entries.ts';
import {
  CODE,
  GDT,
  IDT32,
  IDT64,
  IVT,
  PAGE0,
  PAGE3,
  S,
  SEL,
  STACK_TOP,
  STATE,
  STATE_BYTES,
  TABLES,
  TSS,
  TSS_DF,
  TSS_TASK,
  VECTORS,
} from './layout.ts';

export type Paging = 'none' | '32' | 'pae' | '4level';
export type Ring = 0 | 1 | 2 | 3;

/** What the harness does outside the case, in flat 32-bit code: stores, port bytes, MSRs. */
export type Action =
  | { readonly do: 'store'; readonly at: number; readonly value: number }
  | { readonly do: 'out'; readonly port: number; readonly value: number }
  | { readonly do: 'msr'; readonly msr: number; readonly value: bigint };

export type SystemCase = {
  /** The row of the opcode table that it counts for, by index, and what is tried. */
  readonly row: number;
  readonly note: string;
  readonly mode: X86Mode;
  readonly ring: Ring;
  readonly paging: Paging;
  /** UD2 is added. */
  readonly code: readonly number[];
  /** CPUID's name of a feature without which the case means nothing. */
  readonly feature?: string;
  /** RAX to R15 by number. */
  readonly gpr?: Readonly<Record<number, bigint>>;
  readonly flags?: number;
  readonly segments?: { readonly [K in 'cs' | 'ss' | 'ds' | 'es' | 'fs' | 'gs']?: number };
  readonly ip?: bigint;
  readonly sp?: bigint;
  /** Bits besides those that the mode needs. */
  readonly cr0?: number;
  readonly cr4?: number;
  readonly cr3?: number;
  readonly efer?: number;
  readonly cr8?: number;
  readonly ldt?: number;
  readonly tr?: number;
  /** DR0 to DR3, DR7. */
  readonly dr?: readonly bigint[];
  readonly before?: readonly Action[];
  readonly after?: readonly Action[];
};

export const isLong = (mode: X86Mode): boolean => mode === '64' || mode === 'compat16' || mode === 'compat32';
export const bitsOf = (mode: X86Mode): 16 | 32 | 64 => (mode === '64' ? 64 : mode === 'prot32' || mode === 'compat32' ? 32 : 16);

const CR0 = { pe: 1, et: 0x10, ne: 0x20, pg: 0x80000000 };
const CR4 = { pse: 0x10, pae: 0x20, sse: 0x600 };
const EFER_LME = 0x100;
const VM = 0x20000;
const UD2 = [0x0f, 0x0b];
/** IRET frames of the harness: three dwords in protected mode, three words in real mode. */
const FRAME32 = 12;
const FRAME16 = 6;

const CR3: Readonly<Record<Paging, number>> = { none: 0, '32': TABLES.pd32, pae: TABLES.pdpt, '4level': TABLES.pml4 };

export const entryOf = (mode: X86Mode): Entry => (mode === 'real' ? 'enterReal' : isLong(mode) ? 'enter64' : 'enter32');

/** The page that a case's code lies in. */
export const pageOf = ({ mode, ring }: { readonly mode: X86Mode; readonly ring: Ring }): number =>
  ring === 0 && mode !== 'v86' ? PAGE0 : PAGE3;

const codeSelector = (mode: X86Mode, ring: Ring): number => {
  if (mode === 'real' || mode === 'v86') return pageOf({ mode, ring }) >> 4;
  const inner = mode === '64' ? SEL.code64 : bitsOf(mode) === 32 ? SEL.code32 : SEL.code16;
  return ring === 0 ? inner : inner - SEL.code32 + (SEL.user32 & ~3) + ring;
};
const dataSelector = (mode: X86Mode, ring: Ring): number => {
  if (mode === 'real' || mode === 'v86') return pageOf({ mode, ring }) >> 4;
  const wide = bitsOf(mode) !== 16;
  return ring === 0 ? (wide ? SEL.data : SEL.data16) : ((wide ? SEL.userData : SEL.userData16) & ~3) | ring;
};

/** The STATE block of a case, and what else must be in memory before it. */
const stateOf = (c: SystemCase, label: (name: string) => number): { readonly state: DataView; readonly stores: readonly Action[] } => {
  const state = new DataView(new ArrayBuffer(STATE_BYTES));
  const put = (at: number, value: number) => state.setUint32(at - STATE, value >>> 0, true);
  const put64 = (at: number, value: bigint) => state.setBigUint64(at - STATE, BigInt.asUintN(64, value), true);
  const { mode, ring, paging } = c;
  const long = isLong(mode);
  const legacy16 = mode === 'real' || mode === 'v86';
  put(S.enter, label(entryOf(mode)));
  put(S.cr0, CR0.et | CR0.ne | (mode === 'real' ? 0 : CR0.pe) | (paging === 'none' ? 0 : CR0.pg) | (c.cr0 ?? 0));
  put(S.cr3, c.cr3 ?? CR3[paging]);
  put(S.cr4, CR4.sse | (paging === 'pae' || long ? CR4.pae : 0) | (c.cr4 ?? 0));
  put(S.efer, (long ? EFER_LME : 0) | (c.efer ?? 0));
  put(S.ldt, c.ldt ?? 0);
  put(S.tr, c.tr ?? (long ? SEL.tss64 : mode === 'real' ? 0 : SEL.tss32));
  put(S.gdtr, 0x1ff | (GDT << 16));
  const [idt, size] = mode === 'real' ? [IVT, 4] : long ? [IDT64, 16] : [IDT32, 8];
  put(S.idtr, (VECTORS * size - 1) | (idt << 16));
  for (let i = 0; i < 5; i++) put64(S.dr + 8 * i, c.dr?.[i] ?? (i === 4 ? 0x400n : 0n));
  put64(S.cr8, BigInt(c.cr8 ?? 0));
  const gpr = Array.from({ length: 16 }, (_, i) => BigInt.asUintN(64, c.gpr?.[i] ?? 0n));
  // EDI ESI EBP - EBX EDX ECX EAX.
  [7, 6, 5, 4, 3, 2, 1, 0].forEach((reg, i) => {
    put(S.pops + 4 * i, Number(gpr[reg] & 0xffffffffn));
  });
  gpr.forEach((value, i) => {
    put64(S.gpr64 + 8 * i, value);
  });
  const data = dataSelector(mode, ring);
  const { cs = codeSelector(mode, ring), ss = data, ds = data, es = data, fs = 0, gs = 0 } = c.segments ?? {};
  // In virtual-8086 mode IRET loads them, and those that are popped before are the harness's.
  [gs, fs, es, ds].forEach((selector, i) => {
    put(S.segments + 4 * i, mode === 'v86' ? SEL.data : selector);
  });
  const page = pageOf(c);
  const ip = c.ip ?? BigInt(legacy16 ? CODE : page + CODE);
  const sp = c.sp ?? BigInt(legacy16 ? STACK_TOP : page + STACK_TOP);
  const flags = (c.flags ?? 0) | 2 | (mode === 'v86' ? VM : 0);
  [ip, BigInt(cs), BigInt(flags), sp, BigInt(ss)].forEach((value, i) => {
    put(S.iret + 4 * i, Number(BigInt.asUintN(32, value)));
    put64(S.iret64 + 8 * i, value);
  });
  [es, ds, fs, gs].forEach((selector, i) => {
    put(S.iret + 20 + 4 * i, selector);
  });
  const stores: Action[] = [];
  // Tasks bring a CR3 of their own.
  if (!long && paging !== 'none')
    for (const tss of [TSS_TASK, TSS_DF]) stores.push({ do: 'store', at: tss + TSS.cr3, value: c.cr3 ?? CR3[paging] });
  const samering = mode === 'real' || (!long && ring === 0);
  put(S.samering, samering && mode !== 'real' ? 1 : 0);
  if (samering) {
    const frame = mode === 'real' ? FRAME16 : FRAME32;
    put(S.sp, Number(sp) - frame);
    put(S.ss, ss);
    const at = (mode === 'real' ? ss * 16 : 0) + Number(sp) - frame;
    const words = mode === 'real' ? [Number(ip) | (cs << 16), flags & 0xffff] : [Number(BigInt.asUintN(32, ip)), cs, flags];
    words.forEach((value, i) => {
      stores.push({ do: 'store', at: at + 4 * i, value: value >>> 0 });
    });
  }
  return { state, stores };
};

const codeStores = (c: SystemCase): readonly Action[] => {
  const bytes = Uint8Array.from([...c.code, ...UD2, 0, 0, 0].slice(0, ((c.code.length + 2 + 3) >> 2) * 4));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 4 }, (_, i) => ({
    do: 'store' as const,
    at: pageOf(c) + CODE + 4 * i,
    value: view.getUint32(4 * i, true),
  }));
};

const words = (action: Action): readonly number[] => {
  switch (action.do) {
    case 'store':
      return [ACTION.store, action.at, action.value];
    case 'out':
      return [ACTION.out, action.port, action.value];
    case 'msr':
      return [ACTION.msr, action.msr, Number(action.value & 0xffffffffn), Number(action.value >> 32n)];
  }
};

/** Stores of the words in which a case's STATE differs from a template. */
const difference = (state: DataView, template: DataView): readonly Action[] =>
  Array.from({ length: STATE_BYTES / 4 }, (_, i) => i)
    .filter((i) => state.getUint32(4 * i, true) !== template.getUint32(4 * i, true))
    .map((i) => ({ do: 'store', at: STATE + 4 * i, value: state.getUint32(4 * i, true) }));

/** A case as the harness reads it. `template` gives the address of a block that holds most of STATE. */
export const encodeCase = (
  c: SystemCase,
  id: number,
  label: (name: string) => number,
  template: (state: DataView, key: string) => { readonly address: number; readonly state: DataView },
): readonly number[] => {
  const { state, stores } = stateOf(c, label);
  const chosen = template(state, `${c.mode} ${c.ring} ${c.paging}`);
  const before = [...stores, ...codeStores(c), ...(c.before ?? []), ...difference(state, chosen.state)];
  return [id, chosen.address, ...before.flatMap(words), ACTION.end, ...(c.after ?? []).flatMap(words), ACTION.end];
};
