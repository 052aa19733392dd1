/** The one way into ES, SS, DS, FS and GS. */
import { changed, type Running } from './running.ts';
import { loadSegment as loadGuestSegment } from './selectors.ts';
import { loadBareSegment } from './system/load.ts';

/** The state after a segment register was loaded; the instruction is not done yet. Throws the faults of the load. */
export const loadSegment = (s: Running, register: number, selector: number): Running =>
  s.system.kind === 'pv'
    ? changed(s, { segments: loadGuestSegment(s.segments, register, selector) })
    : loadBareSegment(s, register, selector);
