/** A booted domain 0 for tests of what Xen does: code is poked in, registers are set, steps are taken. */
import type { Event } from '#spec/event.ts';
import { debian_4_17, dom0, domU } from '#spec/machines/debian_4_17.ts';
import { bootMachine } from '../../boot.ts';
import { R8, R10, RAX, RDI, RDX, RSI } from '../../cpu/interface.ts';
import type { Machine } from '../machine.ts';
import { execute, schedule } from '../run.ts';
import type { Vcpu } from '../vcpu.ts';
import { BASE, type ImageOptions, image } from './image.ts';

const PAGE = 4096;
const MEMORY_MIB = 8;
const SYSCALL = [0x0f, 0x05];
const ARGUMENTS = [RDI, RSI, RDX, R10, R8] as const;

/** Addresses of the image's pages: code, hypercall page, and two of data. */
export const CODE: number = BASE;
export const HYPERCALL_PAGE: number = BASE + PAGE;
export const DATA: number = BASE + 2 * PAGE;
export const STACK: number = BASE + 4 * PAGE;

export type GuestOptions = ImageOptions & {
  readonly vcpus?: number;
  readonly pcpus?: number;
  readonly domUs?: number;
  readonly lenient?: boolean;
};

export class Guest {
  readonly machine: Machine;
  readonly vcpu: Vcpu;

  constructor({ vcpus = 1, pcpus = 1, domUs = 0, lenient = false, ...options }: GuestOptions = {}) {
    const domains = [{ ...dom0('', MEMORY_MIB), vcpus }, ...Array.from({ length: domUs }, (_, i) => domU(i + 1, '', MEMORY_MIB))];
    const config = { ...debian_4_17(domains, lenient), frames: 0x1000 + domains.length * MEMORY_MIB * 256, pcpus };
    this.machine = bootMachine(
      config,
      domains.map(() => image(options)),
    );
    this.vcpu = this.machine.domains[0]!.vcpus[0]!;
    schedule(this.machine, 0, this.vcpu.ref);
    this.machine.events = [];
  }

  /** Machine address of a virtual address of the initial mapping. */
  at(address: number): number {
    return this.machine.config.layout.domheap_first * PAGE + address - BASE;
  }

  poke(address: number, bytes: readonly number[]): void {
    this.machine.memory.writeBytes(this.at(address), Uint8Array.from(bytes));
  }

  /** Store 64-bit words. */
  put(address: number, ...words: readonly (number | bigint)[]): void {
    words.forEach((word, i) => {
      this.machine.memory.write64(this.at(address + 8 * i), BigInt.asUintN(64, BigInt(word)));
    });
  }

  get(address: number | bigint): bigint {
    return this.machine.memory.read64(this.at(Number(address)));
  }

  /** Eight-byte words from an address on. */
  words(address: number | bigint, count: number): bigint[] {
    return Array.from({ length: count }, (_, i) => this.get(Number(address) + 8 * i));
  }

  register(number: number): bigint {
    return this.vcpu.cpu.gpr(number);
  }

  set(number: number, value: number | bigint): void {
    this.vcpu.cpu.setGpr(number, BigInt.asUintN(64, BigInt(value)));
  }

  /** Run code at CODE for some steps; answers the events but flushes of translations. */
  run(code: readonly number[], steps = 1): readonly Event[] {
    this.poke(CODE, code);
    this.vcpu.cpu.rip = BigInt(CODE);
    return this.step(steps);
  }

  step(steps = 1): readonly Event[] {
    this.machine.events = [];
    execute(this.machine, Math.max(0, this.vcpu.processor), steps);
    return this.machine.events.filter(({ kind }) => kind !== 'tlb_flush');
  }

  /** Make a hypercall by a SYSCALL at CODE; answers RAX as a signed number. */
  call(number: number, ...args: readonly (number | bigint)[]): number {
    this.set(RAX, number);
    args.forEach((value, i) => {
      this.set(ARGUMENTS[i]!, value);
    });
    this.run(SYSCALL);
    return Number(BigInt.asIntN(64, this.register(RAX)));
  }

  /** Register handlers: vector → address, with trap_info flags. */
  traps(handlers: Readonly<Record<number, number>>, flags = 0): void {
    for (const [vector, address] of Object.entries(handlers)) {
      this.vcpu.trapFlags[Number(vector)] = flags;
      this.vcpu.trapLo[Number(vector)] = address;
    }
  }
}
