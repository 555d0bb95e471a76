import type { Command } from 'commander';
import { type PrintOptions, printList, withPrintOptions } from '../output/print-list.ts';
import { readContexts } from './context-file.ts';

export function declare(command: Command): void {
  withPrintOptions(command).action(list);
}

/** Keys are not shown. */
async function list(options: PrintOptions): Promise<void> {
  const { current, contexts } = await readContexts();
  const shown = contexts.map(({ name, url }) => ({ name, url, current: name === current }));
  printList(shown, { columns: { current: (one) => (one.current ? '*' : ''), name: null, url: null }, id: 'name' }, options);
}
