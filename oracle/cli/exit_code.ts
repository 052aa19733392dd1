/** Exit codes, the same for every command; printed by `xenspec --help`. */
export const EXIT = {
  ok: 0,
  /** A divergence, a rejected trace, two traces that differ. */
  divergence: 1,
  badInput: 2,
  /** The domain crashed, or shut down for a reason other than poweroff. */
  crashed: 3,
  limit: 4,
  notModelled: 5,
  /** A trace proved nothing: records lost, or the recorder gave up. */
  inconclusive: 6,
  /** The peer that was asked for is not on this machine. */
  unavailable: 69,
  bug: 70,
} as const;

export const EXIT_TEXT: readonly (readonly [number, string])[] = [
  [EXIT.ok, 'success; for run: dom0 shut down with SHUTDOWN_poweroff'],
  [EXIT.divergence, 'a divergence was found, a trace was rejected, or two traces differ'],
  [EXIT.badInput, 'bad input: an image, a trace, an option'],
  [EXIT.crashed, 'run: the domain crashed, hung, or shut down for a reason other than poweroff'],
  [EXIT.limit, 'run: the instruction limit was reached'],
  [EXIT.notModelled, 'the guest asked for something that is not modelled; the line names it'],
  [EXIT.inconclusive, 'replay: nothing was rejected, but some trace proves nothing'],
  [EXIT.unavailable, 'the peer that was asked for is not on this machine'],
  [EXIT.bug, 'a bug of ours; please report the line and the stack that follows it'],
];
