/** The devices of model and executor side by side, without a processor: every answer and every register must agree. */

import { isDeepStrictEqual } from 'node:util';
import { devicesAtEntry } from '#model/device/at_entry.ts';
import * as model from '#model/device/devices.ts';
import { isDeviceMemory, readMmio, writeMmio } from '#model/device/mmio.ts';
import { observeDevices } from '#model/device/observe.ts';
import { readPort, writePort } from '#model/device/port.ts';
import type { BareConfig } from '#spec/bare/machine.ts';
import { NotModelled } from '#spec/failure.ts';
import { Board } from '../../executor/device/board.ts';
import * as ports from '../../executor/device/ports.ts';
import type { DeviceStep } from '../../generators/bare/device_program.ts';

/** Devices under test: each step answers with what can be seen of it. */
interface Bench {
  step(step: DeviceStep): unknown;
  seen(): unknown;
}

class ModelBench implements Bench {
  private devices: model.Devices;
  constructor(config: BareConfig) {
    this.devices = devicesAtEntry(config);
  }

  get cited(): readonly string[] {
    return this.devices.cited;
  }

  private take<T extends { readonly devices: model.Devices }>(answer: T): Omit<T, 'devices'> {
    const { devices, ...rest } = answer;
    this.devices = devices;
    return rest;
  }

  step(step: DeviceStep): unknown {
    const { devices } = this;
    switch (step.kind) {
      case 'out':
        return this.take(writePort(devices, step.port, step.size, step.value)).effects;
      case 'in':
        return this.take(readPort(devices, step.port, step.size)).value;
      case 'store':
        return this.take({ devices: writeMmio(devices, step.address, step.size, step.value), value: isDeviceMemory(devices, step.address) })
          .value;
      case 'load':
        return this.take(readMmio(devices, step.address, step.size)).value;
      case 'time':
        this.devices = model.atTime(devices, devices.now + step.pass);
        return null;
      case 'receive':
        this.devices = model.receive(devices, step.bytes);
        return null;
      case 'acknowledge':
        return model.interruptRequested(devices) ? this.take(model.acknowledgeInterrupt(devices)).vector : null;
    }
  }

  seen(): unknown {
    const { devices } = this;
    return {
      devices: observeDevices(devices),
      asked: model.interruptRequested(devices),
      nmi: devices.nmi,
      deadline: model.deadline(devices),
    };
  }
}

class ExecutorBench implements Bench {
  private readonly board: Board;
  private told: unknown[] = [];
  constructor(config: BareConfig) {
    this.board = new Board(config, (event) => this.told.push(event));
  }

  step(step: DeviceStep): unknown {
    const { board } = this;
    switch (step.kind) {
      case 'out':
        this.told = [];
        ports.writePort(board, step.port, step.size, step.value);
        return this.told;
      case 'in':
        return ports.readPort(board, step.port, step.size);
      case 'store':
        ports.writeMemory(board, step.address, step.size, step.value);
        return true;
      case 'load':
        return ports.readMemory(board, step.address, step.size);
      case 'time':
        board.advance(board.now + step.pass);
        return null;
      case 'receive':
        board.serial.receive(step.bytes);
        return null;
      case 'acknowledge':
        return board.interruptRequested ? board.acknowledgeInterrupt() : null;
    }
  }

  seen(): unknown {
    const { board } = this;
    return { devices: board.observe(), asked: board.interruptRequested, nmi: board.nmiPending, deadline: board.deadline() };
  }
}

/** What one side made of a step: an answer and what shows afterwards, or the name of what is not modelled. */
const told = (bench: Bench, step: DeviceStep): unknown => {
  try {
    return { answer: bench.step(step), ...(bench.seen() as object) };
  } catch (thrown) {
    if (thrown instanceof NotModelled) return { notModelled: thrown.message };
    throw thrown;
  }
};

/** What the model's devices cite in a program, up to what is not modelled. */
export const citedByDevices = (config: BareConfig, program: readonly DeviceStep[]): readonly string[] => {
  const bench = new ModelBench(config);
  for (const step of program) if ('notModelled' in (told(bench, step) as object)) break;
  return bench.cited;
};

export type DeviceDifference = { readonly step: number; readonly model: unknown; readonly executor: unknown };

/** `executorConfig`: another one for the executor, to see that a difference shows. The first step after which the two differ; null when they never do. The run ends early at what is not modelled. */
export const compareDevices = (
  config: BareConfig,
  program: readonly DeviceStep[],
  executorConfig: BareConfig = config,
): DeviceDifference | null => {
  const [ours, theirs] = [new ModelBench(config), new ExecutorBench(executorConfig)];
  for (const [n, step] of program.entries()) {
    const [a, b] = [told(ours, step), told(theirs, step)];
    if (!isDeepStrictEqual(a, b)) return { step: n, model: a, executor: b };
    if ('notModelled' in (a as object)) return null;
  }
  return null;
};
