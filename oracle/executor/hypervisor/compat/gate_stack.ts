/** A stack that Xen pushes to when it carries out a call gate. */
import type { Described } from '../../cpu/pv_entry.ts';
import { guestToMachine, putGuest } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { injectPageFault } from '../trap/inject.ts';
import type { Vcpu } from '../vcpu.ts';

const EXPAND_DOWN = 4;
const WORD = 4;
const ERROR_WRITE = 2;
/** How far behind the end of a word that could not be reached Xen says the page fault was: it takes an error number for a count of bytes. */
const BEYOND = 14;

/** The guest has its page fault already. */
export class PushFault extends Error {}

export class Stack {
  readonly selector: number;
  esp: number;
  private readonly machine: Machine;
  private readonly vcpu: Vcpu;
  private readonly segment: Described;
  /** Address of the last word that was pushed. */
  private at: number;

  constructor(machine: Machine, vcpu: Vcpu, selector: number, segment: Described, esp: number) {
    this.machine = machine;
    this.vcpu = vcpu;
    this.selector = selector;
    this.segment = segment;
    this.esp = esp;
    this.at = (segment.base + esp) >>> 0;
  }

  /** The segment has room for so many bytes below the stack pointer. */
  holds(bytes: number): boolean {
    const lowest = (this.esp - bytes) >>> 0;
    const last = (this.esp - 1) >>> 0;
    const limit = this.segment.limit >>> 0;
    return lowest < last && ((this.segment.rights & EXPAND_DOWN) === 0 ? last <= limit : lowest > limit);
  }

  /** They lie below Xen's part of the addresses. */
  isBelowXen(bytes: number): boolean {
    return this.at >= bytes && this.at - 1 < this.vcpu.domain.hypervisorStart;
  }

  /** Throws PushFault. */
  push(value: number): void {
    this.at -= WORD;
    this.esp = (this.esp - WORD) >>> 0;
    if (!putGuest(this.machine, this.vcpu, this.at | 0, 0, WORD, value | 0)) this.fault(ERROR_WRITE);
  }

  /** The next word below. Throws PushFault. */
  takeBelow(): number {
    this.at -= WORD;
    return this.read(this.at) ?? this.fault(0);
  }

  private read(at: number): number | null {
    let value = 0;
    for (let i = 0; i < WORD; i++) {
      const found = guestToMachine(this.machine, this.vcpu, (at + i) | 0, 0, false);
      if (found < 0) return null;
      value |= this.machine.memory.bytes[found] << (8 * i);
    }
    return value;
  }

  private fault(error: number): never {
    const address = this.at + WORD + BEYOND;
    injectPageFault(this.machine, this.vcpu, error, address | 0, address > 0xffffffff ? 1 : 0);
    throw new PushFault();
  }
}
