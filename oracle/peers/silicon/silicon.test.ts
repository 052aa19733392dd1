import { describe, expect, it } from 'vitest';
import { type InstructionCase, initialFx, LEAVE, placedCode, UPPER_ESP } from '../../image/instruction/case.ts';
import { segmentCalled, selectorOf } from '../../image/instruction/segments.ts';
import { CODE, CODE_END, DATA, DATA_END, DATA_READ_ONLY, PAGE, pristineWindow, STACK } from '../../image/instruction/window.ts';
import { brandOf, featuresOf, vendorOf } from './features.ts';
import { siliconPeer } from './silicon.ts';

const peer = siliconPeer();

const RSP = 4;
/** Where an FXSAVE image has XMM0. */
const XMM = 160;
/** A case of the bytes alone: all registers zero but RSP. */
const caseOf = (code: number[], change: Partial<InstructionCase> = {}): InstructionCase => {
  const regs = new BigUint64Array(16);
  regs[RSP] = BigInt(STACK + 0x800);
  return {
    row: 0,
    mode: '64',
    seed: 0,
    way: 'step',
    size: 4,
    destination: null,
    form: '',
    code: Uint8Array.from(code),
    rip: CODE + 0x100,
    segments: null,
    regs,
    flags: 0x202,
    fsBase: 0n,
    gsBase: 0n,
    fx: null,
    memory: null,
    pokes: [],
    selectors: [],
    ...change,
  };
};

const withRax = (value: number | bigint): BigUint64Array => {
  const { regs } = caseOf([]);
  regs[0] = BigInt(value);
  return regs;
};

describe.skipIf(!peer.available)('the processor of this machine', () => {
  const run = async (...cases: InstructionCase[]) => {
    if (!peer.available) throw new Error(peer.why);
    return peer.run(cases);
  };
  const runOne = async (code: number[], change: Partial<InstructionCase> = {}) => {
    const [result] = await run(caseOf(code, change));
    if (result === null) throw new Error('the helper ended');
    return result;
  };

  it('has a name and the features that every 64-bit processor has', () => {
    expect(peer).toMatchObject({ name: 'silicon', version: expect.stringMatching(/\(.+ [0-9a-f]+\)$/) });
    expect(peer.available && [...peer.features]).toEqual(expect.arrayContaining(['cx8', 'cmov', 'sse2']));
  });

  it('takes one step, or runs through, with the same result', async () => {
    const add = [0x48, 0x83, 0xc0, 0x01]; // add rax, 1
    for (const [way, end] of [
      ['step', 'step'],
      ['through', 'done'],
    ] as const) {
      const result = await runOne(add, { way, regs: withRax(0xffffffffffffffffn) });
      expect([result.end, result.regs[0], result.rip, result.flags & 0xcd5, result.changes]).toEqual([
        end,
        0n,
        BigInt(CODE + 0x104),
        0x55,
        [],
      ]);
    }
  });

  it('tells which bytes of memory changed, across pages too, and starts each case afresh', async () => {
    const store = [0x48, 0x89, 0x00]; // mov [rax], rax
    const at = DATA + PAGE - 4;
    const value = 0x1122334455667788n;
    const pokes = [{ at, bytes: new Uint8Array(8).fill(0xff) }];
    const one = caseOf(store, { regs: withRax(at), pokes });
    const results = await run(one, caseOf([0x90], { pokes: [] }), one);
    const changed = { at, bytes: Uint8Array.of(at & 0xff, (at >> 8) & 0xff, 0, (at >>> 24) & 0xff) };
    expect(results.map((r) => r?.changes)).toEqual([
      [changed, { at: DATA + PAGE, bytes: new Uint8Array(4) }],
      [],
      [changed, { at: DATA + PAGE, bytes: new Uint8Array(4) }],
    ]);
    expect(value).toBeGreaterThan(0n);
  });

  it.each([
    ['absent', DATA_END + PAGE, [0x8b, 0x00], 4],
    ['absent, written', DATA_END + PAGE, [0x89, 0x00], 6],
    ['read-only, written', DATA_READ_ONLY, [0x89, 0x00], 7],
    ['code that is read-only, written', CODE_END, [0x89, 0x00], 7],
  ])('faults: %s', async (_, address, code, error) => {
    const result = await runOne(code as number[], { regs: withRax(address) });
    expect(result).toMatchObject({ end: 'fault', vector: 14, error, address: BigInt(address), rip: BigInt(CODE + 0x100), changes: [] });
  });

  it('faults on fetching from a page that cannot be executed, and from none', async () => {
    const inData = await runOne([0x8b, 0x00], { rip: CODE + 2 * PAGE - 1 });
    expect(inData).toMatchObject({ end: 'fault', vector: 14, error: 0x15, address: BigInt(CODE + 2 * PAGE) });
    const nowhere = await runOne([0x8b, 0x00], { rip: CODE_END + PAGE - 1 });
    expect(nowhere).toMatchObject({ end: 'fault', vector: 14, error: 0x14, address: BigInt(CODE_END + PAGE) });
  });

  it('divides by zero, is undefined, general protection, breakpoint', async () => {
    const vectors = [];
    for (const code of [[0xf7, 0xf0], [0x0f, 0x0b], [0xf4]]) vectors.push((await runOne(code)).vector);
    expect(vectors).toEqual([0, 6, 13]);
  });

  it('keeps its own segment bases while a case has others', async () => {
    const load = [0x64, 0x48, 0x8b, 0x00]; // mov rax, fs:[rax]
    const result = await runOne(load, {
      fsBase: BigInt(DATA),
      regs: withRax(0x40),
      pokes: [{ at: DATA + 0x40, bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }],
    });
    expect([result.regs[0], result.fsBase]).toEqual([0x0807060504030201n, BigInt(DATA)]);
  });

  it('brings x87 and SSE state to the instruction, and back, through a fault too', async () => {
    const fx = initialFx();
    fx.fill(3, XMM, XMM + 32); // XMM0 and XMM1
    const paddb = [0x66, 0x0f, 0xfc, 0xc1];
    const expected = initialFx();
    expected.fill(6, XMM, XMM + 16);
    expected.fill(3, XMM + 16, XMM + 32);
    for (const way of ['step', 'through'] as const) {
      const result = await runOne(paddb, { fx, way });
      expect(result.fx?.subarray(XMM, XMM + 256)).toEqual(expected.subarray(XMM, XMM + 256));
      expect(new DataView((result.fx as Uint8Array).buffer).getUint32(24, true)).toBe(0x1f80);
    }
    const divided = await runOne([0xf7, 0xf0], { fx });
    expect([divided.vector, divided.fx?.subarray(XMM, XMM + 256)]).toEqual([0, fx.subarray(XMM, XMM + 256)]);
    expect((await runOne([0x90])).fx).toBeNull();
  });

  it('carries out 32-bit and 16-bit code, in segments with bases and limits', async () => {
    const selectors = (code: string, stack: string) => {
      const data = selectorOf(segmentCalled('small data'));
      return [data, selectorOf(segmentCalled(code)), selectorOf(segmentCalled(stack)), data, 0, 0];
    };
    const modes = [
      { mode: '32', segments: selectors('32-bit code with a base', 'small 32-bit stack'), code: [0x8b, 0x00], rip: 0x12440 },
      { mode: '16', segments: selectors('16-bit code', '16-bit stack'), code: [0x66, 0x67, 0x8b, 0x00], rip: 0x100 },
    ] as const;
    for (const { mode, segments, code, rip } of modes)
      for (const way of ['step', 'through'] as const) {
        const pokes = [{ at: DATA + 0x110, bytes: Uint8Array.of(1, 2, 3, 4) }];
        const inside = { mode, segments, way, pokes, regs: withRax(0x10) };
        const loaded = await runOne([...code], inside);
        expect([loaded.end, loaded.regs[0], loaded.rip, [...loaded.selectors].slice(2, 4)]).toEqual([
          way === 'step' ? 'step' : 'done',
          0x04030201n,
          BigInt(rip + code.length),
          [segments[2], segments[3]],
        ]);
        const beyond = await runOne([...code], { ...inside, regs: withRax(0x1ffd) });
        expect([beyond.vector, beyond.error, beyond.rip]).toEqual([13, 0, BigInt(rip)]);
        const nothing = await runOne([0x26, ...code], { ...inside, segments: [0, ...segments.slice(1)] });
        expect([nothing.vector, nothing.error]).toEqual([13, 0]);
      }
    const regs = withRax(0x1234);
    regs[RSP] = BigInt(UPPER_ESP + 0x800);
    const fine = await runOne([0x50], { mode: '16', segments: modes[1].segments, regs });
    expect([fine.end, fine.regs[RSP], fine.changes]).toEqual([
      'step',
      BigInt(UPPER_ESP + 0x7fe),
      [{ at: STACK + 0x7fe, bytes: Uint8Array.of(0x34, 0x12) }],
    ]);
  });

  it('is not held up by an endless loop, a system call, or a lost stack', async () => {
    const results = await run(
      caseOf([0xeb, 0xfe], { way: 'through' }), // jmp to itself
      caseOf([0x0f, 0x05], { regs: withRax(60) }), // exit
      caseOf([0x50], { regs: new BigUint64Array(16) }), // push with RSP 0
      caseOf([0x90]),
    );
    expect(results.map((r) => r?.end)).toEqual(['time', 'syscall', 'fault', 'step']);
  });

  it('goes on behind a case that ends the helper', async () => {
    // The top byte of the helper's own stack pointer lies there.
    const state = LEAVE + PAGE;
    const harm = caseOf([0xc6, 0x00, 0xff], { regs: withRax(state + 0xc7), way: 'through' });
    expect((await run(caseOf([0x90]), harm, caseOf([0x90]))).map((r) => r?.end)).toEqual(['step', undefined, 'step']);
  });
});

describe('a case', () => {
  it('that runs through is followed by the jump that leaves it', () => {
    const bytes = placedCode(caseOf([0x90], { way: 'through' }));
    expect(bytes[1]).toBe(0xe9);
    expect(CODE + 0x100 + 6 + new DataView(bytes.buffer).getInt32(2, true)).toBe(LEAVE);
    expect(placedCode(caseOf([0x90]))).toEqual(Uint8Array.of(0x90));
  });

  it('finds the same bytes in the window each time, INT3 in its code', () => {
    expect(pristineWindow()).toEqual(pristineWindow());
    expect(pristineWindow()[0]).toBe(0xcc);
  });
});

describe('CPUID', () => {
  const leaf = (n: number, eax: number, ebx: number, ecx: number, edx: number) => ({ leaf: n, subleaf: null, eax, ebx, ecx, edx });
  it('gives vendor, name and features', () => {
    const amd = leaf(0, 1, 0x68747541, 0x444d4163, 0x69746e65);
    expect(vendorOf([amd])).toBe('AuthenticAMD');
    expect(brandOf([amd, leaf(1, 0xa10f11, 0, 0, 0)])).toBe('x86 (AuthenticAMD a10f11)');
    expect(vendorOf([])).toBe('unknown');
    expect([...featuresOf([leaf(1, 0, 0, 1 << 23, 1 << 15)])]).toEqual(['cmov', 'popcnt']);
  });
});
