import type { Command } from 'commander';
import { type PrintOptions, printList, type Shape, withPrintOptions } from '../output/print-list.ts';
import { readContexts } from './context-file.ts';

const shape: Shape<{ name: string; url: string; current: boolean }> = {
  columns: { current: (one) => (one.current ? '*' : ''), name: null, url: null },
  properties: { name: null, url: null, current: null },
  id: 'name',
};

export function declare(command: Command): void {
  withPrintOptions(command, shape).action(list);
}

/** Keys are not shown. */
async function list(options: PrintOptions): Promise<void> {
  const { current, contexts } = await readContexts();
  const shown = contexts.map(({ name, url }) => ({ name, url, current: name === current }));
  printList(shown, shape, options);
}
