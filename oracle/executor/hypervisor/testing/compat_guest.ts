/** A booted domain 0 with a 32-bit kernel: code is poked in, registers are set, steps are taken. */
import type { Event } from '#spec/event.ts';
import { debian_4_17, dom0 } from '#spec/machines/debian_4_17.ts';
import { bootMachine } from '../../boot.ts';
import { RAX, RBX, RCX, RDI, RDX, RSI } from '../../cpu/interface.ts';
import type { Machine } from '../machine.ts';
import { execute, schedule } from '../run.ts';
import type { Vcpu } from '../vcpu.ts';
import { infoAddress } from '../vcpu_info.ts';

const PAGE = 4096;
const PAGES = 2048;
const HEADER_BYTES = 52;
const PROGRAM_BYTES = 32;
const NOTES_AT = 0x200;
const ARGUMENTS = [RBX, RCX, RDX, RSI, RDI] as const;
const INT82 = [0xcd, 0x82];

/** Addresses of the image's pages: code, hypercall page, two of data; pages beyond the tables that the guest may use as it likes. */
export const BASE = 0x200000;
export const CODE: number = BASE;
export const HYPERCALLS: number = BASE + PAGE;
export const DATA: number = BASE + 2 * PAGE;
export const STACK: number = BASE + 4 * PAGE;
export const SPARE: number = BASE + 64 * PAGE;

const note = (type: number, value: string | number): number[] => {
  const text =
    typeof value === 'string' ? [...`${value}\0`].map((c) => c.charCodeAt(0)) : [...new Uint8Array(Uint32Array.of(value).buffer)];
  return [4, 0, 0, 0, text.length, 0, 0, 0, type, 0, 0, 0, 0x58, 0x65, 0x6e, 0, ...text, ...new Array<number>(-text.length & 3).fill(0)];
};

/** An image of four pages. `notes`: beyond the usual, by type; null leaves one out. */
export const image32 = (notes: Readonly<Record<number, string | number | null>> = {}): Uint8Array => {
  const file = new Uint8Array(2 * PAGE);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 3, true);
  view.setUint32(24, CODE, true);
  view.setUint32(28, HEADER_BYTES, true);
  view.setUint16(42, PROGRAM_BYTES, true);
  view.setUint16(44, 2, true);
  const usual = { 1: CODE, 2: HYPERCALLS, 3: BASE, 4: BASE, 5: 'xen-3.0', 8: 'generic', 9: 'yes' };
  const all = Object.entries({ ...usual, ...notes }).flatMap(([type, value]) => (value === null ? [] : note(Number(type), value)));
  file.set(all, NOTES_AT);
  const header = (index: number, ...words: readonly number[]): void => {
    words.forEach((word, i) => {
      view.setUint32(HEADER_BYTES + PROGRAM_BYTES * index + 4 * i, word, true);
    });
  };
  header(0, 1, PAGE, BASE, BASE, PAGE, 4 * PAGE, 7);
  header(1, 4, NOTES_AT, 0, 0, all.length, all.length, 4);
  return file;
};

export class CompatGuest {
  readonly machine: Machine;
  readonly vcpu: Vcpu;

  constructor(notes: Readonly<Record<number, string | number | null>> = {}) {
    const config = debian_4_17([{ ...dom0('hi'), pages: PAGES }]);
    const layout = { ...config.layout, xenheap_end: 0xe00, compat_m2p_first: 0xe00 };
    this.machine = bootMachine({ ...config, frames: 0x1000 + PAGES, layout }, [image32(notes)]);
    this.vcpu = this.machine.domains[0]!.vcpus[0]!;
    schedule(this.machine, 0, this.vcpu.ref);
    this.machine.events = [];
    // Nothing is masked.
    this.machine.memory.write8(infoAddress(this.vcpu) + 1, 0);
  }

  /** Frame of an address of the initial mapping. */
  frame(address: number): number {
    return this.machine.config.layout.domheap_first + ((address - BASE) >>> 12);
  }

  at(address: number): number {
    return this.frame(address) * PAGE + (address & (PAGE - 1));
  }

  poke(address: number, bytes: readonly number[]): void {
    this.machine.memory.writeBytes(this.at(address), Uint8Array.from(bytes));
  }

  put(address: number, ...words: readonly number[]): void {
    words.forEach((word, i) => {
      this.machine.memory.write32(this.at(address) + 4 * i, word);
    });
  }

  words(address: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.machine.memory.read32(this.at(address) + 4 * i) >>> 0);
  }

  register(number: number): number {
    return this.vcpu.cpu.gprLo(number) >>> 0;
  }

  set(number: number, value: number): void {
    this.vcpu.cpu.setGprHalves(number, value | 0, 0);
  }

  run(code: readonly number[], steps = 1): readonly Event[] {
    this.poke(CODE, code);
    this.vcpu.cpu.ip = CODE;
    return this.step(steps);
  }

  step(steps = 1): readonly Event[] {
    this.machine.events = [];
    execute(this.machine, 0, steps);
    return this.machine.events.filter(({ kind }) => kind !== 'tlb_flush');
  }

  /** Make a hypercall by INT 0x82 at CODE; answers EAX as a signed number. */
  call(number: number, ...args: readonly number[]): number {
    this.set(RAX, number);
    args.forEach((value, i) => {
      this.set(ARGUMENTS[i]!, value);
    });
    this.run(INT82);
    // An interrupted call is made again.
    while (this.vcpu.cpu.ip === CODE && this.register(RAX) === number && this.machine.halted === null) this.step();
    return this.register(RAX) | 0;
  }

  /** Register a handler in Xen's own code segment of the kernel, with trap_info flags. */
  trap(vector: number, address: number, flags = 0): void {
    this.vcpu.trapFlags[vector] = flags;
    this.vcpu.trapCs[vector] = 0xe019;
    this.vcpu.trapLo[vector] = address;
  }
}
