/** XEN_DOMCTL_settimeoffset, gettscinfo, settscinfo: a domain's clocks. */
import { domctl, TSC_MODE } from '#spec/abi/domctl.ts';
import { updateDomain } from '../../../lens.ts';
import type { Machine } from '../../../machine.ts';
import { bytesOf, wordIn } from '../../../memory/guest.ts';
import { timeScale, tscOf } from '../../../time/clock.ts';
import { emulatesTsc, tscInfoOf } from '../../../time/virtual_tsc.ts';
import { writeWallclock } from '../../../time/wallclock.ts';
import { fromBigInt, toBigInt } from '../../../word/word.ts';
import { fieldsOf, withFields } from '../../guest_struct.ts';
import { done, fail } from '../../result.ts';
import { type Rule, tell } from './rule.ts';
import { stoppedForAMoment } from './whole_domain.ts';

export const settimeoffset: Rule = (machine, { bytes, target: { domid } }) => {
  const timeOffset = BigInt.asIntN(64, toBigInt(wordIn(bytes, domctl.settimeoffset.fields.time_offset_seconds.at)));
  return done(writeWallclock(updateDomain(machine, domid, { timeOffset }), domid), 'domctl/settimeoffset');
};

/** Nanoseconds that the processor's own counter stands for. */
const elapsedNatively = (machine: Machine, khz: number): bigint => {
  const { mul, shift } = timeScale(BigInt(khz) * 1000n);
  const ticks = toBigInt(tscOf(machine));
  const shifted = shift < 0 ? ticks >> BigInt(-shift) : BigInt.asUintN(64, ticks << BigInt(shift));
  return (shifted * BigInt(mul)) >> 32n;
};

export const gettscinfo: Rule = (machine, asked) => {
  const { target, caller, bytes } = asked;
  if (target.domid === caller.domid) return fail(machine, 'EINVAL', 'domctl/gettscinfo-self');
  const { mode, khz, incarnation, offset } = tscInfoOf(machine, target);
  const never = mode === TSC_MODE.NEVER_EMULATE;
  const emulated = target.vcpus.some(({ tscEmulated }) => tscEmulated);
  const elapsed = BigInt.asIntN(64, emulated ? BigInt(machine.now) - offset : elapsedNatively(machine, khz));
  const rate = never ? 0 : emulated ? khz : machine.config.cpu.tsc_khz;
  const after = withFields(bytes, domctl.tsc_info, { tsc_mode: mode, gtsc_khz: rate, incarnation });
  after.set(bytesOf([fromBigInt(never || elapsed < 0n ? 0n : elapsed)]), domctl.tsc_info.fields.elapsed_nsec.at);
  return tell(stoppedForAMoment(machine, target.domid), asked, after, 'domctl/gettscinfo-told');
};

export const settscinfo: Rule = (machine, { caller, bytes, target }) => {
  const { domid } = target;
  if (domid === caller.domid) return fail(machine, 'EINVAL', 'domctl/settscinfo-self');
  const m = stoppedForAMoment(machine, domid);
  const { tsc_mode: mode, gtsc_khz, incarnation: given } = fieldsOf(bytes, domctl.tsc_info);
  if (mode > TSC_MODE.NEVER_EMULATE) return fail(m, 'EINVAL', 'domctl/settscinfo-mode');
  const never = mode === TSC_MODE.NEVER_EMULATE;
  const before = tscInfoOf(m, target);
  const native = m.config.cpu.tsc_khz;
  const elapsed = toBigInt(wordIn(bytes, domctl.tsc_info.fields.elapsed_nsec.at));
  const counted = never ? before : { khz: gtsc_khz || native, offset: BigInt.asIntN(64, BigInt(m.now) - elapsed) };
  const own = mode === TSC_MODE.DEFAULT && !emulatesTsc(m.config, domid) && counted.khz === native;
  const tsc = { mode, khz: counted.khz, offset: counted.offset, incarnation: (given + 1) >>> 0 };
  const vcpus = domainWith(m, domid).map((vcpu) => ({ ...vcpu, tscEmulated: !never && !own }));
  return done(updateDomain(m, domid, { tsc, vcpus }), 'domctl/settscinfo-done');
};
const domainWith = (machine: Machine, domid: number) => machine.domains.find((domain) => domain.domid === domid)?.vcpus ?? [];
