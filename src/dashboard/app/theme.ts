import { effect } from '@preact/signals';
import { oneOf, setting } from './settings.ts';

export const themes = ['system', 'light', 'dark'] as const;

/** Dark or light: as the system, or by choice. */
export const theme = setting<(typeof themes)[number]>('theme', 'system', oneOf(themes));

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
});
