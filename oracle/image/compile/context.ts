/** What the compiler of one program knows while it writes code. */
import type { Program, Step } from '#spec/program.ts';
import type { Assembler } from '../asm/assembler.ts';
import { addressOf, at, imm, type Operand, reg } from '../asm/operand.ts';
import { PEER_RESULTS, RESULTS } from '../layout.ts';
import type { Data } from './data.ts';

/** Registers by name, parsed once. */
export const R = {
  rax: reg('rax'),
  rcx: reg('rcx'),
  rdx: reg('rdx'),
  rbx: reg('rbx'),
  rsp: reg('rsp'),
  rbp: reg('rbp'),
  rsi: reg('rsi'),
  rdi: reg('rdi'),
  r8: reg('r8'),
  r9: reg('r9'),
  r10: reg('r10'),
  r11: reg('r11'),
  eax: reg('eax'),
  ax: reg('ax'),
  al: reg('al'),
  ebx: reg('ebx'),
  edi: reg('edi'),
  esi: reg('esi'),
  edx: reg('edx'),
  r8d: reg('r8d'),
  r9d: reg('r9d'),
  r10d: reg('r10d'),
  r12d: reg('r12d'),
  r13d: reg('r13d'),
  r14d: reg('r14d'),
  r15d: reg('r15d'),
  esp: reg('esp'),
} as const;

/** The register of `size` bytes with RAX's number. */
export const raxOf = (size: number): Operand => (size === 8 ? R.rax : size === 4 ? R.eax : size === 2 ? R.ax : R.al);

/** Slots that hold results: at most one page of them. */
const SLOTS = 512;

/** Numbers of a program's domains: domain 0 and one that it builds, unless others are said. */
export type Domids = readonly [first: number, second: number];
export const DOMIDS: Domids = [0, 1];

export class Context {
  readonly a: Assembler;
  readonly data: Data;
  readonly number: number;
  readonly pool: number;
  readonly domain: number;
  readonly domains: number;
  /** Numbers of the two domains of a program that takes two. */
  readonly domids: Domids;
  private readonly slots = new Map<string, { readonly index: number; readonly initial: bigint }>();
  private labels = 0;
  /** Address of the words that vCPU 0 and vCPU 1 share, in a program that has steps for vCPU 1. */
  mailbox: number | undefined;

  constructor(a: Assembler, data: Data, number: number, pool: number, program: Program, domain: number, domains: number, domids: Domids) {
    this.a = a;
    this.data = data;
    this.number = number;
    this.pool = pool;
    this.domain = domain;
    this.domains = domains;
    this.domids = domids;
    this.allot(program);
  }

  /** Give a slot to every result that a later step names. */
  private allot(program: Program): void {
    const ids = new Set(program.steps.map((s) => s.id));
    const visit = (value: unknown) => {
      if (value === null || typeof value !== 'object') return;
      if (Array.isArray(value)) return value.forEach(visit);
      const ref = value as { step?: unknown; of?: string; else?: number | string };
      if (typeof ref.step === 'number') {
        const key = `${ref.step}.${ref.of ?? 'rc'}`;
        if (!ids.has(ref.step) || this.slots.has(key) || this.slots.size === SLOTS) return;
        this.slots.set(key, { index: this.slots.size, initial: BigInt.asUintN(64, BigInt(ref.else ?? 0)) });
        return;
      }
      for (const inner of Object.values(value)) visit(inner);
    };
    visit(program.steps);
  }

  /** Where the result of a step of this domain is kept; 0 when nobody asks for it. */
  slotFor(step: Step, field: string): number {
    return this.slotOf({ step: step.id, of: field });
  }

  /** Where a result is read; 0 when the step is gone. */
  slotOf(ref: { readonly step: number; readonly of?: string | undefined }): number {
    const slot = this.slots.get(`${ref.step}.${ref.of ?? 'rc'}`);
    if (slot === undefined) return 0;
    // Domain 1 owns the page; domain 0 sees it through a grant.
    return (this.domains === 2 && this.domain === 0 ? PEER_RESULTS : RESULTS) + 8 * slot.index;
  }

  /** Slots with what stands in them before their step has run. */
  *initialSlots(): Iterable<readonly [address: number, value: bigint]> {
    for (const slot of this.slots.values()) yield [RESULTS + 8 * slot.index, slot.initial];
  }

  /** A name for a label that no other has. */
  label(): string {
    return `.${this.number}.${this.labels++}`;
  }

  call(routine: string): void {
    this.a.op('call', addressOf(routine));
  }

  /** Load a constant into a 64-bit register by the shortest instruction. */
  load(register: 'rax' | 'rcx' | 'rdx' | 'rbx' | 'rsi' | 'rdi' | 'r8' | 'r9' | 'r10', value: number | bigint) {
    const wide = BigInt.asUintN(64, BigInt(value));
    if (wide === 0n) {
      const low = LOW[register];
      this.a.op('xor', low, low);
    } else if (wide <= 0xffffffffn) this.a.op('mov32', LOW[register], imm(wide));
    else this.a.op('mov', R[register], imm(wide));
  }

  /** Copy RAX to memory. */
  storeRax(address: number, size = 8): void {
    this.a.op('mov', at((size * 8) as 8 | 16 | 32 | 64, address), raxOf(size));
  }

  /** `mov register32, address of a counted text`, then a routine. */
  say(text: string, routine = 'put_text'): void {
    this.a.op('mov32', R.esi, imm(this.data.text(text)));
    this.call(routine);
  }
}

const LOW = {
  rax: R.eax,
  rcx: reg('ecx'),
  rdx: R.edx,
  rbx: R.ebx,
  rsi: R.esi,
  rdi: R.edi,
  r8: R.r8d,
  r9: R.r9d,
  r10: R.r10d,
} as const;
