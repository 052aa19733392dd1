import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { RAX, RCX, RDI, RDX, RSI, RSP } from '../cpu/x86/state.ts';
import { NO_TRAPS } from '../domain/fresh_vcpu.ts';
import { frame, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { preparedGuest } from '../testing/fresh.ts';
import { DOM0, frameAt, POOL, peek, peek64, poke, pokeWords, remap } from '../testing/guest.ts';
import { CODE, hypercall, load, reg, run, setRegs, wordOf } from '../testing/step.ts';
import { toggleMode } from '../traps/mode.ts';
import { word } from '../word/word.ts';

const guest = preparedGuest(ONE_PAGE_KERNEL);
const PIC = 0x20;
const BITMAP = POOL + 0x4000;
const DATA = POOL + 0x5000;

/** Run one instruction, and tell how it ended: `done`, or vector and error code. */
const carry = (machine: Machine, code: readonly number[], regs: Readonly<Record<number, number | bigint>> = {}) => {
  const ran = run(setRegs(load(machine, DOM0, code), DOM0, regs));
  const fault = ran.events.find((event) => event.kind === 'exception');
  return { ...ran, ended: fault ? `${fault.vector} ${fault.error}` : 'done' };
};
const IN = [0xec]; // in al,dx
const INS = [0xf3, 0x6c]; // rep insb
const iopl = (level: number): Machine => updateVcpu(guest, DOM0, { iopl: level });
const physdev = (machine: Machine, command: number, words: readonly (number | bigint)[]) =>
  hypercall(pokeWords(machine, DOM0, words), DOM0, 'physdev_op', command, 0x3f0000);

describe('ports', () => {
  it('are for the kernel from IOPL 1 on, for user mode with IOPL 3', () => {
    const user = (machine: Machine): Machine => toggleMode(machine, DOM0);
    const ends = [0, 1, 3].map((level) => [iopl(level), user(iopl(level))].map((m) => carry(m, IN, { [RDX]: PIC }).ended));
    expect(ends).toEqual([
      ['13 0', '13 0'],
      ['done', '13 0'],
      ['done', 'done'],
    ]);
  });

  it('are for those whose bits are clear in the bitmap, as long as it goes and can be read', () => {
    const port = fc.integer({ min: 0, max: 0x3fff });
    fc.assert(
      fc.property(port, fc.uint8Array({ minLength: 2, maxLength: 2 }), fc.integer({ min: 0, max: 0x4000 }), (at, bytes, count) => {
        const filled = poke(guest, DOM0, BITMAP, new Uint8Array(4096).fill(0xff));
        const mapped = poke(filled, DOM0, BITMAP + Math.floor(at / 8), bytes.subarray(0, Math.min(2, 4096 - Math.floor(at / 8))));
        const asked = updateVcpu(mapped, DOM0, { ioBitmap: { address: wordOf(BITMAP), ports: count } });
        const clear = (bytes[0] & (1 << (at & 7))) === 0;
        // Port 0x20's bit, so that something is behind it that is modelled.
        const moved = poke(asked, DOM0, BITMAP + 4, Uint8Array.from([clear && at + 1 <= count ? 0xfe : 0xff]));
        const limit = updateVcpu(moved, DOM0, { ioBitmap: { address: wordOf(BITMAP), ports: 0x21 } });
        expect(carry(limit, IN, { [RDX]: PIC }).ended).toBe(clear && at + 1 <= count ? 'done' : '13 0');
      }),
      { numRuns: 30 },
    );
    const open = updateVcpu(poke(guest, DOM0, BITMAP, new Uint8Array(16)), DOM0, { ioBitmap: { address: wordOf(BITMAP), ports: 0x20 } });
    expect(carry(open, IN, { [RDX]: PIC }).ended).toBe('13 0');
    const absent = updateVcpu(guest, DOM0, { ioBitmap: { address: wordOf(0x10), ports: 0x10000 } });
    expect(carry(absent, IN, { [RDX]: PIC }).ended).toBe('13 0');
  });

  it('take their IOPL and bitmap from physdev_op, which looks at them in its order', () => {
    expect(physdev(guest, 6, [3]).rc).toBe(0);
    expect(vcpuOf(physdev(guest, 6, [2]).machine, DOM0).iopl).toBe(2);
    expect(physdev(guest, 6, [4]).rc).toBe(-22);
    expect(hypercall(guest, DOM0, 'physdev_op', 6, 0x10).rc).toBe(-14);
    expect(physdev(guest, 7, [BITMAP, 65536]).rc).toBe(0);
    expect(physdev(guest, 7, [BITMAP, 65537]).rc).toBe(-22);
    expect(physdev(guest, 7, [0xffff800000000000n, 1]).rc).toBe(-22);
    expect(hypercall(guest, DOM0, 'physdev_op', 3, 0).rc).toBe(-38);
  });
});

describe('string input and output', () => {
  const allowed = iopl(1);
  it('moves as many elements as the counter says, and leaves the rest alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.boolean(), (count, down) => {
        const { cpu } = vcpuOf(allowed, DOM0);
        const start = updateVcpu(poke(allowed, DOM0, DATA, new Uint8Array(128)), DOM0, {
          cpu: { ...cpu, flags: cpu.flags | (down ? 0x400 : 0) },
        });
        const { machine } = carry(start, INS, { [RCX]: count, [RDI]: DATA + 64, [RDX]: PIC });
        const written = Array.from(peek(machine, DOM0, DATA, 128), (byte, k) => (byte === 0xff ? k : -1)).filter((k) => k >= 0);
        const expected = Array.from({ length: count }, (_, k) => 64 + (down ? -k : k)).sort((a, b) => a - b);
        expect([written, reg(machine, DOM0, RCX)]).toEqual([expected, 0n]);
      }),
    );
  });

  it('faults where it cannot go on, with registers as they are by then', () => {
    const holed = remap(allowed, DOM0, DATA + 0x1000, 0n).machine;
    const { machine, ended } = carry(holed, INS, { [RCX]: 9, [RDI]: DATA + 0xffd, [RDX]: PIC });
    // RCX as the frame has it: the way into the handler uses the register itself.
    expect([ended, peek64(machine, DOM0, Number(reg(machine, DOM0, RSP))), reg(machine, DOM0, RDI)]).toEqual([
      '14 2',
      6n,
      BigInt(DATA + 0x1000),
    ]);
    expect(carry(holed, [0x6e], { [RSI]: 0x10, [RDX]: PIC }).ended).toBe('14 0');
    expect(carry(holed, [0x6c], { [RDI]: 0xffff800000000000n, [RDX]: PIC }).ended).toBe('13 0');
  });
});

describe('model-specific registers', () => {
  const read = (machine: Machine, number: number) => carry(machine, [0x0f, 0x32], { [RCX]: number });
  const write = (machine: Machine, number: number, value: bigint) =>
    carry(machine, [0x0f, 0x30], { [RCX]: number, [RAX]: value & 0xffffffffn, [RDX]: value >> 32n });

  it('read back what may be kept', () => {
    for (const [number, value] of [
      [0xc0000100, 0x7fff_0000_1234n],
      [0xc0000102, 0xffff_9000_0000_0000n],
      [0xc0000103, 0x12345678n],
      [0x17a, 0x5n],
    ] as const) {
      const { machine } = read(write(guest, number, value).machine, number);
      expect([(reg(machine, DOM0, RDX) << 32n) | reg(machine, DOM0, RAX)]).toEqual([value]);
    }
  });

  it.each([
    ['SPEC_CTRL', 0x48],
    ['MTRRcap', 0xfe],
    ['SYSENTER_CS', 0x174],
    ['LSTAR', 0xc0000082],
  ])('%s is #GP(0), or zero while the guest has no handler for it', (_, number) => {
    expect(read(guest, number).ended).toBe('13 0');
    const bare = read(updateVcpu(guest, DOM0, { traps: NO_TRAPS }), number);
    expect([bare.ended, reg(bare.machine, DOM0, RAX), bare.clauses.includes('emulation/rdmsr-faked')]).toEqual(['done', 0n, true]);
  });

  it('refuse what Xen refuses', () => {
    expect(write(guest, 0xc0000100, 0x8000_0000_0000n).ended).toBe('13 0');
    expect(write(guest, 0xc0000103, 1n << 32n).ended).toBe('13 0');
    expect(write(guest, 0x401, 1n).ended).toBe('13 0');
    expect(write(guest, 0x140, 1n).ended).toBe('13 0');
    expect(write(guest, 0x277, 0n).ended).toBe('13 0');
  });

  it('0x40000000 writes the hypercall page into a frame of the domain’s', () => {
    const mfn = frameAt(guest, DOM0, DATA);
    const { machine, ended } = write(guest, 0x40000000, BigInt(mfn) << 12n);
    expect([ended, peek(machine, DOM0, DATA, 2), frame(machine, mfn)!.typeRefs]).toEqual([
      'done',
      Uint8Array.from([0x51, 0x41]),
      frame(guest, mfn)!.typeRefs,
    ]);
    expect(write(guest, 0x40000000, (BigInt(mfn) << 12n) | 1n).ended).toBe('13 0');
    expect(write(guest, 0x40000000, 0x7000n).ended).toBe('13 0');
  });
});

describe('the time-stamp counter with CR4.TSD', () => {
  const tsd = updateVcpu(guest, DOM0, { cr4: word(0, vcpuOf(guest, DOM0).cr4.lo | 4), tscAux: 9 });
  it('is read by Xen for the kernel, and not for user mode', () => {
    expect(carry(tsd, [0x0f, 0x31]).clauses).toContain('emulation/rdtsc');
    expect(reg(carry(tsd, [0x0f, 0x01, 0xf9]).machine, DOM0, RCX)).toBe(9n);
    expect(carry(toggleMode(tsd, DOM0), [0x0f, 0x31]).ended).toBe('13 0');
  });
});

describe('XSETBV', () => {
  const on = updateVcpu(guest, DOM0, { cr4: word(0, vcpuOf(guest, DOM0).cr4.lo | 0x40000) });
  const XSETBV = [0x0f, 0x01, 0xd1];
  it('needs CR4.OSXSAVE, and values that make sense', () => {
    expect(carry(guest, XSETBV, { [RAX]: 1, [RCX]: 0, [RDX]: 0 }).ended).toBe('6 null');
    for (const value of [0, 2, 5, 9]) expect(carry(on, XSETBV, { [RAX]: value, [RCX]: 0, [RDX]: 0 }).ended).toBe('13 0');
    expect(carry(on, XSETBV, { [RAX]: 1, [RCX]: 1, [RDX]: 0 }).ended).toBe('13 0');
    const { machine } = carry(on, XSETBV, { [RAX]: 1, [RCX]: 0, [RDX]: 0 });
    expect(reg(carry(machine, [0x0f, 0x01, 0xd0], { [RCX]: 0 }).machine, DOM0, RAX)).toBe(1n);
  });
});

describe('breakpoints', () => {
  const set = (machine: Machine, number: number, value: number | bigint): Machine => {
    const { machine: after, rc } = hypercall(machine, DOM0, 'set_debugreg', number, value);
    expect(rc).toBe(0);
    return after;
  };
  const statusOf = (machine: Machine): number => vcpuOf(machine, DOM0).dr[4].lo & 0xf;
  const STORE = [0x88, 0x07]; // mov [rdi],al

  it('on data trap behind the store, and tell which', () => {
    const watched = set(set(guest, 1, DATA), 7, 0x100004);
    const hit = carry(watched, STORE, { [RDI]: DATA });
    expect([hit.ended, statusOf(hit.machine)]).toEqual(['1 null', 2]);
    expect(carry(watched, STORE, { [RDI]: DATA + 1 }).ended).toBe('done');
  });

  it('on an instruction fault before it', () => {
    const watched = set(set(guest, 2, CODE), 7, 0x10);
    const { ended, machine } = carry(watched, [0x40, 0xb0, 5]);
    expect([ended, statusOf(machine), reg(machine, DOM0, RAX) & 0xffn]).toEqual(['1 null', 4, reg(watched, DOM0, RAX) & 0xffn]);
  });

  it('on ports are watched by Xen, with CR4.DE alone', () => {
    expect(hypercall(guest, DOM0, 'set_debugreg', 7, 0x20001).rc).toBe(-1);
    const extended = updateVcpu(iopl(1), DOM0, { cr4: word(0, vcpuOf(guest, DOM0).cr4.lo | 8) });
    const watched = set(set(extended, 1, PIC), 7, 0x200004);
    expect(carry(watched, IN, { [RDX]: PIC }).ended).toBe('1 null');
    expect(carry(watched, IN, { [RDX]: PIC + 1 }).ended).toBe('done');
    expect(reg(hypercall(watched, DOM0, 'get_debugreg', 7).machine, DOM0, RAX)).toBe(0x200404n);
  });
});
