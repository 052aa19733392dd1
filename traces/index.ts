/** Traces: format, text, replay. Files need Node: `xenspec/traces` reads them with `readTrace`. */
export * from './conformance.ts';
export * from './file.ts';
export * from './format.ts';
export * from './replay.ts';
export * from './text.ts';
export * from './writer.ts';
