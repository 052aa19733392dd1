/** set_callbacks: event, failsafe and syscall entry points in one call. Chapter: spec/chapters/callback.md. */
import { CALLBACKTYPE } from '#spec/abi/xen.ts';
import { done, type Perform } from '../result.ts';
import { registerCallback } from './register.ts';

/** A bad address leaves its callback as it was, without a word; none of them masks events afterwards, if set. */
export const set_callbacks: Perform = (machine, caller, [event, failsafe, syscall]) => {
  const withEvent = registerCallback(machine, caller, CALLBACKTYPE.event, 0, event).machine;
  const withFailsafe = registerCallback(withEvent, caller, CALLBACKTYPE.failsafe, 0, failsafe).machine;
  return done(registerCallback(withFailsafe, caller, CALLBACKTYPE.syscall, 0, syscall).machine, 'callback/set_callbacks-done');
};
