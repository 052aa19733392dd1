/**
 * What Xen or the architecture leaves open, and how a run pins it. Model and executor pin each point alike, so nothing is allowed to
 * differ between them, and the comparison has no exceptions; programs that run on real machines look at no other of these points than
 * oracle/campaign/peer/explained.ts lists.
 */
export type Looseness = { readonly reason: string; readonly pinned: string };

export const LOOSENESS = {
  'open/frame-choice': {
    reason: 'Xen promises a domain a number of frames, never which ones; nor does it say where its own tables lie.',
    pinned:
      'The configuration names the ranges; frames are taken lowest first, while domains run as the lowest free run of their size, aligned to it, ' +
      'and are free again at once. What Xen scrubs when it pleases is zero at once. Programs print frames as symbols and name none they gave back.',
  },
  'open/preemption': {
    reason: 'A long operation stops when other work waits for the processor, and goes on later; when that is so, the guest cannot know.',
    pinned:
      'It stops where the input says so, and nowhere else. Programs for a peer do not use a multicall entry again that may hold a continuation.',
  },
  'open/xen-l4-slots': {
    reason: 'What Xen keeps in its own top-level slots 257 to 271 is its private affair.',
    pinned: 'The slots read as zero; addresses there fault as spec/abi/xen.ts lists.',
  },
  'open/stale-tlb': {
    reason: 'A CPU may use a cached translation until it is flushed.',
    pinned: 'Both machines translate by the tables as they are in memory; when Xen has to flush is told by events (spec/chapters/tlb.md).',
  },
  'open/interrupts': {
    reason: 'Host interrupts enter Xen at any time, and every return to the guest may deliver a pending upcall.',
    pinned: 'Xen is entered by the guest and by inputs only.',
  },
  'open/undefined-flags': {
    reason: 'The manuals leave some flags undefined after some instructions (spec/isa/x86/flags.ts).',
    pinned: 'Both machines clear an undefined flag; programs compare only defined ones.',
  },
  'open/tsc-rate': {
    reason: 'How many ticks pass between two instructions is up to the machine.',
    pinned: 'TSC = floor(now · tsc_khz / 10⁶) + steps retired since the last time input.',
  },
  'open/boot-state': {
    reason: 'Multiboot and PVH leave most registers of the processor at entry undefined, and where the information lies.',
    pinned: 'spec/bare/boot.ts; images load descriptor tables, segments and a stack of their own before they use them.',
  },
  'open/console-messages': {
    reason: 'Xen raises VIRQ_CON_RING when it has printed a message, and what it prints is up to its build and its options.',
    pinned: 'Neither machine prints, and programs bind other VIRQs (oracle/generators/virqs.ts).',
  },
  'open/vcpu-choice': {
    reason: 'Which runnable vCPU runs next, and when, is policy.',
    pinned:
      'The choice is an input. What a peer shows of other domains before a domain with selectors that no longer load has its turn may be less.',
  },
} as const satisfies Record<string, Looseness>;
export type LoosenessId = keyof typeof LOOSENESS;
