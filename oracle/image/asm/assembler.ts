/** An assembler for x86-64: instructions and data in, bytes at a fixed address out. */
import { ARITHMETIC } from './arithmetic.ts';
import { CONTROL } from './control.ts';
import { Emitter } from './emitter.ts';
import type { Encode } from './encoding.ts';
import { MOVES } from './moves.ts';
import { AssemblyError, type Operand } from './operand.ts';

const INSTRUCTIONS: ReadonlyMap<string, Encode> = new Map(Object.entries({ ...ARITHMETIC, ...MOVES, ...CONTROL }));
const PREFIXES: Readonly<Record<string, number>> = { rep: 0xf3, repe: 0xf3, repne: 0xf2, lock: 0xf0 };

/** Names of the instructions that can be assembled. */
export const mnemonics = (): readonly string[] => [...INSTRUCTIONS.keys()];

export class Assembler {
  readonly base: number;
  private readonly emitter = new Emitter();
  private readonly labels = new Map<string, number>();
  /** Addresses of labels that were assembled elsewhere. */
  private readonly outside: ReadonlyMap<string, number>;

  constructor(base: number, outside: ReadonlyMap<string, number> = new Map()) {
    this.base = base;
    this.outside = outside;
  }

  /** Address of the next byte. */
  get here(): number {
    return this.base + this.emitter.length;
  }

  label(name: string): void {
    if (this.labels.has(name)) throw new AssemblyError(`label ${name} stands twice`);
    this.labels.set(name, this.here);
  }

  /** One instruction; the name may carry a prefix (`rep movsb`, `lock add`). */
  op(name: string, ...operands: readonly Operand[]): void {
    let encode = INSTRUCTIONS.get(name);
    if (!encode) {
      const [prefix, rest] = name.split(' ');
      encode = INSTRUCTIONS.get(rest ?? '');
      if (PREFIXES[prefix] === undefined || !encode) throw new AssemblyError(`no such instruction: ${name}`);
      this.emitter.byte(PREFIXES[prefix]);
    }
    try {
      encode(this.emitter, operands);
    } catch (error) {
      if (error instanceof AssemblyError) throw new AssemblyError(`${name}: ${error.message}`);
      throw error;
    }
  }

  data(bytes: Uint8Array): void {
    this.emitter.append(bytes);
  }

  quad(value: number | bigint): void {
    this.emitter.value(64, value);
  }

  /** Eight bytes that will hold a label's address. */
  address(label: string, plus = 0): void {
    this.emitter.immediate(64, { t: 'imm', value: plus, label });
  }

  align(to: number, fill = 0): void {
    while (this.here % to !== 0) this.emitter.byte(fill);
  }

  /** Address of a label of this or of the outside code; throws AssemblyError when there is none. */
  addressOf(label: string): number {
    const found = this.labels.get(label) ?? this.outside.get(label);
    if (found === undefined) throw new AssemblyError(`no such label: ${label}`);
    return found;
  }

  /** Patch all places that waited for labels, and hand out the bytes and the labels. */
  finish(): { readonly bytes: Uint8Array; readonly labels: ReadonlyMap<string, number> } {
    const bytes = this.emitter.bytes.slice(0, this.emitter.length);
    const view = new DataView(bytes.buffer);
    for (const { at, label, kind, tail } of this.emitter.fixups) {
      const target = this.addressOf(label);
      if (kind === 'abs32') view.setInt32(at, view.getInt32(at, true) + target, true);
      else if (kind === 'abs64') view.setBigInt64(at, view.getBigInt64(at, true) + BigInt(target), true);
      else if (kind === 'rel32') view.setInt32(at, view.getInt32(at, true) + target - (this.base + at + 4 + tail), true);
      else {
        const distance = view.getInt8(at) + target - (this.base + at + 1);
        if (distance < -128 || distance > 127) throw new AssemblyError(`label ${label} is too far for a short branch`);
        view.setInt8(at, distance);
      }
    }
    return { bytes, labels: this.labels };
  }
}
