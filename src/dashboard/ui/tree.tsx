import { useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import { counted } from '../app/counted.ts';
import { jsonText } from '../app/json-values.ts';
import { Button } from './button.tsx';
import { CopyButton } from './copy.tsx';
import { keyOf, pathText, type Place, placesOf, usuallyOpen } from './tree-places.ts';
import './tree.css';

/** Longer texts are cut; all of it is in the raw view, and copied. */
const longestText = 400;

/**
 * JSON as a tree: what has parts is opened and closed, a value or its path is copied, and all of it is shown raw.
 *
 * @param label what it is: `Input`
 */
export function JsonTree({ json, label }: { json: unknown; label: string }) {
  const raw = useSignal(false);
  const text = useMemo(() => jsonText(json), [json]);
  return (
    <div class="json">
      <div class="row json-tools">
        <Button quiet pressed={raw.value} onClick={() => (raw.value = !raw.value)}>
          Raw
        </Button>
        <CopyButton text={text} label={`Copy ${label.toLowerCase()}`} />
      </div>
      {raw.value ? (
        <pre class="json-raw" tabIndex={0} aria-label={`${label}, raw`}>
          {text}
        </pre>
      ) : (
        <Tree json={json} label={label} />
      )}
    </div>
  );
}

function Tree({ json, label }: { json: unknown; label: string }) {
  const open = useSignal<ReadonlySet<string>>(usuallyOpen(json));
  const chosen = useSignal<string>(keyOf([]));
  const frame = useRef<HTMLDivElement>(null);
  const places = placesOf(json, open.value);
  const at = Math.max(0, places.findIndex(({ path }) => keyOf(path) === chosen.value));
  const place = places[at];

  const choose = (next: Place | undefined) => {
    if (next === undefined) return;
    chosen.value = keyOf(next.path);
    const rows = frame.current?.querySelectorAll<HTMLElement>('[role=treeitem]');
    rows?.[places.indexOf(next)]?.focus();
  };
  const toggle = ({ path }: Place, opened: boolean) => {
    const next = new Set(open.value);
    if (opened) next.add(keyOf(path));
    else next.delete(keyOf(path));
    open.value = next;
  };
  const onKey = (event: KeyboardEvent) => {
    if (place === undefined) return;
    const isOpen = open.value.has(keyOf(place.path));
    const moves: Record<string, () => void> = {
      ArrowDown: () => choose(places[at + 1]),
      ArrowUp: () => choose(places[at - 1]),
      Home: () => choose(places[0]),
      End: () => choose(places.at(-1)),
      ArrowRight: () => (place.parts > 0 && !isOpen ? toggle(place, true) : choose(places[at + 1])),
      ArrowLeft: () => (isOpen ? toggle(place, false) : choose(places.findLast((one, index) => index < at && one.path.length < place.path.length))),
      Enter: () => place.parts > 0 && toggle(place, !isOpen),
    };
    const move = moves[event.key];
    if (move === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move();
  };

  return (
    <>
      <div class="json-tree" role="tree" aria-label={label} ref={frame} onKeyDown={onKey}>
        {places.map((one) => {
          const key = keyOf(one.path);
          const opened = open.value.has(key);
          return (
            <div
              key={key}
              role="treeitem"
              class={`json-row is-${kindOf(one.value)}`}
              aria-level={one.path.length + 1}
              aria-expanded={one.parts > 0 ? opened : undefined}
              aria-selected={one === place}
              tabIndex={one === place ? 0 : -1}
              style={{ paddingLeft: `${8 + one.path.length * 16}px` }}
              onFocus={() => (chosen.value = key)}
              onClick={() => {
                choose(one);
                if (one.parts > 0) toggle(one, !opened);
              }}
            >
              <span class="json-sign" aria-hidden="true">
                {one.parts > 0 && (opened ? '▾' : '▸')}
              </span>
              {one.path.length > 0 && <span class="json-name">{one.path.at(-1)}: </span>}
              <span class="json-value">{shown(one, opened && one.path.length > 0)}</span>
            </div>
          );
        })}
      </div>
      {place !== undefined && place.path.length > 0 && (
        <div class="json-chosen">
          <code class="clip" title={pathText(place.path)}>
            {pathText(place.path)}
          </code>
          <CopyButton text={pathText(place.path)} label="Copy path" word="Copy path" />
          <CopyButton text={typeof place.value === 'string' ? place.value : jsonText(place.value)} label="Copy value" word="Copy value" />
        </div>
      )}
    </>
  );
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

function shown({ value, parts, more }: Place, opened: boolean): string {
  if (typeof value === 'string') {
    return value.length > longestText ? `"${value.slice(0, longestText)}…" (${value.length.toLocaleString('en')} characters)` : `"${value}"`;
  }
  if (typeof value !== 'object' || value === null) return String(value);
  const [open, close, unit] = Array.isArray(value) ? ['[', ']', 'item'] : ['{', '}', 'field'];
  if (parts === 0) return open + close;
  const count = counted(parts, unit);
  if (!opened) return `${open} ${count} ${close}`;
  return more > 0 ? `${count}, the last ${more.toLocaleString('en')} only in the raw view` : '';
}
