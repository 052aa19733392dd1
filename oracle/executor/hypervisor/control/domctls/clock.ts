/** What domain 0 sets of a domain's clocks: its time of day, and who reads the time-stamp counter for it. */
import { domctl, TSC_MODE } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { isTscInvariant } from '../../processor_signature.ts';
import { emulatedKhz, scaledTsc } from '../../system_time.ts';
import { loadTsd } from '../../trap/control_registers.ts';
import { tellWallclock } from '../../wallclock.ts';
import { isSelf, put64, stop, type Work } from './request.ts';

export const setTimeOffset: Work = ({ machine, domain, op }) => {
  domain.timeOffset = op.getBigInt64(domctl.settimeoffset.fields.time_offset_seconds.at, true);
  tellWallclock(machine, domain);
  return 0;
};

const F = domctl.tsc_info.fields;

export const getTscInfo: Work = (request) => {
  const { machine, domain, op } = request;
  if (isSelf(request)) return -ERRNO.EINVAL;
  stop(request);
  const isMadeUp = domain.tscMode === TSC_MODE.ALWAYS_EMULATE || domain.emulatesTsc;
  const isNative = domain.tscMode === TSC_MODE.NEVER_EMULATE;
  const elapsed = isNative ? 0n : isMadeUp ? BigInt(machine.now) - domain.tscOffset : scaledTsc(machine, domain);
  op.setUint32(F.tsc_mode.at, domain.tscMode, true);
  op.setUint32(F.gtsc_khz.at, isNative ? 0 : isMadeUp ? emulatedKhz(machine, domain) : machine.config.cpu.tsc_khz, true);
  op.setUint32(F.incarnation.at, domain.tscIncarnation, true);
  put64(op, F.elapsed_nsec.at, BigInt.asIntN(64, elapsed) < 0n ? 0n : elapsed);
  return 0;
};

export const setTscInfo: Work = (request) => {
  const { machine, domain, op } = request;
  if (isSelf(request)) return -ERRNO.EINVAL;
  stop(request);
  const mode = op.getUint32(F.tsc_mode.at, true);
  switch (mode) {
    case TSC_MODE.NEVER_EMULATE:
      domain.emulatesTsc = false;
      break;
    case TSC_MODE.DEFAULT:
    case TSC_MODE.ALWAYS_EMULATE: {
      const own = machine.config.cpu.tsc_khz;
      domain.tscOffset = BigInt.asIntN(64, BigInt(machine.now) - op.getBigUint64(F.elapsed_nsec.at, true));
      domain.tscKhz = op.getUint32(F.gtsc_khz.at, true);
      domain.emulatesTsc = mode === TSC_MODE.ALWAYS_EMULATE || !isTscInvariant(machine) || emulatedKhz(machine, domain) !== own;
      break;
    }
    default:
      return -ERRNO.EINVAL;
  }
  domain.tscMode = mode;
  domain.tscIncarnation = (op.getUint32(F.incarnation.at, true) + 1) >>> 0;
  for (const vcpu of domain.vcpus) loadTsd(vcpu);
  return 0;
};
