/** Ports by which software resets the machine, gates counter 2 and, on old machines, address line 20. Pure. */
import { PORT } from '#spec/bare/ports.ts';
import { NotModelled } from '#spec/failure.ts';
import { citing, type Devices } from './devices.ts';
import { output, setGate } from './pit.ts';
import type { Written } from './port.ts';

const NOBODY = 0xff;
/** The keyboard controller is idle, tested, and not locked. */
const KEYBOARD_STATUS = 0x1c;
const SPEAKER_TOGGLE = 0x10;
const RESET_NOW = 4;

export const readSystemPort = (d: Devices, port: number): { readonly devices: Devices; readonly value: number } => {
  switch (port) {
    case PORT.SPEAKER: {
      const speaker = d.speaker ^ SPEAKER_TOGGLE;
      return { devices: { ...d, speaker }, value: speaker | (output(d.pit[2], d.now) ? 0x20 : 0) };
    }
    case PORT.KEYBOARD_COMMAND:
      return { devices: d, value: KEYBOARD_STATUS };
    case PORT.KEYBOARD_DATA:
      if (!d.lenient) throw new NotModelled('hardware/keyboard-data');
      return { devices: d, value: NOBODY };
    case PORT.SYSTEM_CONTROL_A:
      return { devices: d, value: 2 };
    case PORT.RESET_CONTROL:
      return { devices: d, value: d.resetControl };
    default:
      return { devices: d, value: NOBODY };
  }
};

const quiet = (devices: Devices): Written => ({ devices, effects: [] });
/** The machine ends here. */
const reset = (devices: Devices): Written => ({ devices: citing(devices, 'device/reset'), effects: [{ kind: 'shutdown', why: 'reset' }] });
const a20 = (d: Devices, on: boolean): Written => {
  if (!on) throw new NotModelled('hardware/a20_off');
  return quiet(d);
};

const KEYBOARD = { WRITE_OUTPUT_PORT: 0xd1, A20_OFF: 0xdd, A20_ON: 0xdf, PULSE: 0xf0 } as const;

const keyboardCommand = (d: Devices, value: number): Written => {
  if (value >= KEYBOARD.PULSE) return value & 1 ? quiet(d) : reset(d);
  switch (value) {
    case KEYBOARD.WRITE_OUTPUT_PORT:
      return quiet({ ...d, outputPort: true });
    case KEYBOARD.A20_OFF:
    case KEYBOARD.A20_ON:
      return a20(d, value === KEYBOARD.A20_ON);
    default:
      if (!d.lenient) throw new NotModelled(`hardware/keyboard-${value.toString(16).padStart(2, '0')}`);
      return quiet(d);
  }
};

const keyboardData = (d: Devices, value: number): Written => {
  if (!d.outputPort && !d.lenient) throw new NotModelled('hardware/keyboard-data');
  if (!d.outputPort) return quiet(d);
  const done = { ...d, outputPort: false };
  return value & 1 ? a20(done, (value & 2) !== 0) : reset(done);
};

export const writeSystemPort = (d: Devices, port: number, value: number): Written => {
  switch (port) {
    case PORT.SPEAKER: {
      const gated = d.pit.map((c, n) => (n === 2 ? setGate(c, (value & 1) !== 0, d.now) : c)) as unknown as typeof d.pit;
      return quiet({ ...citing(d, 'device/pit-gate'), pit: gated, speaker: (d.speaker & SPEAKER_TOGGLE) | (value & 3) });
    }
    case PORT.KEYBOARD_COMMAND:
      return keyboardCommand(d, value);
    case PORT.KEYBOARD_DATA:
      return keyboardData(d, value);
    case PORT.SYSTEM_CONTROL_A:
      return value & 1 ? reset(d) : a20(d, (value & 2) !== 0);
    case PORT.RESET_CONTROL: {
      const noted = { ...d, resetControl: value & ~RESET_NOW };
      return value & RESET_NOW ? reset(noted) : quiet(noted);
    }
    default:
      return quiet(d);
  }
};
