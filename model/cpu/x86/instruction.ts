/** A decoded instruction: what the bytes say, before any register or memory is looked at. */
import type { Row } from '#spec/isa/x86/opcodes.ts';
import type { Size } from '../../word/size.ts';
import type { Word } from '../../word/word.ts';
import type { Semantics } from './running.ts';

/** Base register number that stands for the address of the next instruction. */
export const RIP_BASE = 16;
/** No base or no index register. */
export const NONE = -1;

/**
 * `xmm`, `mmx`, `st`: register `index` of its file (of the x87 stack: from the top). `far`: the pointer `index`:`value`. `reg`: general register `index`; `high`: AH CH DH BH, of register `index`; `seg`, `system`: segment, control or debug
 * register `index`; `imm`: the constant `value`, cut to `size`; `mem`: [segment: base + (index << scale) + value].
 */
export class Operand {
  readonly kind: 'reg' | 'high' | 'seg' | 'system' | 'imm' | 'mem' | 'xmm' | 'mmx' | 'st' | 'far';
  /** Of general operands. Wider ones have 8 here. */
  readonly size: Size;
  readonly index: number;
  readonly value: Word;
  readonly base: number;
  readonly scale: number;
  /** The segment register of memory. */
  readonly segment: number;
  /** Bytes to which the address is cut before the segment's base is added. */
  readonly addressSize: 2 | 4 | 8;
  /** Faults of the address are stack faults. */
  readonly stack: boolean;
  /** How many bytes the instruction reads or writes there: `size`, or 10 or 16; 0 where its rule alone knows. */
  readonly bytes: number;
  constructor(
    kind: Operand['kind'],
    size: Size,
    index: number,
    value: Word,
    base: number,
    scale: number,
    segment: number,
    addressSize: 2 | 4 | 8,
    stack: boolean,
    bytes: number = size,
  ) {
    this.kind = kind;
    this.size = size;
    this.index = index;
    this.value = value;
    this.base = base;
    this.scale = scale;
    this.segment = segment;
    this.addressSize = addressSize;
    this.stack = stack;
    this.bytes = bytes;
  }
}

export class Instruction {
  readonly mnemonic: string;
  readonly row: Row;
  /** Its rule. */
  readonly run: Semantics;
  /** Bytes, at most 15. */
  readonly length: number;
  /** Operand size of the instruction as a whole; byte operands have their own. */
  readonly size: Size;
  readonly dst: Operand;
  readonly src: Operand;
  readonly third: Operand;
  /** F3 or F2 before the opcode. */
  readonly rep: 'none' | 'rep' | 'repne';
  readonly lock: boolean;
  /** The segment register of implied memory operands: DS, or what a prefix says. */
  readonly segment: number;
  /** Bytes of addresses, and of the counter of LOOP and REP. */
  readonly addressSize: 2 | 4 | 8;
  constructor(
    mnemonic: string,
    row: Row,
    run: Semantics,
    length: number,
    size: Size,
    operands: readonly [Operand, Operand, Operand],
    rep: Instruction['rep'],
    lock: boolean,
    segment: number,
    addressSize: 2 | 4 | 8,
  ) {
    this.mnemonic = mnemonic;
    this.row = row;
    this.run = run;
    this.length = length;
    this.size = size;
    this.dst = operands[0];
    this.src = operands[1];
    this.third = operands[2];
    this.rep = rep;
    this.lock = lock;
    this.segment = segment;
    this.addressSize = addressSize;
  }
}
