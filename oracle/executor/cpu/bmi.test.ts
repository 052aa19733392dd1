/** BMI1, BMI2, ADX, CRC32: results against plain arithmetic, and the flags. */
import { expect, test } from 'vitest';
import { fixture } from './fixture.ts';
import { RAX, RBX, RCX, RDX } from './interface.ts';

const [CF, ZF, SF, OF] = [1n, 0x40n, 0x80n, 0x800n];
type Registers = { readonly rax?: bigint; readonly rbx?: bigint; readonly rcx?: bigint; readonly rdx?: bigint };

/** RAX, RDX and the arithmetic flags after one instruction. */
const run = (bytes: readonly number[], { rax = 0n, rbx = 0n, rcx = 0n, rdx = 0n }: Registers, flags = 0n) => {
  const { cpu } = fixture(bytes);
  for (const [r, value] of [
    [RAX, rax],
    [RBX, rbx],
    [RCX, rcx],
    [RDX, rdx],
  ] as const)
    cpu.setGpr(r, value);
  cpu.rflags = 2n | flags;
  expect(cpu.run(1).kind).toBe('limit');
  return { rax: cpu.gpr(RAX), rdx: cpu.gpr(RDX), flags: cpu.rflags & 0x8d5n };
};

const TOP = 1n << 63n;
const ALL = (1n << 64n) - 1n;

test('ANDN, BLSR, BLSMSK, BLSI', () => {
  // RAX = not RBX and RCX.
  expect(run([0xc4, 0xe2, 0xe0, 0xf2, 0xc1], { rbx: 0xffn, rcx: TOP | 0xff0n })).toMatchObject({ rax: TOP | 0xf00n, flags: SF });
  // RAX from RCX.
  expect(run([0xc4, 0xe2, 0xf8, 0xf3, 0xc9], { rcx: TOP })).toMatchObject({ rax: 0n, flags: ZF });
  expect(run([0xc4, 0xe2, 0xf8, 0xf3, 0xd1], { rcx: 0n })).toMatchObject({ rax: ALL, flags: SF | CF });
  expect(run([0xc4, 0xe2, 0xf8, 0xf3, 0xd9], { rcx: 0xc00n << 32n })).toMatchObject({ rax: 0x400n << 32n, flags: CF });
});

test('BEXTR, BZHI', () => {
  const bextr = [0xc4, 0xe2, 0xe0, 0xf7, 0xc1];
  expect(run(bextr, { rcx: 0x123456789abcdef0n, rbx: 0x1004n }).rax).toBe(0xcdefn);
  expect(run(bextr, { rcx: ALL, rbx: 0xff20n }).rax).toBe(0xffffffffn);
  expect(run(bextr, { rcx: ALL, rbx: 0x0840n })).toMatchObject({ rax: 0n, flags: ZF });
  const bzhi = [0xc4, 0xe2, 0xe0, 0xf5, 0xc1];
  expect(run(bzhi, { rcx: ALL, rbx: 36n })).toMatchObject({ rax: 0xfffffffffn, flags: 0n });
  expect(run(bzhi, { rcx: ALL, rbx: 64n })).toMatchObject({ rax: ALL, flags: SF | CF });
});

test('PDEP and PEXT undo each other', () => {
  const mask = 0xf0f000000ff00001n;
  const spread = run([0xc4, 0xe2, 0xe3, 0xf5, 0xc1], { rbx: 0x12345n, rcx: mask }).rax;
  expect(spread & ~mask).toBe(0n);
  expect(run([0xc4, 0xe2, 0xe2, 0xf5, 0xc1], { rbx: spread, rcx: mask }).rax).toBe(0x12345n & ((1n << 17n) - 1n));
});

test('MULX: two halves, or the upper one alone', () => {
  const product = 0xfedcba9876543210n * 0x123456789abcdefn;
  // RAX high, RDX low.
  expect(run([0xc4, 0xe2, 0xeb, 0xf6, 0xc1], { rcx: 0xfedcba9876543210n, rdx: 0x123456789abcdefn })).toMatchObject({
    rax: product >> 64n,
    rdx: product & ALL,
  });
  expect(run([0xc4, 0xe2, 0xfb, 0xf6, 0xc1], { rcx: ALL, rdx: ALL }).rax).toBe(ALL - 1n);
});

test('shifts without flags', () => {
  const flags = CF | OF | ZF;
  expect(run([0xc4, 0xe2, 0xe1, 0xf7, 0xc1], { rcx: 1n, rbx: 0x7fn }, flags)).toMatchObject({ rax: TOP, flags });
  expect(run([0xc4, 0xe2, 0xe3, 0xf7, 0xc1], { rcx: TOP, rbx: 63n }).rax).toBe(1n);
  expect(run([0xc4, 0xe2, 0x62, 0xf7, 0xc1], { rcx: 0x80000000n, rbx: 31n }).rax).toBe(0xffffffffn);
  expect(run([0xc4, 0xe3, 0xfb, 0xf0, 0xc1, 4], { rcx: 0x123n }).rax).toBe(0x3000000000000012n);
});

test('ADCX and ADOX keep each to their own flag', () => {
  expect(run([0x66, 0x48, 0x0f, 0x38, 0xf6, 0xc1], { rax: ALL, rcx: 0n }, CF | OF)).toMatchObject({ rax: 0n, flags: CF | OF });
  expect(run([0xf3, 0x48, 0x0f, 0x38, 0xf6, 0xc1], { rax: ALL, rcx: 0n }, CF)).toMatchObject({ rax: ALL, flags: CF });
});

test('CRC32 of a byte, of eight bytes', () => {
  expect(run([0xf2, 0x0f, 0x38, 0xf0, 0xc1], { rax: 0xffffffffn, rcx: 0x61n }).rax ^ 0xffffffffn).toBe(0xc1d04330n);
  const whole = run([0xf2, 0x48, 0x0f, 0x38, 0xf1, 0xc1], { rcx: 0x0807060504030201n }).rax;
  let bytewise = 0n;
  for (let i = 1n; i <= 8n; i++) bytewise = run([0xf2, 0x0f, 0x38, 0xf0, 0xc1], { rax: bytewise, rcx: i }).rax;
  expect(whole).toBe(bytewise);
});
