/** The lowest free port, by the words and by looking at each. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsedPorts } from './used_ports.ts';

const PORTS = 131072;
const port = fc.oneof(fc.nat(70), fc.nat(4095), fc.nat(PORTS - 1));

describe('ports in use', () => {
  it('knows that port 0 is never free', () => {
    expect(new UsedPorts().lowest(0)).toBe(1);
  });

  it('finds the lowest one that is not noted, from any on', () => {
    const step = fc.record({ from: port, count: fc.nat(2100), forget: port, ask: port });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const ports = new UsedPorts();
        const noted = new Set([0]);
        for (const { from, count, forget, ask } of steps) {
          for (let p = from; p < Math.min(PORTS, from + count); p++) {
            ports.note(p);
            noted.add(p);
          }
          if (forget !== 0) {
            ports.forget(forget);
            noted.delete(forget);
          }
          let expected = ask;
          while (noted.has(expected)) expected++;
          expect(ports.lowest(ask)).toBe(expected);
        }
      }),
    );
  });

  it('says a number beyond all when everything is in use', () => {
    const ports = new UsedPorts();
    for (let p = 0; p < PORTS; p++) ports.note(p);
    expect(ports.lowest(0)).toBe(PORTS);
    expect(ports.lowest(PORTS)).toBe(PORTS);
  });
});
