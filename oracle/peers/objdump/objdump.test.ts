import { describe, expect, it } from 'vitest';
import { checkDecoders } from '../../campaign/isa/decode_check.ts';
import { nameIn, sameName } from './names.ts';
import { objdumpPeer, withoutDeadRex } from './objdump.ts';

const objdump = objdumpPeer();
const string = (...bytes: number[]): Uint8Array => Uint8Array.from([...bytes, ...new Array(16 - bytes.length).fill(0)]);

describe.skipIf(!objdump.available)('objdump', () => {
  it('tells length and name of the first instruction of each string', async () => {
    if (!objdump.available) throw new Error(objdump.why);
    const shown = await objdump.disassemble([
      string(0x90),
      string(0x48, 0x01, 0xd8),
      string(0x06),
      string(...new Array(16).fill(0x66)),
      string(0xc3),
    ]);
    expect(shown.map(({ length, text }) => [length, nameIn(text)])).toEqual([
      [1, 'nop'],
      [3, 'add'],
      [1, null],
      [expect.any(Number), null],
      [1, 'ret'],
    ]);
  });

  it('takes the same bytes for others in 32-bit and 16-bit code', async () => {
    if (!objdump.available) throw new Error(objdump.why);
    const bytes = [string(0x40, 0x90), string(0xb8, 1, 2, 3, 4), string(0x67, 0x8b, 0x00), string(0x06)];
    const told = async (mode: '64' | '32' | '16') =>
      (await objdump.disassemble(bytes, mode)).map(({ length, text }) => [length, nameIn(text)]);
    expect(await told('64')).toEqual(
      [
        [2, 'xchg'],
        [5, 'mov'],
        [3, 'mov'],
        [1, null],
      ].map(([n, name]) => [n, name === 'xchg' ? 'nop' : name]),
    );
    expect(await told('32')).toEqual([
      [1, 'inc'],
      [5, 'mov'],
      [3, 'mov'],
      [1, 'push'],
    ]);
    expect(await told('16')).toEqual([
      [1, 'inc'],
      [3, 'mov'],
      [3, 'mov'],
      [1, 'push'],
    ]);
  });

  it('agrees with both decoders on length and name', async () => {
    const check = await checkDecoders(1, 8000);
    expect(check.differences).toEqual([]);
    expect(check.agreed).toBeGreaterThan(6000);
  });
});

describe('names', () => {
  it('stand behind prefixes, without hints', () => {
    expect(nameIn('lock rex.W add QWORD PTR [rax],rbx')).toBe('add');
    expect(nameIn('cs jne,pn 0x10')).toBe('jne');
    expect([nameIn('(bad)'), nameIn('rex.WR'), nameIn('data16 cs (bad)')]).toEqual([null, null, null]);
  });

  it('may be others than the table has', () => {
    expect(sameName('cbw', 'cdqe') && sameName('nop', 'bndmov') && sameName('add', 'add')).toBe(true);
    expect(sameName('cbw', 'cwd') || sameName('add', 'adc')).toBe(false);
    expect(sameName('cmpps', 'cmpneqps') && sameName('fnsave', 'fnsavew') && sameName('movd', 'movq')).toBe(true);
    expect(sameName('cmpps', 'cmpneqpd') || sameName('fsave', 'fnsave')).toBe(false);
    expect([nameIn('addr16 data16 int3'), nameIn('fnsetpm(287 only)')]).toEqual(['int3', 'fnsetpm']);
  });
});

describe('a REX prefix that does not count', () => {
  it('becomes a prefix that never does', () => {
    expect([...withoutDeadRex(Uint8Array.of(0x48, 0x66, 0x41, 0x90))]).toEqual([0x26, 0x66, 0x41, 0x90]);
    expect([...withoutDeadRex(Uint8Array.of(0x66, 0x48, 0x48, 0x90, 0x48, 0x66))]).toEqual([0x66, 0x26, 0x48, 0x90, 0x48, 0x66]);
  });
});
