import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { vcpu_info } from '#spec/abi/xen.ts';
import type { Event } from '#spec/event.ts';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import { ENGINES, type EngineName, loadEngine } from '../engines.ts';
import { runEngine } from '../run.ts';

/** Where Debian's package grub-xen-host puts it. */
const PVGRUB = '/usr/lib/grub-xen/grub-x86_64-xen.bin';
const RECORDING = JSON.parse(readFileSync(new URL('../../../traces/boots/pvgrub-x86_64.json', import.meta.url), 'utf8'));

/** How the image ends as domain 0. */
const endOn = async (engine: EngineName, image: Uint8Array) => {
  const machine = (await loadEngine(engine))(debian_4_17(), [image]);
  const crashes: string[] = [];
  runEngine(machine, { limit: 20_000_000, onEvent: (event: Event) => event.kind === 'crash' && crashes.push(event.why) });
  const { rip, rflags, gpr, vcpu_info: info } = machine.observe().domains[0]!.vcpus[0]!;
  const [mfn, at] = info!;
  const page = new DataView(machine.page(mfn).buffer);
  const cr2 = page.getBigUint64(at + vcpu_info.fields.cr2.at, true);
  return { crash: crashes.join(), cr2: `0x${cr2.toString(16)}`, rip, rflags, gpr: [...gpr] };
};

it.each(ENGINES)("Debian's pvgrub as domain 0 ends on the %s as on real Xen", async (engine) => {
  const { crash, cr2, rip, rflags, gpr } = RECORDING;
  const found = existsSync(PVGRUB) ? await endOn(engine, new Uint8Array(readFileSync(PVGRUB))) : `${PVGRUB} is not on this machine`;
  const expected = existsSync(PVGRUB) ? { crash, cr2, rip, rflags, gpr: Object.values(gpr) } : `${PVGRUB} is not on this machine`;
  expect(found).toEqual(expected);
});
