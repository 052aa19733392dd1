/** What is said of a difference, word for word; and that no more is forgiven than has a reason. */
import { describe, expect, it } from 'vitest';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { LAST_INSTRUCTION } from '#spec/isa/x86/undefined.ts';
import { instructionCase } from '../../generators/isa/instruction_case.ts';
import type { InstructionCase } from '../../image/instruction/case.ts';
import { type FxState, fxImageOf } from '../../image/instruction/fx_state.ts';
import type { SiliconResult } from '../../peers/silicon/format.ts';
import { difference } from './compare.ts';
import type { Change, EngineResult } from './window_state.ts';

const rowOf = (mnemonic: string): number => OPCODES.findIndex((row) => row.mnemonic === mnemonic);
const regs = (values: Readonly<Record<number, bigint>> = {}): BigUint64Array => {
  const all = new BigUint64Array(16);
  for (const [r, value] of Object.entries(values)) all[Number(r)] = value;
  return all;
};
const SELECTORS = { host: [0, 0x33, 0x2b, 0, 0, 0], engine: [0, 0xe033, 0x2b, 0, 0, 0] };
const SAME = { end: 'step', vector: 1, error: 0, address: 0n, regs: regs(), rip: 0x1000n, flags: 0x302, fsBase: 0n, gsBase: 0n } as const;

type Both = { readonly silicon?: Partial<SiliconResult>; readonly engine?: Partial<EngineResult> };
const says = (mnemonic: string, { silicon, engine }: Both, change: Partial<InstructionCase> = {}, hidden = 0): string | null => {
  const c = {
    ...instructionCase(rowOf(mnemonic), 1),
    ...{ mode: '64', size: 4, destination: null, memory: null, selectors: [], ...change },
  };
  const seen: SiliconResult = { ...SAME, fx: null, changes: [], selectors: Uint16Array.from(SELECTORS.host), ...silicon };
  const told: EngineResult = { ...SAME, fx: null, changes: [], selectors: SELECTORS.engine, what: '', ...engine };
  return difference(c as InstructionCase, seen, told, { flags: hidden, letters: '', destination: false });
};
const fault = (vector: number, error: number, address = 0n) => ({ end: 'fault', vector, error, address }) as const;

it.each<readonly [Both, string]>([
  [{ engine: { end: 'done' } }, 'end silicon step, engine done'],
  [{ silicon: fault(13, 0), engine: fault(14, 0) }, 'end silicon fault 13, engine fault 14'],
  [{ silicon: { end: 'trap', vector: 3 }, engine: { end: 'trap', vector: 4 } }, 'end silicon trap 3, engine trap 4'],
  [{ engine: { end: 'not modelled', what: 'instruction/x' } }, 'end silicon step, engine instruction/x'],
  [{ silicon: fault(13, 0x18), engine: fault(13, 0x10) }, 'error code silicon 0x18, engine 0x10'],
  [{ silicon: fault(14, 4, 0x20n), engine: fault(14, 4, 0x21n) }, 'cr2 silicon 0x20, engine 0x21'],
  [{ engine: { rip: 0x1001n } }, 'rip silicon 0x1000, engine 0x1001'],
  [{ engine: { regs: regs({ 4: 5n }) } }, 'rsp silicon 0x0, engine 0x5'],
  [{ engine: { regs: regs({ 15: 1n << 63n }) } }, 'r15 silicon 0x0, engine 0x8000000000000000'],
  [{ engine: { flags: 0x303 } }, 'rflags silicon 0x302, engine 0x303'],
  [{ engine: { selectors: [0, 0xe033, 0x33, 0, 0, 0] } }, 'ss silicon 0x2b, engine 0x33'],
  [{ engine: { fsBase: 1n } }, 'fs base silicon 0x0, engine 0x1'],
  [{ engine: { gsBase: 1n } }, 'gs base silicon 0x0, engine 0x1'],
  [{ silicon: { changes: [{ at: 0x20, bytes: Uint8Array.of(1, 0xab) }] } }, 'memory silicon 0x20: 01ab, engine nothing'],
  [
    {
      engine: {
        changes: [
          { at: 0x20, bytes: new Uint8Array(17).fill(7) },
          { at: 0x40, bytes: Uint8Array.of(1) },
        ],
      },
    },
    `memory silicon nothing, engine 0x20: ${'07'.repeat(16)} 0x40: 01`,
  ],
])('%#: the difference is told', (both, text) => expect(says('add', both)).toBe(text));

describe('a fault', () => {
  it('has an error code and an address where it is one, and of a page fault alone', () => {
    expect(says('add', { engine: { error: 1, address: 1n, vector: 9 } })).toBeNull();
    expect(says('add', { silicon: fault(13, 0, 5n), engine: fault(13, 0, 6n) })).toBeNull();
  });

  it('is told present by the kernel of the host in its own half alone, and in page faults alone', () => {
    const high = 0x7ffffffff000n;
    const told = (vector: number, address: bigint) =>
      says('add', { silicon: fault(vector, 5, address), engine: fault(vector, 4, address) });
    expect(told(14, high)).toBeNull();
    for (const differing of [told(14, high - 1n), told(13, high), told(13, 0n)])
      expect(differing).toBe('error code silicon 0x5, engine 0x4');
  });

  it('may name a selector, by the number that each machine has for it', () => {
    const named = (seen: number, told: number) => says('add', { silicon: fault(13, seen), engine: fault(13, told) });
    expect([named(0x30, 0xe030), named(0x28, 0xe028), named(0x18, 0x18)]).toEqual([null, null, null]);
    expect(named(0x33, 0xe030)).toBe('error code silicon 0x33, engine 0xe030');
    expect(named(0x19, 0x18)).toBe('error code silicon 0x19, engine 0x18');
  });
});

describe('registers', () => {
  const differ = (r: number, value: bigint, mnemonic = 'add', change: Partial<InstructionCase> = {}, other: Both = {}) =>
    says(mnemonic, { silicon: { ...other.silicon }, engine: { regs: regs({ [r]: value }), ...other.engine } }, change);

  it('are eight of 32 bits outside 64-bit mode, and bases are nobody’s business there', () => {
    const mode = { mode: '32' } as const;
    expect([differ(7, 1n << 32n, 'add', mode), differ(8, 1n, 'add', mode)]).toEqual([null, null]);
    expect(differ(7, 1n << 31n, 'add', mode)).toMatch(/^rdi /);
    expect(says('add', { engine: { fsBase: 1n, gsBase: 1n } }, mode)).toBeNull();
    expect(says('add', { engine: { rip: 0n } }, mode)).toMatch(/^rip /);
  });

  it('that hold the time may differ in their low halves, unless the instruction faulted', () => {
    const [low, high] = [0xffffffffn, 1n << 32n];
    for (const [mnemonic, timed] of [
      ['rdtsc', [0, 2]],
      ['rdtscp', [0, 1, 2]],
    ] as const)
      for (const r of [0, 1, 2, 3]) {
        expect(differ(r, low, mnemonic) === null).toBe((timed as readonly number[]).includes(r));
        expect(differ(r, high, mnemonic)).not.toBeNull();
        expect(differ(r, low, mnemonic, {}, { silicon: fault(13, 0), engine: fault(13, 0) })).not.toBeNull();
      }
    expect(differ(0, low)).not.toBeNull();
  });

  it('that were given a selector by name hold each machine’s number for it, in 16 bits', () => {
    const named = {
      selectors: [
        { at: 0x50, name: 'data' },
        { register: 3, name: 'code64' },
      ],
    } as unknown as Partial<InstructionCase>;
    const held = (r: number, seen: bigint, told: bigint) =>
      says('add', { silicon: { regs: regs({ [r]: seen }) }, engine: { regs: regs({ [r]: told }) } }, named);
    expect(held(3, 0x5_0033n, 0x5_e033n)).toBeNull();
    expect(held(3, 0x5_002bn, 0x5_e02bn)).toBeNull();
    expect(held(3, 0x5_0033n, 0x6_e033n)).toBe('rbx silicon 0x50033, engine 0x6e033');
    expect(held(2, 0x33n, 0xe033n)).toBe('rdx silicon 0x33, engine 0xe033');
    expect(held(3, 0x30n, 0xe030n)).not.toBeNull();
  });
});

describe('segments', () => {
  const seen = (host: number, told: number) =>
    says('add', {
      silicon: { selectors: Uint16Array.of(0, 0x33, 0x2b, host, 0, 0) },
      engine: { selectors: [0, 0xe033, 0x2b, told, 0, 0] },
    });

  it('may be null in any way, and have each machine’s number', () => {
    for (const [host, told] of [
      [0, 3],
      [3, 0],
      [1, 2],
      [0x2b, 0xe02b],
      [0x33, 0xe033],
    ] as const)
      expect(seen(host, told)).toBeNull();
    for (const [host, told] of [
      [4, 0],
      [0, 4],
      [3, 4],
      [4, 3],
      [0x2b, 0],
      [0, 0x2b],
    ] as const)
      expect(seen(host, told)).toBe(`ds silicon 0x${host.toString(16)}, engine 0x${told.toString(16)}`);
  });
});

describe('x87 and SSE state', () => {
  const state = (change: Partial<FxState> = {}): Uint8Array =>
    fxImageOf({
      control: 0x37f,
      status: 0,
      tag: 0,
      registers: Array<bigint>(8).fill(0n),
      mxcsr: 0x1f80,
      xmm: Array<bigint>(16).fill(1n),
      ...change,
    });
  const fx = (silicon: Uint8Array | null, engine: Uint8Array | null) => says('addps', { silicon: { fx: silicon }, engine: { fx: engine } });
  const other = <K extends keyof FxState>(name: K, value: FxState[K]) => fx(state(), state({ [name]: value } as Partial<FxState>));

  it('is compared where both have it', () => {
    expect([fx(state(), state()), fx(null, state()), fx(state(), null), fx(null, null)]).toEqual([null, null, null, null]);
    const zero = '0'.repeat(31);
    expect(other('xmm', Array<bigint>(16).fill(1n).with(15, 2n))).toBe(`xmm15 silicon ${zero}1, engine ${zero}2`);
    expect(other('registers', Array<bigint>(8).fill(0n).with(7, 0xabn))).toBe(
      `x87 register 7 silicon ${'0'.repeat(20)}, engine ${'0'.repeat(18)}ab`,
    );
    expect(other('control', 0x7f)).toBe('fcw silicon 037f, engine 007f');
    expect(other('status', 0x220)).toBe('fsw silicon 0000, engine 0220');
    expect(other('tag', 1)).toBe('tags silicon 00, engine 01');
    expect(other('mxcsr', 0x80)).toBe('mxcsr silicon 1f80, engine 0080');
  });

  it('that may differ does not hide memory that may not', () => {
    const changes: readonly Change[] = [{ at: 0x20, bytes: Uint8Array.of(1) }];
    const image = fxImageOf({
      control: 0,
      status: 0,
      tag: 0,
      registers: Array<bigint>(8).fill(0n),
      mxcsr: 0,
      xmm: Array<bigint>(16).fill(0n),
    });
    const rounded = fxImageOf({
      control: 0,
      status: 0x200,
      tag: 0,
      registers: Array<bigint>(8).fill(0n),
      mxcsr: 0,
      xmm: Array<bigint>(16).fill(0n),
    });
    expect(says('fsin', { silicon: { fx: image }, engine: { fx: rounded } })).toBeNull();
    expect(says('fsin', { silicon: { fx: image, changes }, engine: { fx: rounded } })).toBe('memory silicon 0x20: 01, engine nothing');
  });
});

describe('memory', () => {
  const filled = (at: number, length: number, value: number): readonly Change[] => [{ at, bytes: new Uint8Array(length).fill(value) }];
  const stored = (mnemonic: string, silicon: readonly Change[], engine: readonly Change[], change: Partial<InstructionCase>) =>
    says(mnemonic, { silicon: { changes: silicon }, engine: { changes: engine } }, change);

  it('must be the same in every stretch', () => {
    const [a, b, c] = [filled(0x20, 2, 1)[0]!, filled(0x40, 2, 1)[0]!, filled(0x40, 2, 2)[0]!];
    expect(stored('add', [a, b], [a, b], {})).toBeNull();
    for (const engine of [[a, c], [a], [c, b]]) expect(stored('add', [a, b], engine, {})).toMatch(/^memory /);
  });

  it.each([
    ['fnstenv', 4, LAST_INSTRUCTION.environment32],
    ['fnstenv', 2, LAST_INSTRUCTION.environment16],
    ['fnsave', 4, LAST_INSTRUCTION.environment32],
    ['fnsave', 2, LAST_INSTRUCTION.environment16],
    ['fxsave', 4, LAST_INSTRUCTION.fxsave],
    ['fxsave', 2, LAST_INSTRUCTION.fxsave],
  ] as const)('of %s with operands of %i bytes leaves out what the x87 remembers, %o', (mnemonic, size, { first, length }) => {
    const change = { memory: 0x100n, size } as const;
    for (let at = 0; at < 32; at++) {
      const isRemembered = at >= first && at < first + length;
      expect(stored(mnemonic, filled(0x100 + at, 1, 5), [], change) === null).toBe(isRemembered);
      expect(stored('add', filled(0x100 + at, 1, 5), [], change)).not.toBeNull();
      expect(stored(mnemonic, filled(0x100 + at, 1, 5), [], { ...change, memory: null })).not.toBeNull();
    }
    expect(
      stored(
        mnemonic,
        filled(0x100, 32, 5),
        [...filled(0x100, first, 5), ...filled(0x100 + first + length, 32 - first - length, 5)],
        change,
      ),
    ).toBeNull();
  });

  it('of a far call leaves out the selector that it pushes, and the one that it found', () => {
    const far = {
      regs: regs({ 4: 0x200n }),
      size: 4,
      selectors: [
        { register: 3, name: 'data' },
        { at: 0x80, name: 'code64' },
      ],
    };
    const at = (place: number) => stored('call_far', filled(place, 1, 5), [], far as unknown as Partial<InstructionCase>);
    expect([0x1fc, 0x1fd, 0x80, 0x81].map(at)).toEqual([null, null, null, null]);
    for (const place of [0x1fb, 0x1fe, 0x7f, 0x82, 0x200]) expect(at(place)).toMatch(/^memory /);
    expect(stored('add', filled(0x1fc, 1, 5), [], far as unknown as Partial<InstructionCase>)).toMatch(/^memory /);
  });
});
