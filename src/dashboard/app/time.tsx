import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { agoText } from './ago-text.ts';
import { oneOf, setting } from './settings.ts';

export const zones = ['local', 'UTC'] as const;

/** In which zone instants are shown, in texts and on axes. */
export const zone = setting<(typeof zones)[number]>('zone', 'local', oneOf(zones));

const formats = new Map<string, Intl.DateTimeFormat>();

function format(kind: 'instant' | 'clock' | 'day'): Intl.DateTimeFormat {
  const key = `${kind} ${zone.value}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
  const day = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
  const parts = kind === 'clock' ? clock : kind === 'day' ? day : { ...day, ...clock };
  const made = new Intl.DateTimeFormat('sv-SE', { ...parts, ...(zone.value === 'UTC' ? { timeZone: 'UTC' } : {}) });
  formats.set(key, made);
  return made;
}

/** `2026-02-03 14:05:06`, in the chosen zone; UTC says so. */
export function instantText(at: string | number | Date): string {
  return `${format('instant').format(new Date(at))}${zone.value === 'UTC' ? ' UTC' : ''}`;
}

/** `14:05:06` today, `2026-02-03 14:05:06` on another day. */
export function shortInstantText(at: string | number | Date): string {
  const day = format('day');
  const date = new Date(at);
  return day.format(date) === day.format(new Date()) ? format('clock').format(date) : format('instant').format(date);
}

/** A tick of an axis whose ticks are so many milliseconds apart: `14:05`; where a day begins, and where they are days apart, `02-03`. */
export function axisText(at: number, apart: number): string {
  const [day = '', clock = ''] = format('instant').format(at).split(' ');
  if (apart >= 86_400_000 || clock === '00:00:00') return day.slice(5);
  return apart < 60_000 ? clock : clock.slice(0, 5);
}

/** `840 ms`, `4.2 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`. */
export function durationText(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return both(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return both(hours, 'h', minutes % 60, 'min');
  return both(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function both(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** Milliseconds; moves once a second while a component uses `useNow` and the page is visible. */
const clock = signal(Date.now());
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** The present, once a second. Only for what is still going on. */
export function useNow(): number {
  useEffect(() => {
    watchers += 1;
    if (watchers === 1) {
      clock.value = Date.now();
      timer = setInterval(() => {
        if (!document.hidden) clock.value = Date.now();
      }, 1_000);
    }
    return () => {
      watchers -= 1;
      if (watchers === 0) clearInterval(timer);
    };
  }, []);
  return clock.value;
}

/** An instant. `relative`: how long ago, with the instant in its title; else as short as its day allows. Null is a dash. */
export function Time({ at, relative = false }: { at: string | null; relative?: boolean }) {
  if (at === null) return <span class="soft none">–</span>;
  return (
    <time dateTime={at} title={instantText(at)}>
      {relative ? <Ago at={at} /> : shortInstantText(at)}
    </time>
  );
}

function Ago({ at }: { at: string }) {
  return <>{agoText(at, useNow())}</>;
}

/** How long it took, or has taken so far where `to` is null. */
export function Duration({ from, to }: { from: string | null; to: string | null }) {
  if (from === null) return <span class="soft none">–</span>;
  if (to === null) return <Running from={from} />;
  return <span>{durationText(Date.parse(to) - Date.parse(from))}</span>;
}

function Running({ from }: { from: string }) {
  const ms = useNow() - Date.parse(from);
  // Tenths would only flicker.
  return <span>{durationText(ms < 10_000 ? Math.floor(Math.max(0, ms) / 1_000) * 1_000 : ms).replace('.0 s', ' s').replace('0 ms', '0 s')}</span>;
}
