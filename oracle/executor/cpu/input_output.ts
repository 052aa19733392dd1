/** IN and OUT, and RDRAND and RDSEED: what comes from outside. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Cpu } from './cpu.ts';
import { setArithmeticFlags } from './flags.ts';
import type { Handler } from './op.ts';
import { getRegister, setRegister } from './operand.ts';

/** Place of DX among words. */
const DX = 8;

/** `size` is what goes through AL, AX or EAX. Devices may want an interrupt, or take one back: somebody has to look. */
const input =
  (port: (c: Cpu, immediate: number) => number): Handler =>
  (c, o) => {
    const at = port(c, o.imm);
    c.platform.checkPort(c, at, o.size);
    setRegister(c, 0, o.size, c.platform.readPort(c, at, o.size), 0);
    return c.pause(o);
  };

const output =
  (port: (c: Cpu, immediate: number) => number): Handler =>
  (c, o) => {
    const at = port(c, o.imm);
    c.platform.checkPort(c, at, o.size);
    c.platform.writePort(c, at, o.size, getRegister(c, 0, o.size));
    return c.pause(o);
  };

const byDx = (c: Cpu): number => c.s16[DX];
const byImmediate = (_: Cpu, immediate: number): number => immediate & 0xff;

export const inDx = input(byDx);
export const inImmediate = input(byImmediate);
export const outDx = output(byDx);
export const outImmediate = output(byImmediate);

/** C says whether there was something; all other flags become 0, and so does the destination without. */
export const random: Handler = (c, o) => {
  const found = c.platform.random(c);
  const value = found ?? 0n;
  setRegister(c, o.a, o.size, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  setArithmeticFlags(c, found === null ? 0 : RFLAGS.CF);
  return o.next;
};
