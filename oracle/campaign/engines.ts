/** The engines by name. They are loaded on demand, so that a mutant can be planted before its module is read. */
import type { Boot } from '#spec/engine.ts';

export const ENGINES = ['model', 'executor'] as const;
export type EngineName = (typeof ENGINES)[number];

export const loadEngine = async (name: EngineName): Promise<Boot> =>
  name === 'model' ? (await import('#model/engine.ts')).boot : (await import('#oracle/executor/engine.ts')).boot;
