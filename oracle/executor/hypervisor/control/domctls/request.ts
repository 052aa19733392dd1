/** A domctl of domain 0 that is carried out: who asks, about which domain, and the structure that it came with. */
import type { Domain } from '../../domain.ts';
import { SCRATCH } from '../../guest_access.ts';
import type { Machine } from '../../machine.ts';
import { hold, release } from '../../pause.ts';
import type { Vcpu } from '../../vcpu.ts';

export type Request = {
  readonly machine: Machine;
  readonly caller: Vcpu;
  readonly domain: Domain;
  /** The structure; answers go into it. */
  readonly op: DataView;
  /** It goes back to the guest, whatever the answer. */
  tells: boolean;
};

/** Answers 0, a negative errno or -ERESTART. */
export type Work = (request: Request) => number;

export const isSelf = ({ caller, domain }: Request): boolean => caller.domain === domain;

/** The domain, which is not the caller's, is stopped for a moment. */
export const stop = ({ machine, caller, domain }: Request): void => {
  hold(machine, caller, domain);
  release(machine, domain);
};

/** A copy of the structure in the scratch buffer, which other copies would spoil. */
export const opOf = (size: number): DataView => new DataView(SCRATCH.slice(0, size).buffer);

export const vcpuOf = ({ domain }: Request, id: number): Vcpu | undefined => (id < domain.vcpus.length ? domain.vcpus[id] : undefined);

export const put64 = (op: DataView, at: number, value: number | bigint): void =>
  op.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
