import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describeIssue } from '../../errors.ts';
import type { JobType } from '../../jobs/types/job-type.ts';
import { shippedJobTypes } from '../../jobs/types/shipped.ts';
import { isOwnHandler, type OwnHandler } from './own-handler.ts';
import { ownJobType } from './own-type.ts';

/** The handlers of an installation's own, and the types that they register. */
interface OwnHandlers {
  handlers: readonly OwnHandler[];
  types: readonly JobType[];
}

const example = "export const hello = defineHandler({ type: 'hello', run: () => ({ hello: 'world' }) })";

/**
 * Loads the module that HANDLERS names: whatever it exports that looks like a handler, alone or in an array, is one.
 *
 * @param path null for none
 * @throws Error with one line per fault, which says what to do.
 */
export async function loadOwnHandlers(path: string | null): Promise<OwnHandlers> {
  if (path === null) return { handlers: [], types: [] };
  const handlers = handlersIn(await load(path));
  if (handlers.length === 0) throw new Error(`HANDLERS: ${path} exports no handler. Export one, for example: ${example}`);
  const lines: string[] = [];
  const names = new Set<string>();
  const types = handlers.flatMap((handler) => {
    const name = JSON.stringify(handler.type.slice(0, 100));
    const report = (text: string) => void lines.push(`HANDLERS: ${path}: the handler of type ${name}: ${text}`);
    if (names.has(handler.type)) report('another handler is of that type. Give each a type of its own, or export one of them.');
    names.add(handler.type);
    if (shippedJobTypes.some((shipped) => shipped.name === handler.type)) {
      report("Longhaul ships a type of that name. Call yours otherwise; a worker of its own process may take the shipped one's jobs.");
    }
    const type = ownJobType(handler, (issue) => report(describeIssue(issue)));
    return type === null ? [] : [type];
  });
  if (lines.length > 0) throw new Error(lines.join('\n'));
  return { handlers, types };
}

async function load(path: string): Promise<object> {
  if (!existsSync(path)) throw new Error(`HANDLERS: ${path} is not there. Set HANDLERS to the module that exports your handlers.`);
  try {
    const loaded: object = await import(pathToFileURL(path).href);
    return loaded;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`HANDLERS: ${path} cannot be loaded: ${reason.trimEnd()}. Correct it, or install what it imports, and start again.`, { cause });
  }
}

/** A default export may hold them, too, as that of a CommonJS module does. */
function handlersIn(loaded: object): OwnHandler[] {
  const main: unknown = 'default' in loaded ? loaded.default : undefined;
  const exported: unknown[] = [...Object.values(loaded), ...(typeof main === 'object' && main !== null ? Object.values(main) : [])];
  return [...new Set(exported.flat())].filter(isOwnHandler);
}
