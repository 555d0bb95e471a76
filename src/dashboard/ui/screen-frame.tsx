import type { ComponentChildren } from 'preact';
import { useTitle } from '../app/use-title.ts';
import { Heading } from './heading.tsx';

/**
 * A screen: its title, also the page's, what one can do on it, and its content.
 *
 * @param actions buttons and links, at the end of the heading's line
 */
export function ScreenFrame({ title, actions, children }: { title: string; actions?: ComponentChildren; children: ComponentChildren }) {
  useTitle(title);
  return (
    <section class="screen">
      <header class="screen-head">
        <Heading class="screen-title">{title}</Heading>
        {actions}
      </header>
      {children}
    </section>
  );
}
