/** The executor: a second, fast implementation of the specification, written from it alone. */
export { boot } from './engine.ts';
