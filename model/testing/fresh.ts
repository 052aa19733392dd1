/** Two small domains at their first instruction, for tests; pCPU 0 runs domain 0's first vCPU. */
import { NO_TRAPS } from '../domain/fresh_vcpu.ts';
import { updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { changeRunstate } from '../sched/runstate.ts';
import { setVcpuInfo } from '../vcpu_info.ts';
import { DOM0, twoDomains } from './guest.ts';
import { wordOf } from './step.ts';

/** Handlers stand here, 16 bytes apart, and are never run. */
export const HANDLERS = 0x3d0000;
export const EVENT_CALLBACK = HANDLERS + 0x1000;
export const SYSCALL_CALLBACK = HANDLERS + 0x1010;
export const STACK = 0x3c0000;
export const KERNEL_STACK = 0x3b0000;

/** Handlers for all vectors, callbacks, a kernel stack, and user page tables that are the kernel's own; upcalls unmasked. */
export const preparedGuest = (image: Uint8Array): Machine => {
  const booted = twoDomains(image);
  const started = { ...changeRunstate(booted, DOM0, 'running'), journal: booted.journal };
  const vcpu = vcpuOf(started, DOM0);
  const traps = NO_TRAPS.map((_, vector) => ({ flags: vector === 3 ? 7 : 3, cs: 0xe033, address: wordOf(HANDLERS + vector * 16) }));
  const regs = vcpu.cpu.regs.with(4, wordOf(STACK));
  const ready = updateVcpu(started, DOM0, {
    traps,
    cpu: { ...vcpu.cpu, regs },
    callbacks: { ...vcpu.callbacks, event: wordOf(EVENT_CALLBACK), syscall: wordOf(SYSCALL_CALLBACK) },
    kernelSp: wordOf(KERNEL_STACK),
    userTable: vcpu.kernelTable,
  });
  return setVcpuInfo(ready, DOM0, 'evtchn_upcall_mask', 0);
};
