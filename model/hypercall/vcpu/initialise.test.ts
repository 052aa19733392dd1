import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { vcpu_guest_context as context, cpu_user_regs as regs } from '#spec/abi/sched.ts';
import { FRESH_FPU } from '../../cpu/x86/fpu/state.ts';
import { frame, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { preparedGuest } from '../../testing/fresh.ts';
import { DOM0, frameAt, POOL, poke, remap } from '../../testing/guest.ts';
import { apply, hypercall } from '../../testing/step.ts';
import { toHex } from '../../word/word.ts';

const guest = preparedGuest(ONE_PAGE_KERNEL);
const VCPU1 = { domid: 0, vcpu: 1 };
const L4 = vcpuOf(guest, DOM0).kernelTable;
const IN_KERNEL = 4n;
const CR3 = context.fields.ctrlreg.at + 24;

/** A context whose 64-bit words at the given offsets are set. */
const contextOf = (words: Readonly<Record<number, bigint>>, machine = guest): Machine => {
  const bytes = new Uint8Array(context.size);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of Object.entries(words)) view.setBigUint64(Number(at), value, true);
  return poke(machine, DOM0, POOL, bytes);
};
const at = {
  flags: context.fields.flags.at,
  rip: context.fields.user_regs.at + regs.fields.rip.at,
  rsp: context.fields.user_regs.at + regs.fields.rsp.at,
  rflags: context.fields.user_regs.at + regs.fields.rflags.at,
};
const good = { [at.flags]: IN_KERNEL, [at.rip]: 0x300000n, [at.rsp]: 0x301000n, [at.rflags]: 0x3000n, [CR3]: BigInt(L4) << 12n };
const initialise = (machine: Machine, vcpu = 1) => hypercall(machine, DOM0, 'vcpu_op', 0, vcpu, POOL);

describe('VCPUOP_initialise', () => {
  it('gives registers, page tables and the virtual IOPL, and takes references', () => {
    const { rc, machine } = initialise(contextOf(good));
    const vcpu = vcpuOf(machine, VCPU1);
    expect([rc, vcpu.initialised, vcpu.online, vcpu.iopl, vcpu.mode]).toEqual([0, true, false, 3, 'kernel']);
    expect([toHex(vcpu.cpu.rip), vcpu.cpu.flags, vcpu.cpu.segments.selectors, vcpu.cpu.segments.root]).toEqual([
      '0x300000',
      0x200,
      [0, 3, 3, 0, 0, 0],
      L4,
    ]);
    expect(frame(machine, L4)!.typeRefs).toBe(frame(guest, L4)!.typeRefs + 1);
  });
  it('takes the FPU image when VGCF_I387_VALID says that it counts', () => {
    const image = context.fields.fpu_ctxt.at;
    // Control word 0x27f, MXCSR, the low word of XMM0.
    const words = { ...good, [image]: 0x27fn, [image + 24]: 0x1f00n, [image + 160]: 0x1234n };
    const fpuOf = (flags: bigint, mxcsr: bigint) =>
      vcpuOf(initialise(contextOf({ ...words, [at.flags]: flags, [image + 24]: mxcsr })).machine, VCPU1).cpu.fpu;
    expect(fpuOf(IN_KERNEL, 0x1f00n)).toBe(FRESH_FPU);
    expect(fpuOf(IN_KERNEL | 1n, 0x1f00n)).toMatchObject({ control: 0x27f, mxcsr: 0x1f00 });
    expect(toHex(fpuOf(IN_KERNEL | 1n, 0x1f00n).xmm[0].lo)).toBe('0x1234');
    expect(fpuOf(IN_KERNEL | 1n, 0x101f00n)).toEqual({ ...FRESH_FPU, mxcsr: 0x1f00 });
  });
  it('lets VCPUOP_up bring it up, to run from there', () => {
    const up = hypercall(
      initialise(
        contextOf({
          ...good,
          [context.fields.user_regs.at + regs.fields.cs.at]: 0xe033n,
          [context.fields.user_regs.at + regs.fields.ss.at]: 0xe02bn,
        }),
      ).machine,
      DOM0,
      'vcpu_op',
      1,
      1,
      0,
    );
    const { machine } = apply(up.machine, { kind: 'schedule', cpu: 0, vcpu: VCPU1 });
    expect([toHex(vcpuOf(machine, VCPU1).cpu.rip), vcpuOf(machine, VCPU1).cpu.flags]).toEqual(['0x300000', 0x202]);
  });
  it.each([
    ['an address that is not canonical', { ...good, [at.rsp]: 1n << 47n }, -22],
    ['too large a GDT', { ...good, [context.fields.gdt_ents.at]: 8193n }, -22],
    ['user mode without user tables', { ...good, [at.flags]: 0n }, -22],
    ['page tables that are none of the domain’s', { ...good, [CR3]: 0x7n << 12n }, -22],
  ])('refuses %s', (_, words, rc) => expect(initialise(contextOf(words)).rc).toBe(rc));
  it('refuses a vCPU that was initialised before', () => expect(initialise(contextOf(good), 0).rc).toBe(-17));
  it('cannot read from nowhere', () => expect(hypercall(guest, DOM0, 'vcpu_op', 0, 1, 0x10000000).rc).toBe(-14));
  it('takes descriptor tables, and gives the global one back when page tables are refused', () => {
    const mfn = frameAt(guest, DOM0, POOL + 12288);
    const unmapped = remap(guest, DOM0, POOL + 12288, 0n).machine;
    const tables = {
      [context.fields.gdt_ents.at]: 3n,
      [context.fields.gdt_frames.at]: BigInt(mfn),
      [context.fields.ldt_ents.at]: 5n,
      [context.fields.ldt_base.at]: 0x302000n,
    };
    const give = (words: Readonly<Record<number, bigint>>) => {
      const { rc, machine } = initialise(contextOf({ ...good, ...words }, unmapped));
      const { gdtEntries, gdtFrames, ldtBase, ldtEntries } = vcpuOf(machine, VCPU1).tables;
      return [rc, gdtEntries, gdtFrames, toHex(ldtBase), ldtEntries, frame(machine, mfn)!.typeRefs];
    };
    expect(give(tables)).toEqual([0, 3, [mfn], '0x302000', 5, 1]);
    expect(give({ ...tables, [CR3]: 0x7n << 12n })).toEqual([-22, 0, [], '0x302000', 5, 0]);
    expect(give({ ...tables, [context.fields.gdt_frames.at]: 7n })).toEqual([-22, 0, [], '0x302000', 5, 0]);
    expect(give({ ...tables, [context.fields.gdt_ents.at]: 7169n }).slice(0, 2)).toEqual([-22, 0]);
    expect(give({ ...tables, [context.fields.gdt_ents.at]: 8193n })).toEqual([-22, 0, [], '0x0', 0, 0]);
  });
  it('leaves registers set by a late refusal', () => {
    const { machine } = initialise(contextOf({ ...good, [CR3]: 0x7n << 12n }));
    expect(toHex(vcpuOf(machine, VCPU1).cpu.rip)).toBe('0x300000');
  });
});
