/** Results that an AMD EPYC gave: with all roundings and precisions, denormals, NaNs, exceptions masked and not. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { add, divide, multiply, squareRoot, subtract } from './arithmetic.ts';
import { Environment } from './environment.ts';
import { BINARY32, BINARY64, fromBits32, fromBits64, fromBits80, significand80, toBits32, toBits64, top80 } from './format.ts';
import { roundToInteger } from './integer.ts';
import { special1 } from './nan.ts';
import { type Fp, NAN, zero } from './number.ts';
import { remainder } from './remainder.ts';
import { controlled } from './round.ts';
import { scale } from './scale.ts';

type Vector = {
  readonly op: string;
  readonly control?: string;
  readonly mxcsr?: string;
  readonly a: string;
  readonly b?: string;
  readonly result: string;
  /** Of the x87's status word flags and condition codes, of MXCSR flags. */
  readonly status: string;
};

const VECTORS: readonly Vector[] = readFileSync(new URL('./silicon.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

const number80 = (hex: string): Fp => fromBits80(Number.parseInt(hex.slice(0, 4), 16), BigInt(`0x${hex.slice(4)}`));
const hex80 = (x: Fp): string => top80(x).toString(16).padStart(4, '0') + significand80(x).toString(16).padStart(16, '0');

const C1 = 0x200;
const quotientBits = (quotient: number, partial: boolean): number =>
  (quotient & 1 ? C1 : 0) | (quotient & 2 ? 0x4000 : 0) | (quotient & 4 ? 0x100 : 0) | (partial ? 0x400 : 0);

/** Result and condition codes of an x87 operation. */
const x87 = (env: Environment, op: string, a: Fp, b: Fp): { readonly value: Fp; readonly codes: number } => {
  const plain = (value: Fp) => ({ value, codes: 0 });
  switch (op) {
    case 'fadd':
      return plain(add(env, controlled(env), a, b));
    case 'fsub':
      return plain(subtract(env, controlled(env), a, b));
    case 'fmul':
      return plain(multiply(env, controlled(env), a, b));
    case 'fdiv':
      return plain(divide(env, controlled(env), a, b));
    case 'fsqrt':
      return plain(squareRoot(env, controlled(env), a));
    case 'fscale':
      return plain(scale(env, a, b));
    case 'frndint': {
      const special = special1(env, a);
      if (special === null && a.denormal) env.flags |= 2;
      return plain(special ?? roundToInteger(env, a, env.rounding));
    }
    default: {
      const { value, quotient, partial } = remainder(env, a, b, op === 'fprem1');
      env.up = false;
      return { value, codes: value.kind === NAN ? 0 : quotientBits(quotient, partial) };
    }
  }
};

test.each(VECTORS.filter((v) => v.control !== undefined))('$op under $control: $a, $b', (v) => {
  const env = new Environment();
  env.useControl(Number.parseInt(v.control ?? '', 16));
  const { value, codes } = x87(env, v.op, number80(v.a), number80(v.b ?? v.a));
  const prevented = env.prevented();
  expect(prevented ? v.a : hex80(value)).toBe(v.result);
  expect(env.flags | (prevented ? 0 : codes) | (env.up ? C1 : 0)).toBe(Number.parseInt(v.status, 16));
});

const OPERATIONS = { add, sub: subtract, mul: multiply, div: divide };

test.each(VECTORS.filter((v) => v.mxcsr !== undefined))('$op under $mxcsr: $a, $b', (v) => {
  const env = new Environment();
  env.useMxcsr(Number.parseInt(v.mxcsr ?? '', 16));
  const operation = OPERATIONS[v.op.slice(0, 3) as keyof typeof OPERATIONS];
  const single = v.op.endsWith('ss');
  const numberOf = (hex: string): Fp => {
    const bits = BigInt(`0x${hex}`);
    const x = single ? fromBits32(Number(bits)) : fromBits64(Number(bits & 0xffffffffn), Number(bits >> 32n));
    return x.denormal && env.denormalsAreZero ? zero(x.sign) : x;
  };
  const value = operation(env, single ? BINARY32 : BINARY64, numberOf(v.a), numberOf(v.b ?? ''));
  const bits = single ? BigInt(toBits32(value) >>> 0) : toBits64(value);
  expect(bits.toString(16).padStart(v.result.length, '0')).toBe(v.result);
  expect(env.flags).toBe(Number.parseInt(v.status, 16));
});
