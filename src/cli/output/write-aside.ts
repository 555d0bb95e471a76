import { oneLine } from './plain-text.ts';

/** What is drawn again and again at the bottom of the terminal: whoever writes a line meanwhile has it stand above. */
interface Drawn {
  clear(): void;
  draw(): void;
}

const drawn = new Set<Drawn>();

/** Makes way for lines from now on. @returns ends that */
export function makesWay(drawing: Drawn): () => void {
  drawn.add(drawing);
  return () => void drawn.delete(drawing);
}

/** Writes a line on standard error that belongs to no job, above what is drawn there. */
export function writeAside(line: string): void {
  for (const drawing of drawn) drawing.clear();
  process.stderr.write(`${oneLine(line)}\n`);
  for (const drawing of drawn) drawing.draw();
}
