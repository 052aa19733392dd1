import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { RAX, RCX, RDI } from '../cpu/x86/state.ts';
import { preparedGuest } from '../testing/fresh.ts';
import { DOM0, POOL, remap } from '../testing/guest.ts';
import { CODE, load, reg, rip, run, setRegs } from '../testing/step.ts';

const IO_APIC = 0xfec00;
const guest = remap(preparedGuest(ONE_PAGE_KERNEL), DOM0, POOL, (BigInt(IO_APIC) << 12n) | 0x63n).machine;

/** Run one instruction with RDI at `offset` of the I/O APIC's page. */
const at = (code: readonly number[], offset = 0) =>
  run(setRegs(load(guest, DOM0, code), DOM0, { [RAX]: 5, [RCX]: 2, [RDI]: POOL + offset }));
const MOV32 = [0x89, 0x07]; // mov [rdi], eax
const STOSD = [0xf3, 0xab]; // rep stosd

describe('a store into read-only device memory', () => {
  it('is passed over', () => {
    const { machine, events } = at(MOV32, 16);
    expect(events).toEqual([{ kind: 'emulated', at: DOM0, instruction: 'mmio_ro' }]);
    expect(rip(machine, DOM0)).toBe(BigInt(CODE + MOV32.length));
  });
  it('of a string is passed over one by one', () => {
    const { machine } = at(STOSD);
    expect([rip(machine, DOM0), reg(machine, DOM0, RCX), reg(machine, DOM0, RDI)]).toEqual([BigInt(CODE), 1n, BigInt(POOL + 4)]);
  });
  it.each([
    ['is not aligned', MOV32, 2],
    ['reads memory too', [0x01, 0x07], 0], // add [rdi], eax
  ])('faults when it %s', (_, code, offset) =>
    expect(at(code, offset).events).toMatchObject([{ kind: 'exception', vector: 14, error: 3 }]),
  );
  it('from a stack there is not modelled', () =>
    expect(() => run(setRegs(load(guest, DOM0, [0x50]), DOM0, { 4: POOL + 8 }))).toThrow('not modelled: emulation/mmio_ro-push'));
});
