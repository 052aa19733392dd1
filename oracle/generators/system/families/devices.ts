/**
 * Registers of the devices: written, then read back. Only what neither time nor firmware decides is read, and every case leaves the
 * device as it was.
 */
import type { Action, SystemCase } from '#oracle/image/bare/case.ts';
import { PAGE0 } from '#oracle/image/bare/layout.ts';
import type { Stream } from '../../isa/stream.ts';
import { little, rowOf } from '../assemble.ts';
import { somePlace } from '../places.ts';
import type { Family } from './family.ts';

const LAPIC = 0xfee00000;
const IOAPIC = 0xfec00000;
/** Where the bytes that were read go, one after another. */
const SEEN = PAGE0 + 0x180;

/** A program of port and memory accesses, in flat 32-bit code. */
class Accesses {
  readonly code: number[] = [];
  #seen = SEEN;

  out(port: number, value: number): this {
    this.code.push(0xba, ...little(port, 4), 0xb0, value & 0xff, 0xee);
    return this;
  }

  /** `mask`: the bits that time does not move. */
  in(port: number, mask = 0xff): this {
    this.code.push(0xba, ...little(port, 4), 0xec, 0x24, mask, 0xa2, ...little(this.#seen++, 4));
    return this;
  }

  write(at: number, value: number): this {
    this.code.push(0xc7, 0x05, ...little(at, 4), ...little(value >>> 0, 4));
    return this;
  }

  read(at: number): this {
    this.code.push(0xa1, ...little(at, 4), 0xa3, ...little(this.#seen, 4));
    this.#seen += 4;
    return this;
  }
}

const out = (port: number, value: number): Action => ({ do: 'out', port, value });
const store = (at: number, value: number): Action => ({ do: 'store', at, value });

type Program = { readonly accesses: Accesses; readonly after: readonly Action[]; readonly name: string; readonly memory?: true };

const PIC_MASKED: readonly Action[] = [0x20, 0xa0].flatMap((port) => [
  out(port, 0x11),
  out(port + 1, port === 0x20 ? 8 : 0x70),
  out(port + 1, port === 0x20 ? 4 : 2),
  out(port + 1, 1),
  out(port + 1, 0xff),
]);

const pic = (s: Stream): Program => {
  const base = s.pick([0x20, 0xa0]);
  const a = new Accesses();
  a.out(base, 0x11)
    .out(base + 1, s.below(256))
    .out(base + 1, base === 0x20 ? 4 : 2)
    .out(base + 1, s.pick([1, 3, 5]));
  for (let i = 0; i < 3; i++) a.out(base + 1, s.below(256)).in(base + 1);
  // ISR by OCW3, special masks, ELCR: its bits for 0, 1, 2, 8 and 13 do not stick.
  a.out(base, 0x0b)
    .in(base)
    .out(base, s.pick([0x68, 0x48]))
    .in(base + 1);
  const elcr = base === 0x20 ? 0x4d0 : 0x4d1;
  a.out(elcr, s.below(256)).in(elcr).out(elcr, 0);
  return { name: 'PIC', accesses: a, after: PIC_MASKED };
};

/** Bit 4 of port 0x61 toggles with the memory's refresh. */
const STILL = 0xef;

/** Counter 2, whose gate is off: it stands still. Bits 7 and 6 of its status follow OUT and loading. */
const pit = (s: Stream): Program => {
  const a = new Accesses().out(0x61, 0);
  const mode = s.below(6);
  const access = s.int(1, 3);
  a.out(0x43, 0x80 | (access << 4) | (mode << 1) | (s.one(3) ? 1 : 0));
  for (let byte = 0; byte < (access === 3 ? 2 : 1); byte++) a.out(0x42, s.int(2, 9));
  a.out(0x43, 0xe8).in(0x42);
  a.out(0x61, s.pick([0, 2])).in(0x61, STILL);
  return { name: 'PIT', accesses: a, after: [out(0x61, 0)] };
};

const rtc = (s: Stream): Program => {
  const a = new Accesses();
  // Bytes of CMOS that are RAM to everybody, and register B without interrupts.
  for (const index of [s.int(0x40, 0x7f), s.int(0x40, 0x7f)]) a.out(0x70, index).out(0x71, s.below(256)).out(0x70, index).in(0x71);
  a.out(0x70, 0x0b)
    .out(0x71, 0x80 | s.pick([0, 2, 4, 6]))
    .in(0x71)
    .out(0x70, 0x0d)
    .in(0x71);
  return { name: 'RTC', accesses: a, after: [out(0x70, 0x0b), out(0x71, 0x02)] };
};

const COM1 = 0x3f8;
const serial = (s: Stream): Program => {
  const a = new Accesses();
  const low = s.below(256);
  a.out(COM1 + 3, 0x80)
    .out(COM1, low)
    .out(COM1 + 1, s.below(4))
    .in(COM1)
    .in(COM1 + 1)
    .in(COM1 + 3);
  a.out(COM1 + 3, s.below(0x40))
    .in(COM1 + 3)
    .out(COM1 + 1, 0)
    .in(COM1 + 1)
    .out(COM1 + 7, s.below(256))
    .in(COM1 + 7);
  a.out(COM1 + 4, s.below(16))
    .in(COM1 + 4)
    .in(COM1 + 2);
  return { name: 'serial', accesses: a, after: [out(COM1 + 3, 3), out(COM1 + 1, 0), out(COM1 + 4, 0)] };
};

const lapic = (s: Stream): Program => {
  const a = new Accesses();
  a.write(LAPIC + 0xf0, 0x1ff);
  const registers: readonly (readonly [at: number, value: number])[] = [
    [0x80, s.below(256)],
    [0xd0, s.below(256) * 0x1000000],
    [0xe0, s.pick([0xffffffff, 0x0fffffff])],
    [0x310, s.below(256) * 0x1000000],
    [0x3e0, s.below(16)],
    [0x320, 0x10000 | s.int(16, 255)],
    [0x340, 0x10000 | s.int(16, 255)],
    [0x350, 0x10000 | s.int(16, 255)],
    [0x360, 0x10000 | s.int(16, 255)],
    [0x370, 0x10000 | s.int(16, 255)],
  ];
  for (let i = 0; i < 5; i++) {
    const [at, value] = s.pick(registers);
    a.write(LAPIC + at, value).read(LAPIC + at);
  }
  const masked = [0x320, 0x340, 0x350, 0x360, 0x370].map((at) => store(LAPIC + at, 0x10000));
  return {
    name: 'local APIC',
    accesses: a,
    memory: true,
    after: [store(LAPIC + 0x80, 0), store(LAPIC + 0xd0, 0), store(LAPIC + 0xe0, 0xffffffff), ...masked],
  };
};

const ioapic = (s: Stream): Program => {
  const a = new Accesses();
  const entry = s.below(24);
  const [low, high] = [
    0x10000 | s.int(16, 255) | (s.pick([0, 1]) << 8) | (s.below(2) << 11) | (s.below(2) << 13) | (s.below(2) << 15),
    s.below(256) * 0x1000000,
  ];
  a.write(IOAPIC, 0x10 + 2 * entry)
    .write(IOAPIC + 0x10, low)
    .read(IOAPIC + 0x10)
    .read(IOAPIC);
  a.write(IOAPIC, 0x11 + 2 * entry)
    .write(IOAPIC + 0x10, high)
    .read(IOAPIC + 0x10);
  return {
    name: 'I/O APIC',
    accesses: a,
    memory: true,
    after: [store(IOAPIC, 0x10 + 2 * entry), store(IOAPIC + 0x10, 0x10000), store(IOAPIC, 0x11 + 2 * entry), store(IOAPIC + 0x10, 0)],
  };
};

const device = (s: Stream): SystemCase => {
  const { name, accesses, after, memory } = s.pick([pic, pit, rtc, serial, lapic, ioapic])(s);
  const row = memory ? rowOf('mov', '1 a1') : rowOf('in', '1 ec');
  // The page holds no more code than this.
  return { ...somePlace(s, ['prot32'], [0]), paging: 'none', row, note: `device ${name}`, code: accesses.code, after };
};

export const DEVICES: readonly Family[] = [{ name: 'device', weight: 5, make: device }];
